# A TDX firmware (TDVF): what of it a VMM puts where, and the MRTD that this gives.
import collections
import hashlib
import struct
import uuid

from lib.common import Fail

FOOTER = uuid.UUID('96b582de-1fb2-45f7-baea-a366c55a082d').bytes_le
OFFSET = uuid.UUID('e47a6535-984a-4798-865e-4685a7bf8ec2').bytes_le
# From the end of the file: the footer's GUID, and before it its length.
FOOTER_END = 0x20
GUID_SIZE = 16
EXTEND = 1
BFV, CFV = 0, 1
PAGE, CHUNK = 4096, 256

Section = collections.namedtuple('Section', 'offset raw gpa size kind attributes')


def entries(blob):
    """GUID -> data, of the table that ends in the footer, entry by entry downwards."""
    end = len(blob) - FOOTER_END
    if blob[end - GUID_SIZE:end] != FOOTER:
        return {}
    length, = struct.unpack_from('<H', blob, end - GUID_SIZE - 2)
    first, found = end - length, {}
    end -= GUID_SIZE + 2
    while end > first:
        guid = blob[end - GUID_SIZE:end]
        length, = struct.unpack_from('<H', blob, end - GUID_SIZE - 2)
        if length < GUID_SIZE + 2:
            break
        found[guid] = blob[end - length:end - GUID_SIZE - 2]
        end -= length
    return found


def sections(blob):
    found = entries(blob).get(OFFSET)
    if not found:
        raise Fail('the firmware has no TDX metadata: it is none for TDs')
    at = len(blob) - struct.unpack('<I', found)[0]
    if at < 0 or blob[at:at + 4] != b'TDVF':
        raise Fail('the firmware names TDX metadata that are not there')
    count, = struct.unpack_from('<I', blob, at + 12)
    return [Section(*struct.unpack_from('<IIQQII', blob, at + 16 + 32 * number))
            for number in range(count)]


def block(name, gpa):
    """What goes into MRTD for an operation on a page, or a part of one."""
    return struct.pack('<16sQ104x', name, gpa)


def measure(section, blob):
    """The bytes that adding a section puts into MRTD, in the module's order."""
    data = blob[section.offset:section.offset + section.raw].ljust(section.size, b'\0')
    for page in range(0, section.size, PAGE):
        yield block(b'MEM.PAGE.ADD', section.gpa + page)
        if not section.attributes & EXTEND:
            continue
        for at in range(page, page + PAGE, CHUNK):
            yield block(b'MR.EXTEND', section.gpa + at)
            yield data[at:at + CHUNK]


def mrtd(blob):
    """The MRTD of a TD that starts with this firmware, in hexadecimal digits."""
    digest = hashlib.sha384()
    for section in sections(blob):
        for part in measure(section, blob):
            digest.update(part)
    return digest.hexdigest()


def variables(blob):
    """The volume with the variables, which the firmware measures itself."""
    return b''.join(blob[section.offset:section.offset + section.raw]
                    for section in sections(blob) if section.kind == CFV)
