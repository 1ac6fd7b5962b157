# The serial port of a guest in a machine: a pseudo-terminal here, which the machine has as
# its second port; its lines, what is typed, and a person's terminal in place of these.
import contextlib
import os
import re
import select
import sys
import termios
import threading
import tty

from lib.common import Fail

# Control-]: the way out of a guest that doesn't end.
ESCAPE = b'\x1d'


def check_terminal():
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise Fail('SHELL=1 wants a terminal, for input and output')


# What moves the cursor, sets the terminal up, or can't be seen.
CONTROL = re.compile(r'\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[\[(][0-9;?=!]*[A-Za-z]|\x1b[78=>cM]|'
                     r'[\x00-\x08\x0b-\x1f\x7f]')


def plain(text):
    """A console's output without what moves the cursor."""
    return CONTROL.sub('', text)


class Console:
    """show() gets each line, in a thread; None: all goes to the terminal as it comes."""

    def __init__(self, show, answers=()):
        """answers: pairs of a pattern and what is typed when the output ends like that."""
        self.show, self.text, self.shown, self.heard = show, '', 0, False
        self.answers = list(answers)
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)
        self.over, self.wake = os.pipe()
        self.lock = threading.Lock()

    def __enter__(self):
        self.thread = threading.Thread(target=self.relay, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        os.write(self.wake, b'.')
        self.thread.join()
        for fd in (self.master, self.slave, self.over, self.wake):
            os.close(fd)

    def sources(self):
        return [self.master, self.over]

    def relay(self):
        while True:
            ready, _, _ = select.select(self.sources(), [], [])
            if self.master in ready:
                self.output(os.read(self.master, 4096))
            elif self.over in ready:
                return
            else:
                self.input()

    def output(self, data):
        with self.lock:
            self.text += data.decode(errors='replace')
            self.heard = True
            *lines, _ = self.text[self.shown:].split('\n')
            self.shown += sum(len(line) + 1 for line in lines)
        for line in lines:
            self.show(plain(line).rstrip())
        for pattern, answer in self.answers[:1]:
            if re.search(pattern, plain(self.text[self.shown:])):
                self.answers.pop(0)
                self.type(answer)

    def spoke(self):
        """Whether there was output since the last question."""
        heard, self.heard = self.heard, False
        return heard

    def type(self, text):
        os.write(self.master, text.encode())


class Terminal(Console):
    """The terminal of whoever runs the script is the guest's."""

    def __init__(self, escape):
        """escape() is called, in a thread, when the person wants to end it."""
        super().__init__(None)
        self.escape, self.typing = escape, True

    def __enter__(self):
        self.before = termios.tcgetattr(0)
        mode = termios.tcgetattr(0)
        # What is printed by others still begins on the left.
        mode[0] &= ~(termios.ICRNL | termios.IXON)
        mode[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
        termios.tcsetattr(0, termios.TCSADRAIN, mode)
        return super().__enter__()

    def __exit__(self, *_):
        super().__exit__()
        with contextlib.suppress(termios.error):
            termios.tcsetattr(0, termios.TCSADRAIN, self.before)

    def sources(self):
        return [self.master, *([0] if self.typing else []), self.over]

    def output(self, data):
        with contextlib.suppress(OSError):
            os.write(1, data)

    def input(self):
        """A terminal that is gone ends it, too."""
        typed = b''
        with contextlib.suppress(OSError):
            typed = os.read(0, 4096)
        self.typing = bool(typed) and ESCAPE not in typed
        if self.typing:
            os.write(self.master, typed)
        else:
            self.escape()

    def spoke(self):
        """A person may take their time."""
        return True
