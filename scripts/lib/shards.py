# Machines that share tests out: each runs its part of the list in an emulator, and is
# followed by another one if a test brings it down.
import os
import threading
import time

from lib.common import Fail, JOBS, LOGS, OUT, SLOWER, say, short
from lib import kernel_log
from lib import machine
from lib import memory
from lib import testlist
from lib.testlist import Verdict

# A machine that one test brings down costs the others nothing; a broken kernel ends.
MOST_BOOTS = 5


class Shard:
    """Tests that share a machine, and a fresh one after each that ended its own.

    pack() gets the machine and the entries that it is to run, makes its initramfs and
    returns parameters for its kernel.
    """

    def __init__(self, place, kind, name, entries, kernel, pack):
        self.place, self.kind, self.name, self.entries = place, kind, name, entries
        self.kernel, self.pack = kernel, pack
        self.limits = {entry.test: entry.seconds * SLOWER for entry in entries}
        self.tap, self.bad, self.errors, self.boots = [], [], [], 0
        self.flags = set()

    def go(self):
        left = self.entries
        try:
            while left and self.boots < MOST_BOOTS:
                self.boots += 1
                left = Boot(self, left).go()
            if left:
                self.errors.append(f'{self.name}: gave up after {MOST_BOOTS} machines')
        except (Fail, OSError) as reason:
            self.errors.append(str(reason))


class Boot:
    """One machine, from power-on to its end."""

    def __init__(self, shard, entries):
        self.shard, self.place, self.entries = shard, shard.place, entries
        again = f'-{shard.boots}' if shard.boots > 1 else ''
        self.log = os.path.join(LOGS, f'{shard.name}{again}.log')
        self.machine = machine.Machine(shard.kind, os.path.join(OUT, 'run', shard.name),
                                       shard.kernel, self.log)
        self.lines, self.current, self.started = [], None, time.time()
        self.finished, self.bad = False, ''

    def watch(self, line):
        self.lines.append(line)
        bad = kernel_log.bad_lines([line])
        if bad and not self.bad:
            self.bad = f'kernel log in {self.current or "boot"}: {bad[0]} ({short(self.log)})'
        self.shard.flags |= kernel_log.cpu_flags([line])
        line = kernel_log.strip_stamp(line)
        if line == '# end':
            self.finished = True
            return 60
        if line.startswith('# begin '):
            self.current, self.started = line[8:], time.time()
            return self.shard.limits.get(self.current, 60) + 30
        if self.current and line.startswith(('ok ', 'not ok ')):
            self.shard.tap.append(line)
            self.tell(line)
        elif line.startswith('# ') and testlist.RESULT.match(line[2:]):
            self.shard.tap.append('    ' + line[2:])
        return None

    def tell(self, line):
        seconds = time.time() - self.started
        say(f'  {self.place}: {line.split(None, 2 if line[0] == "o" else 3)[-1]}: '
            f'{"FAIL" if line[0] == "n" else "skip" if "# SKIP" in line else "ok"} '
            f'({seconds:.0f} s)')

    def go(self):
        """Run the tests; return those that are left when the machine ended early."""
        parameters = self.shard.pack(self.machine, self.entries)
        error = self.machine.run(self.watch, parameters, self.show)
        if self.bad:
            self.shard.bad.append(self.bad)
        if self.finished and not error:
            return []
        return self.fallen(error)

    def fallen(self, error):
        """The machine ended or hung: a failure of the test that ran, and its alone."""
        words = kernel_log.last_words(self.lines)
        why = f'{error}: {words}' if error else f'machine ended: {words}'
        names = [entry.test for entry in self.entries]
        if self.current not in names or self.finished:
            where = 'at power-off' if self.finished else 'during boot'
            self.shard.errors.append(f'{where}: {why}, log {short(self.log)}')
            return []
        line = f'not ok 0 {self.current} # {why}, log {short(self.log)}'
        self.shard.tap.append(line)
        self.tell(line)
        return self.entries[names.index(self.current) + 1:]

    def show(self, args):
        say(f'  $ {args[0]} ({len(self.entries)} tests) > {short(self.log)}')


def deal(entries, count):
    """Share tests out by their time limits, the longest first."""
    hands = [[] for _ in range(min(count, len(entries)))]
    for entry in sorted(entries, key=lambda e: -e.seconds):
        min(hands, key=lambda hand: sum(e.seconds for e in hand)).append(entry)
    return hands


def number(kind, megs=None):
    """Bochs is slow, and takes one CPU: as many as there are CPUs and memory for.

    megs: MiB of a machine that isn't the usual one of its kind.
    """
    if kind != 'bochs':
        return 1
    beside = int(os.environ.get('BESIDE') or 0)
    count = memory.affordable(kind, JOBS, beside, memory.available(), megs)
    if count < JOBS:
        say(f'NOTE {kind}: {JOBS} CPUs, and memory for {count} of its machines')
    return count


def run(shards):
    """Run them side by side; their results, what failed of the machines, their CPU's flags."""
    threads = [threading.Thread(target=shard.go, daemon=True) for shard in shards]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.5)
    found = [leaf for shard in shards for leaf in testlist.leaves(shard.tap)]
    fallen = [Verdict(shard.name, 'fail', text) for shard in shards
              for text in shard.bad + shard.errors]
    return found, fallen, set().union(*(shard.flags for shard in shards))
