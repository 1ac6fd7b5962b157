# A line a minute, so that a long build does not look like a hang.
import contextlib
import os
import threading
import time

from lib.common import say

PERIOD = 60


def built(folder, since):
    """How many objects in a folder are newer."""
    count = 0
    for where, _, names in os.walk(folder):
        for name in names:
            if name.endswith('.o'):
                with contextlib.suppress(FileNotFoundError):
                    count += os.stat(os.path.join(where, name)).st_mtime >= since
    return count


def tell(what, folder, stop):
    start = time.time()
    while not stop.wait(PERIOD):
        say(f'  ... building {what} for {(time.time() - start) / 60:.0f} min, '
            f'{built(folder, start)} files so far')


@contextlib.contextmanager
def building(what, folder):
    stop = threading.Event()
    teller = threading.Thread(target=tell, args=(what, folder, stop), daemon=True)
    teller.start()
    try:
        yield
    finally:
        stop.set()
        teller.join()
