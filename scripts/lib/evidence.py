# What a guest says of itself, against what is computed here from the files it started with.
import hashlib
import re

from lib.common import Fail, say
from lib import eventlog
from lib import tdvf

# Lines of the guest with the event log.
EVENTS = 'CCEL '


def find(lines, pattern):
    """What a pattern has in brackets, in the first of the guest's lines that it fits."""
    for line in lines:
        found = re.search(pattern, line)
        if found:
            return found.group(1)
    raise Fail(f'the guest has not shown {pattern.split("(")[0].split()[-1]}')


def show_same(name, found, want, origin):
    if found != want:
        raise Fail(f'{name} is {found}, and {want} {origin}')
    say(f'  {name} is what it has to be {origin}')


def line_digest(line):
    """What the kernel's EFI stub measures: UTF-16, what the firmware puts first, the end."""
    return hashlib.sha384(f'initrd=initrd {line}\0'.encode('utf-16-le')).digest()


def digest(path, measure=lambda data: hashlib.sha384(data).digest()):
    with open(path, 'rb') as file:
        return measure(file.read())


def check(lines, guest):
    """Compare what the guest says of itself with what is computed here."""
    with open(guest.firmware, 'rb') as file:
        firmware = file.read()
    show_same('MRTD', find(lines, r'init: MRTD +(\w+)'), tdvf.mrtd(firmware),
              'by the firmware')
    log = ''.join(re.findall(rf'^{EVENTS}(\w+)$', '\n'.join(lines), re.M))
    events = eventlog.parse(bytes.fromhex(log))
    for number, want in enumerate(eventlog.replay(events)):
        show_same(f'RTMR{number}', find(lines, rf'init: RTMR{number} +(\w+)'), want,
                  'by the event log')
    measured = {entry.digest for entry in events}
    for name, want in (('the firmware\'s variables',
                        hashlib.sha384(tdvf.variables(firmware)).digest()),
                       ('the kernel', digest(guest.kernel, eventlog.pe_digest)),
                       ('the command line', line_digest(guest.line)),
                       ('the initramfs', digest(guest.initrd))):
        if want not in measured:
            raise Fail(f'the event log lacks {name}: {want.hex()}')
        say(f'  the event log has {name}')
