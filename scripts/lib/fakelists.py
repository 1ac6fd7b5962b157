# What scripts make of mistakes in the project's own lists: tests.list, "base", and the
# lists of mistakes for "make mutants".
import os

from lib.common import Fail
from lib import fake
from lib import testlist


def listed(line):
    """A line of the list of tests."""
    try:
        testlist.Entry(line, 7)
    except Fail as reason:
        return 1, [f'FAIL list: {reason}']
    return 0, []


def run(name, *args, edits=None, **env):
    """A script of a project in which files have another text; it must not make a tree."""
    out = fake.scratch()
    path = os.path.join(fake.project(edits=edits), 'scripts', name)
    code, lines = fake.answer(path, *args, **{'O': out, 'BASE': fake.base('6.12.1'), **env})
    return code, lines + [f'and it made {made}' for made in ('linux', 'mutants')
                          if os.path.exists(os.path.join(out, made))]


def doubled():
    """A row of the list of tests that is there twice."""
    with open(testlist.LIST) as file:
        text = file.read()
    row = next(row for row in text.splitlines() if row and not row.startswith('#'))
    return run('test', edits={'scripts/tests.list': f'{text}{row}\n'})


def base(*lines):
    """These lines as the file "base"."""
    return run('tree', edits={'base': '\n'.join(['# A comment', '', *lines, ''])})


def package(*lines):
    """The same for what installs the package that it names."""
    return run('deps', 'test', 'base', edits={'base': '\n'.join(lines)}, BASE='',
               TDX_FILES=fake.scratch(), PATH=fake.offering(id='echo 0', apt_get='exit 1'))


def mistake(*texts, **env):
    """More lists of mistakes, of these texts."""
    return run('mutants', edits={f'scripts/mistakes/more{number}.list': text
                                 for number, text in enumerate(texts)}, **env)


PACKAGE, VERSION, SINCE = 'package linux', 'version 6.12.1-1', 'since 6.12.1'
HEAD = '9000 order file function kvm_*\n'
WHOLE = f'{HEAD}# what\n-old\n+new\n'

CASES = [
    ('list: no seconds', 'is no number of seconds', lambda: listed('kunit a soon pass')),
    ('list: no time at all', 'is no number of seconds', lambda: listed('kunit a 0 pass')),
    ('list: no result', 'want machines, name, seconds', lambda: listed('kunit a 15')),
    ('list: another result', 'want machines, name, seconds', lambda: listed('kunit a 15 fail')),
    ('list: skip without condition', 'want machines, name', lambda: listed('kunit a 15 skip')),
    ('list: skip without what?', 'want machines', lambda: listed('kunit a 15 skip-without=')),
    ('list: status', 'want machines', lambda: listed('kunit a 15 exit=soon')),
    ('list: machine', 'a machine is one of', lambda: listed('kunit,vax a 15 pass')),
    ('list: a row twice', ' stands twice', doubled),
    ('base: a word alone', '"version" is none of', lambda: base(PACKAGE, 'version', SINCE)),
    ('base: unknown word', '"verison 6" is none of',
     lambda: base(PACKAGE, VERSION, SINCE, 'verison 6')),
    ('base: more than a word', '"package a b" is none of',
     lambda: base('package a b', VERSION, SINCE)),
    ('base: another kernel', '"version 6.1.2-1" is none of',
     lambda: base(PACKAGE, VERSION, 'version 6.1.2-1', SINCE)),
    ('base: since when?', '"since soon" is none of', lambda: base(PACKAGE, VERSION, 'since soon')),
    ('base: no version', 'base: 0 lines "version ', lambda: base(PACKAGE, SINCE)),
    ('base: two packages', 'base: 2 lines "package ',
     lambda: base(PACKAGE, PACKAGE, VERSION, SINCE)),
    ('base, deps: no package', 'want one line "package', lambda: package(VERSION, SINCE)),
    ('base, deps: package of two words', 'want one line "package', lambda: package('package a b')),
    ('mistakes: unknown number', 'TEST=99999 names no mistake', lambda: mistake(TEST='99999')),
    ('mistakes: one of two is unknown', 'TEST=99999 names no mistake',
     lambda: mistake(WHOLE, TEST='9000,99999')),
    ('mistakes: no number', 'TEST=kvm_*: mistakes have numbers', lambda: mistake(TEST='kvm_*')),
    *((f'mistakes: {name}', words, lambda texts=texts: mistake(*texts, TEST='9000'))
      for name, words, *texts in (
          ('too few words', 'more0.list:6: "9001 order file kvm_*" is no ',
           f'{WHOLE}\n9001 order file kvm_*\n# what\n-old\n'),
          ('too few words in the first', 'more0.list:1: "9000 order" is no ', '9000 order\n'),
          ('a line without its sign', 'more0.list:5: "line" is no ', f'{WHOLE}line\n'),
          ('not said what', 'more0.list:1: want a number', f'{HEAD}-old\n+new\n'),
          ('nothing to leave out', 'more0.list:1: want a number', f'{HEAD}# what\n+new\n'),
          ('nothing at all in the last', 'more0.list:6: want a number',
           f'{WHOLE}\n9001 order file function kvm_*\n'),
          ('no change', 'more0.list:1: want a number', f'{HEAD}# what\n-old\n+old\n'),
          ('number 0', 'more0.list:1: want a number', WHOLE.replace('9000', '0')),
          ('a number twice in a list', 'numbers do not ascend', f'{WHOLE}\n{WHOLE}'),
          ('a number twice', 'number 9000 stands twice', WHOLE, WHOLE))),
    ('mistakes: unknown machine', 'unknown MACHINE=vax', lambda: mistake(MACHINE='vax')),
]
