# Kernel sources: those that "base" names, those that apt offers, and what a folder holds.
import os
import re
import subprocess

from lib.common import Fail, TOP


# The words of the file "base", and what their values look like.
WORDS = {'package': r'[a-z0-9.+-]+', 'version': r'6\.12\.\d+(-\S+)?', 'since': r'6\.12\.\d+'}


class Base:
    """The file "base": the package, its versions that were tested, the oldest release."""

    def __init__(self):
        found = {word: [] for word in WORDS}
        with open(os.path.join(TOP, 'base')) as file:
            for line in file:
                if not line.strip() or line.startswith('#'):
                    continue
                word, *values = line.split()
                if word not in WORDS or not re.fullmatch(WORDS[word], ' '.join(values)):
                    raise Fail(f'base: "{line.strip()}" is none of "package <name>", "version '
                               f'6.12.<y>-<revision>", "since 6.12.<y>"')
                found[word] += values
        for word, values in found.items():
            if not values or word != 'version' and len(values) > 1:
                raise Fail(f'base: {len(values)} lines "{word} ..."')
        self.versions, self.package, self.since = \
            found['version'], *found['package'], *found['since']

    def kernels(self):
        """x.y.z of the tested versions, each once."""
        return list(dict.fromkeys(kernel(version) for version in self.versions))

    def advice(self):
        """How to get a source that the series is tested with."""
        offered = offers(self.package)
        for version in self.versions:
            if version in offered:
                return f'install one that it is tested with, "apt-get install ' \
                       f'{self.package}={version}", or name one with BASE='
        return f'name the tarball or the folder of a tested one, Linux ' \
               f'{" or ".join(self.kernels())}, with BASE='


def kernel(version):
    """6.12.117-1~deb12u1 -> 6.12.117"""
    return version.split('-')[0]


def number(release):
    """6.12.117 -> (6, 12, 117), to compare"""
    return tuple(int(part) for part in release.split('.'))


def offers(package):
    """The versions of a package that apt knows where to get, the newest first."""
    try:
        done = subprocess.run(['apt-cache', 'madison', package], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        return []
    return list(dict.fromkeys(line.split('|')[1].strip() for line in done.stdout.splitlines()
                              if line.count('|') >= 2))


def release(folder):
    """The x.y.z of a kernel source folder."""
    try:
        with open(os.path.join(folder, 'Makefile')) as file:
            head = file.read(2000)
    except OSError:
        raise Fail(f'{folder} is not a kernel source: it has no Makefile')
    numbers = [re.search(rf'^{name} = (\d+)$', head, re.M)
               for name in ('VERSION', 'PATCHLEVEL', 'SUBLEVEL')]
    if not all(numbers):
        raise Fail(f'{folder} is not a kernel source: its Makefile names no version')
    return '.'.join(found.group(1) for found in numbers)
