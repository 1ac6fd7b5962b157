# Wrong input of "make vmm" and "make vmm-test": each is refused before anything is fetched
# or built. And what is said where nothing can be fetched.
import os

from lib.fake import make, path_with, scratch, script

# Of the machine's Debian, whatever that is.
MIRROR = '. /etc/os-release; echo "http://mirror.invalid $VERSION_CODENAME main"'


def refused(goal, **knobs):
    """The answer where only knobs are given; a path in it is a file with that content."""
    args = []
    for name, value in knobs.items():
        if isinstance(value, bytes):
            content, value = value, os.path.join(scratch(), name.lower())
            with open(value, 'wb') as file:
                file.write(content)
        args.append(f'{name}={value}')
    return make(goal, *args)


def unfetched(name, *args, tool='echo "E: no such thing" >&2; exit 1', sources=MIRROR):
    """A script's answer where mmdebstrap does this, and apt names these sources."""
    return script(name, *args, O=scratch(), PATH=path_with(mmdebstrap=tool, apt_get=sources))


KNOBS = [
    ('CPUS=0; it is a number from 1 to 8', {'CPUS': '0'}),
    ('CPUS=two; it is a number', {'CPUS': 'two'}),
    ('CPUS=2G; it is a number', {'CPUS': '2G'}),
    ('MEM=64; it is a number from 128 to 2048 of MiB', {'MEM': '64'}),
    ('MEM=4G; it is a number', {'MEM': '4G'}),
    ('MEM=lots; it is a number', {'MEM': 'lots'}),
    *((f'{name}=/no/such: there is no such file', {name: '/no/such'})
      for name in ('KERNEL', 'INITRD', 'FIRMWARE', 'DISK')),
    ('DISK=/dev: there is no such file', {'DISK': '/dev'}),
    ('QEMU=/no/such: there is no such folder', {'QEMU': '/no/such'}),
    ('QEMU=/dev: there is no usr/bin/qemu-system-x86_64 in it', {'QEMU': '/dev'}),
    ('is no bzImage', {'KERNEL': b'kernel'}),
    ('has no TDX metadata', {'FIRMWARE': b'firmware' * 4096}),
    ('its size is no multiple of 512', {'DISK': b'disk'}),
    ('belong to a kernel, and the one on DISK= has its own',
     {'DISK': bytes(512), 'APPEND': 'quiet'}),
    ('QEMU_ARGS: No closing quotation', {'QEMU_ARGS': '-name "td'}),
    ('SECURE_BOOT=maybe; it is on or off', {'SECURE_BOOT': 'maybe'}),
    ('SHELL=1 wants a terminal', {'SHELL': '1'}),
    ('vmm does not run on MACHINE=qemu', {'MACHINE': 'qemu'}),
]

TEST_KNOBS = [
    ('TEST=nothing names no test', {'TEST': 'nothing'}),
    ('FIRMWARE=/no/such: there is no such file', {'FIRMWARE': '/no/such'}),
    ('has no TDX metadata', {'FIRMWARE': b'firmware' * 4096}),
    ('QEMU=/no/such: there is no such folder', {'QEMU': '/no/such'}),
    ('vmm-test does not run on MACHINE=qemu', {'MACHINE': 'qemu'}),
]

CASES = [
    *((f'{goal}: {" ".join(knobs)}: {text}', text,
       lambda goal=goal, knobs=knobs: refused(goal, **knobs))
      for goal, cases in (('vmm', KNOBS), ('vmm-test', TEST_KNOBS)) for text, knobs in cases),
    ('disk: no package', 'FAIL disk: no system of Debian\'s trixie: E: no such thing',
     lambda: unfetched('disk')),
    ('disk: apt without sources', 'apt has no source', lambda: unfetched('disk', sources='')),
    ('vmm-fetch: no package', 'FAIL vmm-fetch: ', lambda: unfetched('vmm-test', 'fetch')),
    ('vmm-fetch: apt without sources', 'apt has no source',
     lambda: unfetched('vmm-test', 'fetch', sources='')),
]
