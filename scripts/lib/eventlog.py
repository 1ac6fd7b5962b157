# The event log of a TD's firmware and kernel (the area of the ACPI table CCEL, in the
# format of the TCG), and the run-time registers (RTMRs) that it gives.
import collections
import hashlib
import struct

from lib.common import Fail

SHA384 = 0xc
DIGEST = 48
SIZES = {0x4: 20, 0xb: 32, SHA384: DIGEST, 0xd: 64, 0x12: 32}
RTMRS = 4
# EV_NO_ACTION: not measured.
NO_ACTION = 3

Event = collections.namedtuple('Event', 'register kind digest data')


class Reader:
    def __init__(self, blob):
        self.blob, self.at = blob, 0

    def take(self, size):
        part = self.blob[self.at:self.at + size]
        if len(part) < size:
            raise Fail('the event log ends in the middle of an event')
        self.at += size
        return part

    def number(self, form='<I'):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]


def event(reader):
    register, kind = reader.number(), reader.number()
    digests = {}
    for _ in range(reader.number()):
        name = reader.number('<H')
        if name not in SIZES:
            raise Fail(f'the event log has digests of an unknown kind, {name:#x}')
        digests[name] = reader.take(SIZES[name])
    return Event(register, kind, digests.get(SHA384), reader.take(reader.number()))


def parse(blob):
    """The events, without the first, which is about the log and has a form of its own."""
    reader = Reader(blob)
    reader.take(4 + 4 + 20)
    reader.take(reader.number())
    found = []
    while reader.at < len(blob):
        found.append(event(reader))
    return found


def replay(events):
    """RTMR0 to RTMR3 in hexadecimal digits; registers of the log count from 1."""
    values = [bytes(DIGEST)] * RTMRS
    for entry in events:
        if entry.kind == NO_ACTION or not 1 <= entry.register <= RTMRS:
            continue
        if entry.digest is None:
            raise Fail('an event has no digest of SHA-384')
        values[entry.register - 1] = \
            hashlib.sha384(values[entry.register - 1] + entry.digest).digest()
    return [value.hex() for value in values]


def pe_digest(image):
    """The Authenticode digest of a PE image: what UEFI measures of it, a kernel's too."""
    try:
        pe, = struct.unpack_from('<I', image, 0x3c)
        magic, = struct.unpack_from('<H', image, pe + 24)
        checksum = pe + 24 + 64
        directory = pe + 24 + (128 if magic == 0x10b else 144)
        start, size = struct.unpack_from('<II', image, directory)
    except struct.error:
        raise Fail('it is no PE image')
    if image[pe:pe + 4] != b'PE\0\0':
        raise Fail('it is no PE image')
    end = start if start and size else len(image)
    digest = hashlib.sha384(image[:checksum] + image[checksum + 4:directory] +
                            image[directory + 8:end])
    # Certificates stand at the end; what isn't 8-byte aligned is measured padded.
    digest.update(bytes(-end % 8))
    return digest.digest()
