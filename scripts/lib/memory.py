# How many machines the host's memory is enough for.
import os

CGROUP = '/sys/fs/cgroup'
# MiB of each kind, and what its emulator takes on top of that for itself.
MACHINES = {'kunit': 2048, 'qemu': 3072, 'kvm': 3072, 'bochs': 1024}
EMULATOR = 256


def number(path):
    """What is in a file of a cgroup in MiB; None if there is no such limit or file."""
    try:
        with open(os.path.join(CGROUP, path)) as file:
            return int(file.read()) >> 20
    except (OSError, ValueError):
        return None


def meminfo():
    with open('/proc/meminfo') as file:
        return int(next(line for line in file if line.startswith('MemAvailable')).split()[1]) >> 10


def available(host=meminfo, cgroup=number):
    """MiB that more machines may take: of the host's, and of a container's."""
    most, used = cgroup('memory.max'), cgroup('memory.current')
    return host() if most is None or used is None else min(host(), max(most - used, 0))


def needs(kind):
    return MACHINES[kind] + EMULATOR


def affordable(kind, most, beside, free, megs=None):
    """Machines of a kind that fit beside others, which take their MiB, but at least one.

    megs: what each of them has, if that isn't what is usual for the kind.
    """
    return max(1, min(most, (free - beside) // (needs(kind) if megs is None else megs + EMULATOR)))


# Free MiB, those for others, machines at most, and how many of Bochs are right.
CASES = ((32768, 0, 2, 2), (32768, 0, 64, 25), (6144, 5120, 2, 1), (8192, 5632, 2, 2),
         (4096, 0, 64, 3), (512, 0, 8, 1), (1024, 5120, 8, 1))


def check():
    """Numbers of machines that are wrong."""
    wrong = [f'{free} MiB of memory, {beside} of them for others: {got} machines, want {want}'
             for free, beside, most, want in CASES
             for got in [affordable('bochs', most, beside, free)] if got != want]
    limits = {'memory.max': 4096, 'memory.current': 1024}
    for cgroup, want in ((limits.get, 3072), ({}.get, 8192)):
        got = available(lambda: 8192, cgroup)
        if got != want:
            wrong.append(f'available memory: {got} MiB, want {want}')
    return wrong
