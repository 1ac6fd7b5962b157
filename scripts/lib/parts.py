# What "make vmm" takes from Debian: packages, of other releases than the machine's, too,
# which are unpacked below build/parts by apt, signatures checked, and never installed.
import glob
import os
import re
import shutil
import subprocess

from lib.common import Fail, LOGS, OUT, last_error, say, short
from lib.locks import alone

HOME = os.path.join(OUT, 'parts')


class Part:
    """Packages that belong together: suites that have them, the first one's the best.

    knob: what somebody gives instead who can't get them.
    """

    def __init__(self, name, suites, packages, knob):
        self.name, self.suites, self.packages, self.knob = name, suites, packages, knob
        self.root = os.path.join(HOME, name)

    def key(self):
        return f'{" ".join(self.suites)}: {" ".join(self.packages)}\n'

    def is_there(self):
        try:
            with open(f'{self.root}.made') as file:
                return file.read() == self.key()
        except FileNotFoundError:
            return False

    def instead(self):
        """What somebody can do who doesn't get it."""
        return f'; or name your own with {self.knob}=' if self.knob else ''

    def preference(self):
        """Backports are taken when asked for alone, unlike a release's updates."""
        backports = [suite for suite in self.suites if suite.endswith('-backports')]
        return [f'--aptopt=APT::Default-Release "{suite}"' for suite in backports]

    def unpack(self):
        """The folder that has them unpacked."""
        if not self.is_there():
            with alone('parts', 'a fetch of packages'):
                # Somebody else may have done it meanwhile.
                if not self.is_there():
                    self.fetch()
        return self.root

    def fetch(self):
        log = os.path.join(LOGS, f'parts-{self.name}.log')
        os.makedirs(HOME, exist_ok=True)
        shutil.rmtree(self.root, ignore_errors=True)
        say(f'  $ mmdebstrap --variant=extract --include={",".join(self.packages)} '
            f'{self.suites[0]} {short(self.root)} > {short(log)}')
        # Without root, and with nothing of theirs being run.
        args = ['mmdebstrap', '--mode=chrootless', '--variant=extract',
                '--aptopt=APT::Install-Recommends "false"', *self.preference(),
                f'--include={",".join(self.packages)}', self.suites[-1], self.root, '-']
        with open(log, 'w') as file:
            done = subprocess.run(args, input=sources(self.suites), stdout=file, stderr=file,
                                  text=True)
        if done.returncode:
            raise Fail(f'no {" ".join(self.packages)} from Debian\'s {self.suites[0]}: '
                       f'{reason(log)} (log {short(log)}){self.instead()}')
        merge_usr(self.root)
        with open(f'{self.root}.made', 'w') as file:
            file.write(self.key())

    def file(self, pattern):
        """The one file of it that a pattern names."""
        found = sorted(glob.glob(os.path.join(self.unpack(), pattern)))
        if not found:
            raise Fail(f'{" ".join(self.packages)} of Debian\'s {self.suites[0]} has no '
                       f'/{pattern}{self.instead()}')
        return found[-1]

    def program(self, *args):
        """The command that runs one of its Python programs with its own interpreter."""
        return [*loader(self.unpack()), self.file('usr/bin/python3.*[0-9]'), *args]

    def environment(self):
        return dict(os.environ, PYTHONHOME=os.path.join(self.root, 'usr'))


def reason(log):
    """apt's words for what went wrong, without the names of hosts."""
    with open(log, errors='replace') as file:
        lines = [line.strip() for line in file if line.startswith('E: ')]
    return re.sub(r'\w+://\S+', '...', lines[0] if lines else last_error(log))


def merge_usr(root):
    """The links that base-files makes when it is installed."""
    for name in ('bin', 'lib', 'lib64', 'sbin'):
        path = os.path.join(root, name)
        if not os.path.lexists(path) and os.path.isdir(os.path.join(root, 'usr', name)):
            os.symlink(f'usr/{name}', path)


def loader(root):
    """What starts a program of an unpacked root with the libraries of that root."""
    return [os.path.join(root, 'usr/lib64/ld-linux-x86-64.so.2'), '--library-path',
            os.path.join(root, 'usr/lib/x86_64-linux-gnu')]


def mirrors(indexes, here):
    """Archive ('' or '-security') -> where this machine's apt has it from."""
    found = {}
    for line in indexes.splitlines():
        uri, release, component = line.split()
        if component == 'main' and release in (here, f'{here}-security'):
            found.setdefault(release[len(here):], uri)
    return found


def sources(suites):
    """Lines for apt: the suites, from the mirrors that this machine uses."""
    done = subprocess.run(['apt-get', 'indextargets', '--format',
                           '$(REPO_URI) $(RELEASE) $(COMPONENT)', 'Created-By: Packages'],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    with open('/etc/os-release') as file:
        here = re.search(r'^VERSION_CODENAME=(\w+)', file.read(), re.M)
    found = mirrors(done.stdout, here.group(1) if here else '')
    if '' not in found:
        raise Fail('apt has no source that names its own release, from which to get others')
    lines = []
    for suite in suites:
        uri = found.get('-security' if suite.endswith('-security') else '')
        # A release in the making is no place for updates that someone could withhold.
        option = '[check-valid-until=no] ' if suite == TESTING else ''
        lines += [f'deb {option}{uri} {suite} main\n'] if uri else []
    return ''.join(lines)


TESTING = 'forky'
QEMU = Part('qemu', ('trixie-backports', 'trixie'), ['qemu-system-x86', 'qemu-utils'], 'QEMU')
FIRMWARE = Part('firmware', (TESTING,), ['ovmf-inteltdx'], 'FIRMWARE')
# That has the tool which takes the keys of Secure Boot out of a firmware's variables.
TOOLS = Part('virt-firmware', ('trixie',), ['python3-virt-firmware'], 'FIRMWARE')
KERNEL = Part('kernel', ('trixie', 'trixie-security'), ['linux-image-cloud-amd64'], 'KERNEL')
