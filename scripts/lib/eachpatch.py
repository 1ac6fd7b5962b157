# Each patch of the mail-ready series builds: what it and its files touch is compiled after
# each of them, in a tree of its own. For "make series CHECK=1".
import os
import re
import shutil
import time

from lib.common import (BUILD_ENV, Fail, JOBS, LOGS, OUT, TREE, compiler, git, kbuild, load, run, say,
                    short)
from lib import kconfig
from lib.progress import building

ROOM = os.path.join(OUT, 'check')
SIDE, OBJ, PROGRAMS = (os.path.join(ROOM, name) for name in ('linux', 'obj', 'selftests'))
# Built as a whole, as far as something in there has changed, headers included.
FOLDERS = ('arch/x86/kvm/', 'arch/x86/virt/')
SELFTESTS = 'tools/testing/selftests/kvm/'
# Nothing there is compiled.
TEXTS = ('Documentation/', 'MAINTAINERS')


def checkout(commit):
    """Bring the side tree to a commit; only files that differ become newer."""
    if not os.path.exists(os.path.join(SIDE, '.git')):
        shutil.rmtree(SIDE, ignore_errors=True)
        git('worktree', 'prune')
        say(f'  $ git worktree add {short(SIDE)}')
        git('worktree', 'add', '-q', '--detach', SIDE, commit)
    git('checkout', '-q', '--force', '--detach', commit, cwd=SIDE)


def touched(commit):
    return git('diff', '--name-only', f'{commit}^', commit).splitlines()


def objects(paths):
    """The C files of the kernel outside of what is built as a whole."""
    return sorted(path[:-2] + '.o' for path in paths if path.endswith('.c')
                  and not path.startswith((*FOLDERS, 'tools/', 'virt/'))
                  and os.path.exists(os.path.join(SIDE, path)))


def build_kernel(paths, log):
    # An option that a later patch brings is no mistake here.
    kconfig.configure(OBJ, [load('lint').lint_config()], tree=SIDE, whole=False)
    run(kbuild(OBJ, *FOLDERS, *objects(paths), tree=SIDE), log, env=BUILD_ENV, quiet=True)


def selftests(paths):
    """What of the selftests is in their Makefile: programs, and objects of the library."""
    with open(os.path.join(SIDE, SELFTESTS, 'Makefile')) as file:
        named = set(re.findall(r'[\w./-]+', file.read()))
    for path in sorted(paths):
        name = path.removeprefix(SELFTESTS)
        if name == path or not name.endswith('.c'):
            continue
        if name in named:
            yield os.path.join(PROGRAMS, name[:-2] + '.o')
        elif name[:-2] in named:
            yield os.path.join(PROGRAMS, name[:-2])


def build_selftests(paths, log):
    run(kbuild(OBJ, 'headers', tree=SIDE), log, env=BUILD_ENV, quiet=True)
    goals = list(selftests(paths))
    if goals:
        os.makedirs(PROGRAMS, exist_ok=True)
        run(['make', '-C', os.path.join(SIDE, SELFTESTS), f'-j{JOBS}', f'OUTPUT={PROGRAMS}',
             f'CC={compiler()}', f'KHDR_INCLUDES=-isystem {OBJ}/usr/include', *goals], log,
            env={**BUILD_ENV, 'LDFLAGS': '-static'}, quiet=True)


def build(new, paths):
    """Compile what depends on the new files, and of those so far what they may break."""
    if any(not path.startswith((*TEXTS, 'tools/')) for path in new):
        build_kernel(paths, os.path.join(LOGS, 'check-kernel.log'))
    if any(path.startswith((SELFTESTS, 'include/', 'arch/x86/include/')) for path in new):
        build_selftests(paths, os.path.join(LOGS, 'check-selftests.log'))


def check(head):
    """Build after each commit from the base to head."""
    os.makedirs(ROOM, exist_ok=True)
    commits = git('rev-list', '--reverse', f'base..{head}').split()
    # What a header breaks may be in a file that a later patch edits.
    paths = {path for path in git('diff', '--name-only', 'base', head).splitlines()
             if os.path.exists(os.path.join(TREE, path))}
    for number, commit in enumerate(commits, 1):
        start, subject = time.time(), git('log', '-1', '--format=%s', commit).strip()
        checkout(commit)
        with building(f'after {number:04}', ROOM):
            try:
                build(touched(commit), paths)
            except Fail as reason:
                raise Fail(f'{number:04} "{subject}" does not build: {reason}')
        say(f'  {number:04}/{len(commits):04} {subject} ({time.time() - start:.0f} s)')
