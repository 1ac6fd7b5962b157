# What tests of wrong input have in common: a scratch folder, scripts of the project run
# in it, commands and sources that are fakes.
import os
import shutil
import subprocess
import tempfile

from lib.common import OUT, TOP
from lib import sources

SCRATCH = os.path.join(OUT, 'badinput')


def scratch():
    return tempfile.mkdtemp(dir=SCRATCH)


def answer(*command, **env):
    """(status, FAIL lines) of a command."""
    done = subprocess.run(command, env={**os.environ, **env}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors='replace', cwd=TOP)
    lines = (done.stdout + done.stderr).splitlines()
    return done.returncode, [line for line in lines if line.startswith('FAIL ')]


def make(*args, path=None, out=SCRATCH):
    """The answer of a make with a build directory of its own."""
    return answer('make', '--no-print-directory', f'O={out}', *args,
                  **({'PATH': path} if path else {}))


def script(name, *args, **env):
    """The same of a script."""
    return answer(os.path.join(TOP, 'scripts', name), *args, **{'O': SCRATCH, **env})


def python(code, *args, **env):
    """The same of a piece of Python that may import the project's."""
    code = f'import sys; sys.path.insert(0, {os.path.join(TOP, "scripts")!r})\n{code}'
    return answer('python3', '-c', code, *args, **{'O': SCRATCH, **env})


def project(name='project', edits=None):
    """A copy of the project, in which some files have another text: path -> text."""
    copy = os.path.join(scratch(), name)
    for part in ('scripts', 'patches'):
        shutil.copytree(os.path.join(TOP, part), os.path.join(copy, part))
    for part in ('Makefile', 'base'):
        shutil.copy(os.path.join(TOP, part), copy)
    for path, text in (edits or {}).items():
        with open(os.path.join(copy, path), 'w') as file:
            file.write(text)
    return copy


def base(version):
    """A folder that looks like Linux version, with none of its files."""
    folder = scratch()
    with open(os.path.join(folder, 'Makefile'), 'w') as file:
        for name, value in zip(('VERSION', 'PATCHLEVEL', 'SUBLEVEL'), version.split('.')):
            file.write(f'{name} = {value}\n')
    return folder


def path_without(*commands):
    """A PATH with everything but the named commands."""
    folder = scratch()
    for place in os.environ['PATH'].split(':'):
        if os.path.isdir(place):
            for name in os.listdir(place):
                link = os.path.join(folder, name)
                if name not in commands and not os.path.lexists(link):
                    os.symlink(os.path.join(place, name), link)
    return folder


def path_with(**commands):
    """A PATH where the named commands are shell scripts; "_" stands for a hyphen."""
    folder = scratch()
    for name, text in commands.items():
        path = os.path.join(folder, name.replace('_', '-'))
        with open(path, 'w') as file:
            file.write(f'#!/bin/sh\n{text}\n')
        os.chmod(path, 0o755)
    return f'{folder}:{os.environ["PATH"]}'


def offers(*versions):
    """What apt-cache does where apt has these versions of the base."""
    package = sources.Base().package
    return '\n'.join(['exit 0', *(f'echo " {package} | {version} | somewhere"'
                                  for version in versions)][bool(versions):])


def offering(*versions, **commands):
    return path_with(apt_cache=offers(*versions), **commands)
