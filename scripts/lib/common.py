# Common ground of the Python scripts: paths, knobs, commands, verdicts.
import contextlib
import ctypes
import importlib.machinery
import importlib.util
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def knob(name, default=''):
    return os.environ.get(name) or default


OUT = os.path.abspath(knob('O', os.path.join(TOP, 'build')))
LOGS = os.path.join(OUT, 'logs')
TREE = os.path.join(OUT, 'linux')
IMAGE = os.path.join(OUT, 'image')
BZIMAGE = 'arch/x86/boot/bzImage'
VERBOSE = knob('V') == '1'
JOBS = len(os.sched_getaffinity(0))

# The kernel's Makefiles and git read some of these names as their own.
FOREIGN = ('O', 'V', 'W', 'C', 'BASE', 'MACHINE', 'CPU', 'CHECK', 'TEST', 'MAKEFLAGS', 'MFLAGS',
           'MAKELEVEL', 'MAKEOVERRIDES', 'ARCH', 'CROSS_COMPILE', 'DEBUG',
           'KERNEL', 'INITRD', 'APPEND', 'DISK', 'CPUS', 'MEM', 'QEMU_ARGS', 'FIRMWARE', 'QEMU',
           'TERMINAL', 'SECURE_BOOT', 'GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_PREFIX')
KNOBS = {name: os.environ.get(name, '') for name in FOREIGN}
for _name in FOREIGN:
    os.environ.pop(_name, None)
os.environ.update(LC_ALL='C', PYTHONDONTWRITEBYTECODE='1')


# DEBUG=1: the machines boot the image with expensive checks, and are slower by this.
DEBUG = KNOBS['DEBUG'] == '1'
DEBUG_IMAGE = os.path.join(OUT, 'image-debug')
SLOWER = 10 if DEBUG else 1


class Fail(Exception):
    """Ends a target with one line."""


class Skip(Exception):
    """Ends a target that has nothing to do."""


def say(text):
    print(text, flush=True)


def short(path):
    rel = os.path.relpath(path, os.getcwd())
    return path if rel.startswith('../..') else rel


LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def die_with_parent():
    """Run in a child: it ends when the script does, however that ends."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def disk_full(path=OUT):
    while not os.path.exists(path):
        path = os.path.dirname(path)
    stat = os.statvfs(path)
    # /proc and the like have no blocks at all.
    if not stat.f_blocks:
        return False
    return stat.f_bavail * stat.f_frsize < 8 << 20 or stat.f_files and not stat.f_favail


def last_error(log):
    """The line of a log that a person wants to see first."""
    with open(log, errors='replace') as file:
        lines = [line.strip() for line in file if line.strip()]
    for line in lines:
        if 'error:' in line or 'No space left' in line or 'fatal:' in line:
            return line
    for line in reversed(lines):
        if not line.startswith('make'):
            return line
    return 'no output'


def run(args, log, cwd=None, env=None, quiet=False, beside=None):
    """Show a command, run it into a log, raise Fail with its first error.

    beside() gets the child, in a thread of its own, and has to return when that ends.
    """
    os.makedirs(os.path.dirname(log), exist_ok=True)
    if not quiet:
        where = f'(cd {short(cwd)}) ' if cwd else ''
        say(f'  $ {where}{shlex.join(args)} > {short(log)}')
    with open(log, 'w') as file:
        child = subprocess.Popen(args, cwd=cwd, env=dict(os.environ, **(env or {})),
                                 stdin=subprocess.DEVNULL, start_new_session=True,
                                 stdout=subprocess.PIPE if VERBOSE else file,
                                 stderr=subprocess.STDOUT, text=True, errors='replace',
                                 preexec_fn=die_with_parent)
        try:
            if beside:
                threading.Thread(target=beside, args=(child,), daemon=True).start()
            if VERBOSE:
                for line in child.stdout:
                    file.write(line)
                    sys.stdout.write(line)
            child.wait()
        finally:
            end_group(child)
    if child.returncode:
        raise Fail(f'{last_error(log)} (log {short(log)})')


def end_group(child):
    """Leave nothing of a child's session behind."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
            child.wait(5)
        except (ProcessLookupError, PermissionError):
            break
        except subprocess.TimeoutExpired:
            continue
    child.wait()


