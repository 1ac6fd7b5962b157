# Deliberate mistakes: the lists in scripts/mistakes/, and a copy of the tree in which a
# kernel parameter selects one of them.
#
# A mistake is an edit of one function. In the copy the function gets a twin with the
# edit, and a first line that calls it if the parameter says so: whatever the edit is, it
# compiles where the function does, and the sources themselves know nothing.
import collections
import os
import re

from lib.common import Fail, OUT, TOP, TREE, short

LISTS = os.path.join(TOP, 'scripts/mistakes')
COPY = os.path.join(OUT, 'mutants/linux')
HEADER = 'include/linux/tdx_mutant.h'
# Where the parameter is; a file that is in every kernel.
HOME = 'init/main.c'
DECLARATION = '''/* SPDX-License-Identifier: GPL-2.0 */
/* Made by scripts/mutants: which deliberate mistake this kernel makes, 0 for none. */
extern unsigned int tdx_mutant;
'''
DEFINITION = '''
unsigned int tdx_mutant;
EXPORT_SYMBOL_GPL(tdx_mutant);

static int __init select_tdx_mutant(char *arg)
{
	return kstrtouint(arg, 0, &tdx_mutant);
}
early_param("tdx_mutant", select_tdx_mutant);
'''
# Head: number, rule, file, function, the suites that may notice as a glob of KUnit's.
HEAD = re.compile(r'^(\d+)\s+(\S+)\s+(\S+)\s+(\w+)\s+(\S+)$')

Mutant = collections.namedtuple('Mutant', 'number rule path function glob what old new')


def mutant(head, lines, where):
    what = ' '.join(line[1:].strip() for line in lines if line.startswith('#'))
    old, new = ([line[1:] for line in lines if line.startswith(sign)] for sign in '-+')
    if not what or not old or old == new or not int(head.group(1)):
        raise Fail(f'{where}: want a number from 1 on, "# what it does", "-" and "+" lines')
    return Mutant(int(head.group(1)), *head.groups()[1:], what, '\n'.join(old), '\n'.join(new))


def read_list(path):
    """One list, which has to be in the order of its numbers."""
    mutants, head, lines, where = [], None, [], ''
    with open(path) as file:
        rows = file.read().splitlines()
    for number, row in enumerate(rows, 1):
        found = HEAD.match(row)
        if found:
            if head:
                mutants.append(mutant(head, lines, where))
            head, lines, where = found, [], f'{short(path)}:{number}'
        elif row and row[0] in ('#-+' if head else '#'):
            lines.append(row)
        elif row:
            raise Fail(f'{short(path)}:{number}: "{row}" is no "number rule file function '
                       f'suites" and no line of a mistake')
    if head:
        mutants.append(mutant(head, lines, where))
    numbers = [entry.number for entry in mutants]
    if numbers != sorted(set(numbers)):
        raise Fail(f'{short(path)}: numbers do not ascend')
    return mutants


def read():
    """All lists, by number."""
    mutants = [entry for name in os.listdir(LISTS) if name.endswith('.list')
               for entry in read_list(os.path.join(LISTS, name))]
    mutants.sort()
    for one, other in zip(mutants, mutants[1:]):
        if one.number == other.number:
            raise Fail(f'scripts/mistakes: number {one.number} stands twice')
    return mutants


Function = collections.namedtuple('Function', 'start head name args body end')


def parameters(text):
    """The names of a function's parameters."""
    if text.split() == ['void']:
        return []
    names = []
    for part in re.sub(r'\s+', ' ', text).split(','):
        pointer = re.search(r'\(\*(\w+)\)', part)
        names.append(pointer.group(1) if pointer else re.findall(r'\w+', part.split('[')[0])[-1])
    return names


def function(text, name):
    """Where a function is defined; the kernel's style makes that easy to find."""
    pattern = rf'(?m)^(?P<head>(?:[a-z_A-Z][^\n;{{}}()#]*)?\b){name}\((?P<args>[^;{{}}]*?)\)\n\{{\n'
    for found in re.finditer(pattern, text):
        close = text.index('\n}\n', found.end() - 1)
        start, head = found.start(), found.group('head')
        # A long type has a line of its own.
        if not head:
            start = text.rindex('\n', 0, start - 1) + 1
            head = text[start:found.start()]
        return Function(start, head, name, found.group('args'),
                        text[found.end():close + 1], close + 3)
    return None


def twin(found, entry):
    if found.body.count(entry.old + '\n') != 1:
        raise Fail(f'mutant {entry.number}: {found.body.count(entry.old)} places in '
                   f'{entry.function}() are as it wants')
    body = found.body.replace(entry.old + '\n', entry.new + '\n' if entry.new else '')
    head = re.sub(r'\b(VISIBLE_IF_KUNIT|static|inline|__always_inline|__init)\b ?', '', found.head)
    return f'static noinline {head}{found.name}__m{entry.number}({found.args})\n{{\n{body}}}\n\n'


def choice(found, entry):
    call = f'{found.name}__m{entry.number}({", ".join(parameters(found.args))})'
    nothing = re.search(r'\bvoid\s*$', found.head)
    then = f'{{\n\t\t{call};\n\t\treturn;\n\t}}' if nothing else f'\n\t\treturn {call};'
    return f'\tif (unlikely(tdx_mutant == {entry.number})){" " if nothing else ""}{then}\n'


