# What scripts make of what apt offers, with an apt that is a fake.
import os
import subprocess

from lib import fake
from lib import sources

BASE = sources.Base()
FIRST, LAST = (f'{BASE.package}={version}' for version in (BASE.versions[0], BASE.versions[-1]))
NOT_ROOT = {'id': 'echo 1000', 'sudo': 'exit 1'}


def deps(*groups, path, files=None, **env):
    """scripts/deps where no file is there but those of a folder."""
    return fake.script('deps', 'test', *groups, PATH=path, TDX_FILES=files or fake.scratch(), **env)


def chosen(*versions):
    """What a user without root is told to install, where apt offers these versions."""
    return deps('base', path=fake.offering(*versions, **NOT_ROOT))


def installed(apt_get, *versions):
    """The same as root, with an apt-get that does this."""
    return deps('base', path=fake.offering(*versions, id='echo 0', apt_get=apt_get))


def calls(pattern, versions, otherwise=''):
    """How often that calls apt-get like this; FAIL stands in front of the number."""
    count = os.path.join(fake.scratch(), 'count')
    installed(f'case "$*" in {pattern}) echo >>{count} ;; *) {otherwise or ":"} ;; esac', *versions)
    lines = []
    if os.path.exists(count):
        with open(count) as file:
            lines = file.readlines()
    return 1, [f'FAIL {len(lines)} calls']


def busybox(*flags):
    """With a busybox of its own, linked so."""
    files = fake.scratch()
    os.makedirs(os.path.join(files, 'bin'))
    subprocess.run(['gcc', '-x', 'c', '-', '-o', os.path.join(files, 'bin/busybox'), *flags],
                   input='int main(void) { return 0; }', text=True, check=True)
    return deps('guest', path=fake.path_with(cpio='', gzip='', **NOT_ROOT), files=files)


def debian(goal, path, *args):
    return fake.make(goal, *args, path=path)


def root_with(**commands):
    """A PATH of somebody who may do everything, and whose commands do nothing."""
    return fake.path_with(**{'id': 'echo 0', 'mmdebstrap': 'exit 1', 'apt_get': '', **commands})


CASES = [
    ('deps: both tested bases offered', f' {FIRST}', lambda: chosen('6.12.200-1', *BASE.versions)),
    ('deps: ... in another order', f' {FIRST}', lambda: chosen(*reversed(BASE.versions))),
    ('deps: only the last tested one offered', f' {LAST}',
     lambda: chosen('6.12.200-1', BASE.versions[-1])),
    ('deps: a version that begins like a tested one', f' {BASE.package}',
     lambda: exactly(f' {BASE.package}', chosen(f'{BASE.versions[0]}0'))),
    ('deps: none of them offered', f' {BASE.package}',
     lambda: exactly(f' {BASE.package}', chosen('6.12.200-1'))),
    ('deps: nothing offered', f' {BASE.package}', lambda: exactly(f' {BASE.package}', chosen())),
    ('deps: no apt', f'what Debian calls {BASE.package}',
     lambda: deps('base', path=fake.path_without('apt-get'))),
    ('deps: apt fails', 'could not install', lambda: installed('exit 1', *BASE.versions)),
    ('deps: apt does nothing', 'still missing', lambda: installed('exit 0', *BASE.versions)),
    ('deps: no update where a tested base is offered', 'FAIL 0 ',
     lambda: calls('*update*', BASE.versions)),
    ('deps: an update where none is', 'FAIL 1 ', lambda: calls('*update*', ['6.12.200-1'])),
    ('deps: no wait where no other apt is at work', 'FAIL 0 ',
     lambda: calls('*Timeout=600*', BASE.versions)),
    ('deps: a wait where one is', 'FAIL 1 ',
     lambda: calls('*Timeout=600*', BASE.versions, 'echo E: Could not get lock; exit 100')),
    ('deps: busybox with shared libraries', 'busybox-static', busybox),
    ('deps: static busybox', 'nothing missing', lambda: none(busybox('-static'))),
    ('deps: BASE=', 'nothing missing',
     lambda: none(deps('base', path=fake.offering(), BASE='/b'))),
    ('bases: no such folder', 'BASES: /no/such does not exist',
     lambda: fake.make('bases', 'BASES=/no/such', path=fake.offering())),
    ('bases: none to try', 'apt offers no source of Linux 6.12.y',
     lambda: fake.make('bases', path=fake.offering())),
    ('bases: other kernels only', 'apt offers no source of Linux 6.12.y',
     lambda: fake.make('bases', path=fake.offering('6.1.5-1'))),
    ('bases: no kernel', 'FAIL bases: tmp',
     lambda: fake.make('bases', f'BASES={fake.scratch()}', path=fake.offering())),
    ('bases: another kernel', 'FAIL bases: tmp',
     lambda: fake.make('bases', f'BASES={fake.base("6.1.5")}', path=fake.offering())),
    ('bases: cannot be downloaded', 'FAIL bases: 6.12.200-1',
     lambda: fake.make('bases', path=fake.offering('6.12.200-1', apt_get='exit 1'))),
    *((f'{goal}: {name}', words, lambda goal=goal, args=args, commands=commands:
       debian(goal, root_with(**commands), *args))
      for goal in ('debian12', 'debian13') for name, words, args, commands in (
          ('not root', 'takes root', (), {'id': 'echo 1000'}),
          ('no tarball', 'BASE=/no/such is not a tarball', ('BASE=/no/such',), {}),
          ('a folder', 'BASE=/usr is not a tarball', ('BASE=/usr',), {}),
          ('unknown goal', 'no goal "rnu"', ('GOALS=run rnu',), {}),
          ('apt without sources', 'apt has no source', (), {}),
          ('mirror that fails', 'mmdebstrap', (), {
              'apt_get': '. /etc/os-release; echo "http://mirror.invalid $VERSION_CODENAME main"'
          }))),
]


def exactly(end, got):
    """An answer whose line ends so."""
    return got[0], [line for line in got[1] if line.endswith(end)]


def none(got):
    return (1, ['FAIL nothing missing']) if got == (0, []) else got
