# The keys in a firmware's variables: without them any kernel starts, with Microsoft's and
# Debian's what either has signed.
import base64
import os
import struct
import subprocess

from lib.common import Fail, LOGS, run
from lib import parts

# With these gone Secure Boot is off.
KEYS = ('PK', 'KEK', 'db', 'dbx')
# Debian's certificate is in its shim, which has no other use for "make vmm": shim wants a
# section .sbat of what it starts, and no kernel of Debian's has one.
BOOT = parts.Part('boot', ('trixie',), ['shim-signed', 'grub-efi-amd64-signed'], 'DISK')
SHIM = 'usr/lib/shim/shimx64.efi.signed'
SECTION = '.vendor_cert'
# Whose a key is, of which nobody makes use; this is what shim calls itself.
OWNER = '605dab50-e046-4300-abb6-3dd810dd8b23'


def change(firmware, copy, *args):
    """A copy of a firmware with other variables."""
    tools = parts.TOOLS
    run(tools.program(tools.file('usr/bin/virt-fw-vars'), '--input', firmware, '--output', copy,
                      *args), os.path.join(LOGS, 'vmm-firmware.log'), env=tools.environment(),
        quiet=True)
    return copy


def without_keys(firmware, copy):
    return change(firmware, copy, *(word for key in KEYS for word in ('--delete', key)))


def certificate(shim, copy):
    """The certificate of who built a shim, as PEM."""
    done = subprocess.run(['objcopy', '-O', 'binary', '-j', SECTION, shim, copy],
                          capture_output=True, text=True)
    if done.returncode:
        raise Fail(f'objcopy: {done.stderr.strip()}')
    with open(copy, 'rb') as file:
        section = file.read()
    # The sizes of what is allowed and of what is not, then where they are.
    size, _, start, _ = struct.unpack_from('<4I', section)
    text = base64.encodebytes(section[start:start + size]).decode()
    with open(copy, 'w') as file:
        file.write(f'-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n')
    return copy


def with_debians_key(firmware, copy):
    """Besides Microsoft's, which are there."""
    pem = certificate(BOOT.file(SHIM), f'{copy}.pem')
    return change(firmware, copy, '--add-db', OWNER, pem)