def mutate(text, mutants):
    """A file with all breakages of its functions in it."""
    names = {entry.function for entry in mutants}
    for name in names:
        found = function(text, name)
        mine = [entry for entry in mutants if entry.function == name]
        if not found:
            raise Fail(f'mutant {mine[0].number}: no {name}() in {mine[0].path}')
        twins = ''.join(twin(found, entry) for entry in mine)
        choices = ''.join(choice(found, entry) for entry in mine)
        whole = text[found.start:found.end]
        head = whole[:whole.index('{\n') + 2]
        text = text[:found.start] + twins + head + choices + found.body + '}\n' + \
            text[found.end:]
    include = text.index('#include')
    return f'{text[:include]}#include <linux/tdx_mutant.h>\n{text[include:]}'


def source(path):
    with open(os.path.join(TREE, path)) as file:
        return file.read()


def put(path, text):
    """A file of the copy: as it was, if it is the same, for make to see no change."""
    where = os.path.join(COPY, path)
    try:
        with open(where) as file:
            if file.read() == text:
                return
        # It may be a link to the tree's.
        os.unlink(where)
    except FileNotFoundError:
        pass
    with open(where, 'w') as file:
        file.write(text)


def make_copy(mutants):
    """Links to the tree's files, but for those with breakages."""
    mine = {entry.path for entry in mutants} | {HEADER, HOME}
    os.makedirs(COPY, exist_ok=True)
    for where, folders, names in os.walk(TREE):
        folder = os.path.relpath(where, TREE)
        folders[:] = [name for name in folders if name != '.git']
        os.makedirs(os.path.join(COPY, folder), exist_ok=True)
        for name in names:
            path = os.path.normpath(os.path.join(folder, name))
            if path not in mine:
                link(path)
    for path in sorted(mine - {HEADER, HOME}):
        put(path, mutate(source(path), [entry for entry in mutants if entry.path == path]))
    put(HEADER, DECLARATION)
    put(HOME, source(HOME) + DEFINITION)


def link(path):
    here, there = os.path.join(COPY, path), os.path.join(TREE, path)
    try:
        if os.lstat(here).st_ino == os.lstat(there).st_ino:
            return
        os.unlink(here)
    except FileNotFoundError:
        pass
    os.link(there, here, follow_symlinks=False)


TEXT = 'Documentation/virt/kvm/x86/tdx-mistakes.rst'
# In the document, what is between these two is made of the lists.
FIRST, LAST = '.. The table begins, made of scripts/mistakes\n', '.. The table ends\n'
# The lists in the order of the document, and what they are about.
AREAS = {'mmu': 'The TDP MMU and its seam', 'mmu-more': 'More of the MMU, and guest_memfd',
         'large': 'Pages of 2 MiB, and the folios behind them',
         'sept': 'The backend of the MMU', 'backend': 'The backend of KVM, and the host',
         'module-memory': 'The software module: memory, keys, TDs',
         'module-guest': 'The software module: vCPUs, guests, entry'}


def table():
    """All mistakes, for the documentation: by place, with the test if that wants VMX."""
    lines = []
    for area, title in AREAS.items():
        lines += [title, '-' * len(title), '', '::', '']
        place = None
        for entry in read_list(os.path.join(LISTS, f'{area}.list')):
            if place != (entry.path, entry.function):
                place = (entry.path, entry.function)
                lines.append(f'  {entry.path}, {entry.function}()')
            vmx = entry.glob.partition('bochs:')[2]
            lines.append(f'  {entry.number:>5}  {entry.rule:<6}  {entry.what}'
                         f'{f" [{vmx}]" if vmx else ""}')
        lines.append('')
    return '\n'.join(lines)


def check_places(wrong):
    """Those that the tree's functions no longer have a place for."""
    for entry in read():
        try:
            mutate(source(entry.path), [entry])
        except (Fail, OSError) as reason:
            wrong.append(f'scripts/mistakes: {reason}')


def check():
    """Lists that don't fit the tree, and a document that doesn't fit the lists."""
    wrong = [f'scripts/mistakes/{name} is in no area of mistakes.py' for name in
             os.listdir(LISTS) if name.removesuffix('.list') not in AREAS]
    check_places(wrong)
    with open(os.path.join(TOP, TEXT)) as file:
        text = file.read()
    start, end = text.index(FIRST) + len(FIRST), text.index(LAST)
    have = text[start:end].strip('\n').split('\n')
    want = table().strip('\n').split('\n')
    different = [line for line in want if line not in have] + \
        [line for line in have if line not in want]
    if have != want:
        wrong.append(f'{TEXT}: not what "scripts/mutants table" writes: '
                     f'"{(different or ["the order"])[0].strip()}"')
    return wrong


def write_table():
    path = os.path.join(TOP, TEXT)
    with open(path) as file:
        text = file.read()
    with open(path, 'w') as file:
        file.write(text[:text.index(FIRST)] + FIRST + '\n' + table() + '\n' +
                   text[text.index(LAST):])
