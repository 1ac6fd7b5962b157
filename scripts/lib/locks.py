# Who is at work in the build directory, so that runs side by side don't share logs and
# machines: a lock for each target, held as long as its script lives.
import contextlib
import fcntl
import glob
import os

from lib.common import Fail, LOGS, OUT, say, short


def path(what):
    return os.path.join(OUT, f'.{what}.lock')


def holder(file):
    """Whoever holds a lock has written who that is."""
    file.seek(0)
    return file.read().strip() or 'another run'


def take(file, what, wait):
    """Lock a file; say whom that waits for, or fail."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if not wait:
            raise Fail(f'{holder(file)} is at work in {short(OUT)}')
        say(f'  ... waiting for {holder(file)}, which has {short(path(what))}')
        fcntl.flock(file, fcntl.LOCK_EX)


@contextlib.contextmanager
def alone(what, name='', wait=True):
    """Keep others of this project from the same work meanwhile."""
    try:
        os.makedirs(LOGS, exist_ok=True)
        file = open(path(what), 'a+')
    except OSError as error:
        raise Fail(f'cannot write to {short(OUT)}: {error.strerror}')
    with file:
        take(file, what, wait)
        file.truncate(0)
        file.write(f'{name or "make " + what} (process {os.getpid()})\n')
        file.flush()
        yield


@contextlib.contextmanager
def all_alone(name):
    """Keep all others out of the build directory, or fail."""
    with contextlib.ExitStack() as stack:
        for file in sorted(glob.glob(path('*'))):
            what = os.path.basename(file)[1:-len('.lock')]
            stack.enter_context(alone(what, name, wait=False))
        yield
