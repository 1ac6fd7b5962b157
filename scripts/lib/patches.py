# The series: its file, its patches, its commits in the tree.
import contextlib
import os
import re
import shutil

from lib.common import Fail, OUT, TOP, TREE, git, short

PATCHES = os.path.join(TOP, 'patches')


def series():
    """Names of the patches, in order."""
    with open(os.path.join(PATCHES, 'series')) as file:
        lines = [line.split('#')[0].strip() for line in file]
    return [line for line in lines if line]


def commits():
    """The commits that are, or become, the series."""
    if not git('tag', '-l', 'base'):
        raise Fail(f'{short(TREE)} has lost its tag "base"; give that to its oldest commit')
    return git('rev-list', '--reverse', 'base..HEAD').split()


def patched_files(text):
    return sorted(set(re.findall(r'^diff --git a/(\S+) b/', text, re.M)))


@contextlib.contextmanager
def side_tree(paths):
    """A work tree at the base, with none but these files in it."""
    side = os.path.join(OUT, 'am')
    git('worktree', 'remove', '--force', side, check=False)
    shutil.rmtree(side, ignore_errors=True)
    git('worktree', 'prune')
    git('worktree', 'add', '-q', '--no-checkout', '--detach', side, 'base')
    try:
        git('sparse-checkout', 'set', '--no-cone', '--stdin', cwd=side,
            data=''.join(f'/{path}\n' for path in paths) or '/COPYING\n')
        git('checkout', '-q', '--detach', 'base', cwd=side)
        yield side
    finally:
        git('worktree', 'remove', '--force', side, check=False)
