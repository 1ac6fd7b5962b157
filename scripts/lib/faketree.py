# Trees that are small, and look to scripts like those of "make tree": with work in them
# that must not get lost.
import os
import shutil
import subprocess

from lib.common import git, load
from lib import fake
from lib.overlay import KCONFIG
from lib.work import APPLIED, NEXT, digest

WHO = {f'GIT_{who}_{what}': 'nobody' for who in ('AUTHOR', 'COMMITTER')
       for what in ('NAME', 'EMAIL')}


def write(tree, name, text):
    path = os.path.join(tree, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as file:
        file.write(text)


def commit(tree, name):
    write(tree, name, f'{name}\n')
    git('add', name, cwd=tree)
    git('commit', '-q', '-m', name, cwd=tree, env=WHO)


def make(out):
    """A build directory whose tree holds nothing of its own."""
    tree = os.path.join(out, 'linux')
    os.makedirs(tree)
    git('init', '-q', '-b', 'tdx', cwd=tree)
    write(tree, '.gitignore', '*.ignored\n')
    git('add', '.gitignore', cwd=tree)
    commit(tree, 'Makefile')
    git('tag', 'base', cwd=tree)
    commit(tree, 'patched')
    git('update-ref', APPLIED, 'HEAD', cwd=tree)
    write(tree, '.git/info/exclude', f'/{KCONFIG}\n')
    write(tree, KCONFIG, 'as it was copied\n')
    write(tree, '.git/tdx-overlay', f'{digest(os.path.join(tree, KCONFIG))} {KCONFIG}\n')
    write(tree, '.git/tdx-base', 'another base')
    return tree


def branch(tree):
    git('checkout', '-q', '-b', 'mine', cwd=tree)
    commit(tree, 'work')
    git('checkout', '-q', 'tdx', cwd=tree)


def tag(tree):
    branch(tree)
    git('tag', 'kept', 'mine', cwd=tree)
    git('branch', '-q', '-D', 'mine', cwd=tree)


def stash(tree):
    write(tree, 'patched', 'edited\n')
    git('stash', '-q', cwd=tree, env=WHO)


def moved_head(tree):
    """The series' branch has a commit, and HEAD is not on it."""
    commit(tree, 'work')
    git('checkout', '-q', '--detach', APPLIED, cwd=tree)


def older_head(tree):
    git('checkout', '-q', '--detach', 'base', cwd=tree)


def rebase(tree):
    os.makedirs(os.path.join(tree, '.git/rebase-merge'))


def work_tree(tree):
    git('worktree', 'add', '-q', '--detach', os.path.join(tree, '../elsewhere'), cwd=tree)


# What somebody has done in a tree, and the words that name it.
WORK = (
    ('edited file', lambda tree: write(tree, 'patched', 'edited\n'),
     'uncommitted changes (patched)'),
    ('new file', lambda tree: write(tree, 'new', ''), 'uncommitted changes (new)'),
    ('commit', lambda tree: commit(tree, 'work'), 'commits that are not in the series'),
    ('commit, HEAD elsewhere', moved_head, 'commits that are not in the series'),
    ('older commit', older_head, 'an older commit than the last'),
    ('rebase', rebase, 'a rebase in progress'),
    ('other branch', branch, 'the branch mine'),
    ('tag', tag, 'the tag kept'),
    ('stash', stash, 'a stash'),
    ('edited copy', lambda tree: write(tree, KCONFIG, 'edited\n'),
     f"an edited copy of the overlay's {KCONFIG}"),
    ('ignored file', lambda tree: write(tree, 'notes.ignored', ''), 'the file notes.ignored'),
    ('work tree', work_tree, 'elsewhere'),
)


def files(folder):
    """All files of a folder, but locks and logs; none if it is gone."""
    if not os.path.isdir(folder):
        return []
    listed = subprocess.run(['find', '.', '-type', 'f', '-not', '-name', '.*.lock',
                             '-not', '-path', './logs/*', '-not', '-name', 'index'],
                            cwd=folder, capture_output=True, text=True).stdout
    return sorted((name, digest(os.path.join(folder, name))) for name in listed.split())


def content(out):
    """All files of a build directory, and all references."""
    tree = os.path.join(out, 'linux')
    refs = os.path.isdir(tree) and git('for-each-ref', cwd=tree, check=False).stdout
    return files(out), refs


def stranger(out):
    """Somebody's own folder of Linux, in a build directory that is theirs, too."""
    os.makedirs(out)
    write(out, 'linux/notes', 'mine\n')
    write(out, 'logs/notes', 'mine\n')


def kept(goal, prepare):
    """A make that must not lose anything of a build directory which prepare() fills."""
    out = os.path.join(fake.scratch(), 'out')
    prepare(out)
    before = content(out)
    code, lines = fake.make(goal, 'BASE=' + fake.base('6.12.1'), out=out)
    return code, lines if content(out) == before else lines + ['and something is lost']


def keeping(goal, do):
    return kept(goal, lambda out: do(make(out)))


def renamed(do):
    """A tree that somebody has renamed, with work in it, beside a new one."""
    def prepare(out):
        do(make(out))
        os.rename(os.path.join(out, 'linux'), os.path.join(out, 'linux.old'))
        make(out)
    return prepare


def old_kept():
    """A new tree does not take the place of one that somebody has renamed."""
    out = os.path.join(fake.scratch(), 'out')
    renamed(lambda tree: commit(tree, 'work'))(out)
    before = files(os.path.join(out, 'linux.old'))
    code, lines = fake.make('tree', 'BASE=' + fake.base('6.12.1'), out=out)
    lost = not before or files(os.path.join(out, 'linux.old')) != before
    return code, lines + ['and something is lost'] * lost


def exported(do):
    """An export that must change nothing, neither in the tree nor in the patches."""
    out, copy = os.path.join(fake.scratch(), 'out'), fake.project()
    tree = make(out)
    write(tree, '.git/tdx-stamp', load('tree').stamp('another base'))
    do(tree)
    before = files(out), files(copy)
    code, lines = fake.answer(os.path.join(copy, 'scripts/export'), O=out)
    return code, lines + ['and something changed'] * ((files(out), files(copy)) != before)


# What an export refuses, and the words that name it.
NOT_EXPORTED = (
    ('older commit', older_head, 'linux is not on its branch; git -C'),
    ('other branch', lambda tree: git('checkout', '-q', '-b', 'mine', cwd=tree),
     'linux is not on its branch; git -C'),
    ('no base', lambda tree: git('tag', '-d', 'base', cwd=tree), 'lost its tag "base"'),
    ('edited file', lambda tree: write(tree, 'patched', 'edited\n'),
     'uncommitted changes (patched); commit first'),
    ('no tree', shutil.rmtree, 'run "make tree"'),
)


def in_part(tree):
    """A tree as an end amid its removal leaves it."""
    os.rename(tree, f'{tree}.gone')
    os.unlink(f'{tree}.gone/.git/HEAD')


def removed(do=lambda tree: None):
    """Without any work in it a tree does go; FAIL stands in front of that."""
    out = os.path.join(fake.scratch(), 'out')
    do(make(out))
    code, lines = fake.make('mrproper', out=out)
    return (1, ['FAIL gone']) if code == 0 and not os.path.exists(out) else (code, lines)


def half_applied():
    """The series was being applied anew, and the tree is between the two."""
    out = os.path.join(fake.scratch(), 'out')
    tree = make(out)
    commit(tree, 'applied')
    git('update-ref', NEXT, 'HEAD', cwd=tree)
    return fake.make('tree', 'BASE=' + fake.base('6.12.1'), out=out)


def replaced():
    """... and does not keep another base out."""
    out = os.path.join(fake.scratch(), 'out')
    make(out)
    return fake.make('tree', 'BASE=' + fake.base('6.12.1'), out=out)


# The overlay is copied twice; the first time ends in the middle of a file.
INTERRUPTED = '''
import os
from lib import common, work
tree = common.load('tree')
whole, left = tree.shutil.copyfile, 3
def copy(source, target):
    global left
    left -= 1
    if not left:
        with open(source) as file, open(target, 'w') as part:
            part.write(file.read()[:10])
        raise KeyboardInterrupt
    return whole(source, target)
tree.shutil.copyfile = copy
try:
    tree.overlay()
except KeyboardInterrupt:
    pass
def body():
    number, changed = tree.overlay()
    files = tree.new_files()
    wrong = [path for path, source in files.items() if tree.digest(os.path.join(common.TREE, path))
             != tree.digest(os.path.join(common.TOP, source))]
    raise common.Fail(f'{wrong}' if wrong or changed != number - 2 else 'all copied')
common.target('tree', body)
'''


def interrupted():
    out = os.path.join(fake.scratch(), 'out')
    tree = make(out)
    os.unlink(os.path.join(tree, KCONFIG))
    write(tree, '.git/tdx-overlay', '')
    return fake.python(INTERRUPTED, O=out)


CASES = [
    ('tree without work', 'gone', removed),
    ('tree that was being removed', 'gone', lambda: removed(in_part)),
    ('renamed tree, make tree', 'of Linux 6.12.1; ', old_kept),
    *((f'renamed tree, {name}, make mrproper', f'linux.old holds {words}',
       lambda do=do: kept('mrproper', renamed(do)))
      for name, do, words in WORK if name in ('edited file', 'commit', 'stash', 'ignored file')),
    ("renamed tree, somebody's own folder", 'linux.old was not made by "make tree"',
     lambda: kept('mrproper', lambda out: (make(out), write(out, 'linux.old/notes', '')))),
    *((f'{name}, make export', words, lambda do=do: exported(do))
      for name, do, words in NOT_EXPORTED),
    ('tree without work, another base', 'of Linux 6.12.1; ', replaced),
    ('series applied in part', 'of Linux 6.12.1; ', half_applied),
    *((f'{name}, make {goal}', words, lambda goal=goal, do=do: keeping(goal, do))
      for name, do, words in WORK for goal in ('tree', 'mrproper')),
    *((f"somebody's own folder, make {goal}", words,
       lambda goal=goal: kept(goal, stranger))
      for goal, words in (('tree', 'was not made by "make tree"'), ('clean', 'no build directory'),
                          ('mrproper', 'no build directory'))),
    ('overlay copied in part', 'all copied', interrupted),
]