def git(*args, cwd=TREE, check=True, env=None, data=None):
    """git without the user's configuration, so that results are everywhere the same."""
    settings = dict(os.environ, GIT_CONFIG_GLOBAL='/dev/null', GIT_CONFIG_NOSYSTEM='1',
                    GIT_TERMINAL_PROMPT='0', **(env or {}))
    done = subprocess.run(['git', '-c', 'gc.auto=0', '-c', 'core.compression=1',
                           '-c', 'advice.detachedHead=false', *args],
                          cwd=cwd, env=settings, input=data, capture_output=True,
                          text=True, errors='surrogateescape')
    if check and done.returncode:
        detail = (done.stderr or done.stdout).strip().splitlines()
        raise Fail(f'git {args[0]}: {detail[-1] if detail else "failed"}')
    return done if not check else done.stdout


def compiler():
    return 'ccache gcc' if shutil.which('ccache') else 'gcc'


def kbuild(obj, *goals, tree=TREE, **variables):
    """The command line of a kernel make in the object directory obj."""
    extra = [f'{name}={value}' for name, value in variables.items()]
    for name in ('V', 'W', 'C'):
        if KNOBS[name]:
            extra.append(f'{name}={KNOBS[name]}')
    # ccache wraps gcc only; sparse's checker needs no wrapper.
    return ['make', '-C', tree, f'O={obj}', f'-j{JOBS}', f'CC={compiler()}', *extra, *goals]


BUILD_ENV = {'CCACHE_BASEDIR': OUT, 'CCACHE_NOHASHDIR': '1',
             'KBUILD_BUILD_TIMESTAMP': 'Thu Jan  1 00:00:00 UTC 1970',
             'KBUILD_BUILD_USER': 'tdx', 'KBUILD_BUILD_HOST': 'build'}


def check_knobs():
    """Values that would be taken for another, and paths that Makefiles refuse later."""
    for path in (TOP, OUT):
        if re.search(r'[\s:]', path):
            raise Fail(f'"{path}" has a blank or a colon in it, and cannot be built in')
    if os.path.lexists(OUT) and not os.path.isdir(OUT):
        raise Fail(f'O={OUT} is no folder')
    for name in ('CHECK', 'DEBUG', 'MOVER'):
        value = KNOBS.get(name) or knob(name)
        if value not in ('', '0', '1'):
            raise Fail(f'{name}={value}; it is 1 or left out')


def target(name, body, lock=contextlib.nullcontext()):
    """Run a target's body, under a lock, and end in one PASS, FAIL or SKIP line."""
    def stop(signum, frame):
        raise KeyboardInterrupt
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    start = time.time()
    try:
        check_knobs()
        with lock:
            detail = body() or ''
        verdict, code = 'PASS', 0
    except Skip as reason:
        verdict, detail, code = 'SKIP', str(reason), 0
    except Fail as reason:
        verdict, detail, code = 'FAIL', str(reason), 1
    except KeyboardInterrupt:
        verdict, detail, code = 'FAIL', 'interrupted', 130
    except (OSError, subprocess.SubprocessError) as error:
        verdict, detail, code = 'FAIL', str(error), 1
    except Exception as error:
        traceback.print_exc()
        verdict, detail, code = 'FAIL', f'a mistake in scripts/: {error!r}', 1
    if code == 1 and disk_full():
        detail = f'no space left on the disk that holds {OUT}'
    seconds = f' ({time.time() - start:.0f} s)' if code == 0 else ''
    say(f'{verdict} {name}{": " if detail else ""}{detail}{seconds}')
    sys.exit(code)


def load(name):
    """A sibling script, which has no suffix, as a module."""
    path = os.path.join(TOP, 'scripts', name)
    loader = importlib.machinery.SourceFileLoader(name, path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def start(*args, stdout=None, **env):
    """Start a script of this project with the knobs that this one was given, or others."""
    return subprocess.Popen([os.path.join(TOP, 'scripts', args[0]), *args[1:]],
                            env={**os.environ, **KNOBS, 'O': OUT, **env}, stdout=stdout,
                            stdin=subprocess.DEVNULL, start_new_session=True,
                            preexec_fn=die_with_parent)


def scripts(commands, **env):
    """Run scripts side by side; name -> exit status. Ends all that it started."""
    children = {name: start(*args, **env) for name, args in commands.items()}
    try:
        return {name: child.wait() for name, child in children.items()}
    finally:
        for child in children.values():
            end_group(child)


def build_kernel():
    """The tree and the image, for targets that need both and more."""
    for name in ('tree', 'kernel'):
        if scripts({name: [name]})[name]:
            raise Fail(f'no {name}')
