# Wrong input of "make vmm": each is refused before anything is fetched or built.
import os

from lib.fake import make, scratch


def refused(**knobs):
    """The answer where only knobs are given; a path in it is a file with that content."""
    args = []
    for name, value in knobs.items():
        if isinstance(value, bytes):
            content, value = value, os.path.join(scratch(), name.lower())
            with open(value, 'wb') as file:
                file.write(content)
        args.append(f'{name}={value}')
    return make('vmm', *args)


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

CASES = [(f'vmm: {" ".join(knobs)}: {text}', text, lambda knobs=knobs: refused(**knobs))
         for text, knobs in KNOBS]
