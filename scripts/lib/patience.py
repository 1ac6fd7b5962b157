# How long an emulated machine may take, in seconds of its own: those in which its
# emulator runs, or sleeps because there is nothing to do for it. That the emulator waits
# for a CPU, or is stopped, is no fault of the machine's: the clock stands still. So a
# test that hangs is found, however busy the host, and no other one is taken for it.
import collections
import os
import time

# Readings less apart than this say little, and cost.
PERIOD = 1
# A guest that waits for ever is idle: no word and no work for so long. No test sleeps for
# more than a second.
MOST_IDLE = 60
# Ticks of a guest's timer and the like aren't work.
IDLE_SHARE = 0.1

TICKS = os.sysconf('SC_CLK_TCK')

# A thread: its state, the seconds that it ran, and that it waited for a CPU.
Task = collections.namedtuple('Task', 'state ran waited')


def stat(folder):
    """The fields from the third on; the second is a name that may have blanks."""
    with open(os.path.join(folder, 'stat')) as file:
        return file.read().rpartition(')')[2].split()


def read_task(folder):
    """Kernels without schedstat don't tell how long a thread waited."""
    fields = stat(folder)
    try:
        with open(os.path.join(folder, 'schedstat')) as file:
            ran, waited = (int(number) / 1e9 for number in file.read().split()[:2])
    except FileNotFoundError:
        ran, waited = (int(fields[11]) + int(fields[12])) / TICKS, 0
    return Task(fields[0], ran, waited)


def processes(session):
    """The processes that belong to a session."""
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            if int(stat(f'/proc/{pid}')[3]) == session:
                yield int(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue


def read(session):
    """The threads of a session by their numbers."""
    tasks = {}
    for pid in processes(session):
        try:
            for tid in os.listdir(f'/proc/{pid}/task'):
                tasks[tid] = read_task(f'/proc/{pid}/task/{tid}')
        except (FileNotFoundError, ProcessLookupError):
            continue
    return {tid: task for tid, task in tasks.items() if task.state not in 'ZX'}


def own_time(elapsed, before, now):
    """What of the elapsed seconds a thread ran or, by its own choice, slept."""
    ran = now.ran - before.ran
    if now.state == 'S':
        return max(ran, elapsed - (now.waited - before.waited))
    # The others want to run, are stopped, or wait for the host's disk.
    return ran


class Patience:
    """The clock of a machine, whose processes are a session, and its limits."""

    def __init__(self, session, seconds, pace=1, clock=time.monotonic, read=read):
        """pace: how many times longer than usual this emulator takes for the same."""
        self.session, self.pace, self.clock, self.read = session, pace, clock, read
        self.own = self.idle = 0
        self.limit = seconds
        self.time, self.tasks = clock(), read(session)

    def heard(self, seconds):
        """The machine spoke; it has that many seconds from now, or those that it had."""
        self.idle = 0
        if seconds is not None:
            self.limit = self.own + seconds

    def look(self):
        now = self.clock()
        elapsed = now - self.time
        if elapsed < PERIOD:
            return
        tasks = self.read(self.session)
        pairs = [(self.tasks[tid], task) for tid, task in tasks.items() if tid in self.tasks]
        # All may depend on the one that is kept waiting most.
        own = min((own_time(elapsed, *pair) for pair in pairs), default=elapsed)
        ran = max((task.ran - before.ran for before, task in pairs), default=0)
        self.own += own / self.pace
        self.idle = self.idle + own if ran <= IDLE_SHARE * own else 0
        self.time, self.tasks = now, tasks

    def lost(self):
        """'' or why there is no hope left for the machine."""
        self.look()
        if self.own > self.limit:
            return 'hung; stopped at the time limit'
        if self.idle > MOST_IDLE:
            return f'hung; idle for {MOST_IDLE} s'
        return ''


# A machine with a limit of 100 s: what it is like; in each second the state of its threads,
# and how long they run and wait, as the kernel tells; the seconds between two lines of
# its log, if any, and the limit that each of them sets; when it is lost, if it is within
# an hour, and why.
IDLER = ('S', 0, 0)
LIVES = (
    ('spins', [('R', 1, 0)], None, None, 101, 'limit'),
    ('spins, and says so', [('R', 1, 0)], 30, None, 101, 'limit'),
    ('spins in a thread', [IDLER, ('R', 1, 0)], None, None, 101, 'limit'),
    ('spins on a busy host', [('R', 0.25, 0.75)], None, None, 401, 'limit'),
    ('waits for a CPU, of which is told once it has one', [('R', 0.25, 0)], None, None, 401,
     'limit'),
    ('slept after a longer wait', [('S', 0.25, 2)], None, None, 401, 'limit'),
    ('spins on a very busy host', [('R', 0.0625, 0.9375)], None, None, 1601, 'limit'),
    ('works on such a host', [('R', 0.01, 0.99)], None, None, None, ''),
    ('works there in a thread', [IDLER, ('R', 0.01, 0.99), IDLER], None, None, None, ''),
    ('was awake there, and hardly ran', [('S', 0.01, 0.99)], None, None, None, ''),
    ('may not run at all', [('R', 0, 1)], None, None, None, ''),
    ('is stopped', [('T', 0, 0), ('T', 0, 0)], None, None, None, ''),
    ('waits for the disk', [('D', 0, 0)], None, None, None, ''),
    ('sleeps', [IDLER, IDLER], None, None, 61, 'idle'),
    ('sleeps on a busy host', [IDLER, ('S', 0.02, 0.5)], None, None, 121, 'idle'),
    ('sleeps but for its timer', [IDLER, ('S', 0.02, 0)], None, None, 61, 'idle'),
    ('sleeps, and says so', [IDLER], 30, None, 101, 'limit'),
    ('gets on', [('S', 0.5, 0)], 90, 100, None, ''),
    ('got on too late', [('S', 0.5, 0)], 110, 100, 101, 'limit'),
    ('has to be faster', [('R', 1, 0)], 50, 20, 70, 'limit'),
    ('works a little', [('S', 0.25, 0)], None, None, 101, 'limit'),
    ('has ended', [], None, None, 61, 'idle'),
)


def live(threads, pause, seconds):
    """The second in which a machine is lost, and why."""
    now = 0

    def reading(session):
        return {number: Task(state, now * ran, now * waited)
                for number, (state, ran, waited) in enumerate(threads)}

    patience = Patience(0, 100, clock=lambda: now, read=reading)
    for now in range(1, 3600):
        if pause and now % pause == 0:
            patience.heard(seconds)
        why = patience.lost()
        if why:
            return now, why
    return None, ''


def check():
    """Machines that are given up wrongly, or at another time."""
    wrong = []
    for name, *life, when, why in LIVES:
        got = live(*life)
        if got[0] != when or why not in got[1]:
            wrong.append(f'a machine that {name}: lost at {got}, want {when}, "{why}"')
    return wrong
