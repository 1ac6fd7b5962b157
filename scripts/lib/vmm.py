# What runs in the machine of "make vmm": QEMU with its libraries, a firmware for TDs, and
# what the TD boots.
import glob
import os
import re
import shlex
import shutil
import subprocess

from lib.common import Fail, KNOBS, LOGS, TOP, run, short
from lib import initramfs
from lib import parts
from lib import secureboot
from lib import tdvf

QEMU = 'usr/bin/qemu-system-x86_64'
# What -kernel and PCI devices want of QEMU's own firmware.
ROMS = ('linuxboot_dma.bin', 'kvmvapic.bin', 'efi-virtio.rom', 'bios-256k.bin')
# Where they are, in a package or another one that QEMU's depends on.
ROM_FOLDERS = ('usr/share/qemu', 'usr/lib/ipxe/qemu', 'usr/share/seabios')
# The machine's disk is the guest's.
DRIVE = 'file=/dev/sda,if=none,id=disk,format=raw,aio=threads'
# Of a bzImage, and of disks.
SIGNATURE_AT, SECTOR = 0x202, 512


def check_files(firmware, kernel, image):
    """Refuse what is none of what it is to be; each may be ''."""
    if firmware:
        with open(firmware, 'rb') as file:
            tdvf.sections(file.read())
    if kernel:
        with open(kernel, 'rb') as file:
            if file.read(SIGNATURE_AT + 4)[SIGNATURE_AT:] != b'HdrS':
                raise Fail(f'KERNEL={short(kernel)} is no bzImage')
    if image and (not os.path.getsize(image) or os.path.getsize(image) % SECTOR):
        raise Fail(f'DISK={short(image)} is no disk: its size is no multiple of {SECTOR}')


def named(name, kind='file', there=os.path.isfile):
    """The file that a knob names, or ''."""
    path = os.path.realpath(os.path.expanduser(KNOBS[name])) if KNOBS[name] else ''
    if path and not there(path):
        raise Fail(f'{name}={KNOBS[name]}: there is no such {kind}')
    return path


def words(name):
    """A knob that has words as a shell takes them."""
    try:
        return shlex.split(KNOBS[name])
    except ValueError as error:
        raise Fail(f'{name}: {error}')


def own_qemu():
    """The folder that QEMU= names, or ''."""
    own = named('QEMU', 'folder', os.path.isdir)
    if own and not os.access(os.path.join(own, QEMU), os.X_OK):
        raise Fail(f'QEMU={own}: there is no {QEMU} in it')
    return own


def qemu_root(own):
    """Where QEMU is: unpacked from Debian, or a folder with one as it is installed."""
    return own or parts.QEMU.unpack()


def libraries(root):
    """The libraries that QEMU wants, as paths in the root, by the root's own loader."""
    start = parts.loader(root)
    done = subprocess.run([*start[:1], '--list', *start[1:], os.path.join(root, QEMU)],
                          capture_output=True, text=True)
    if done.returncode:
        raise Fail(f'{short(root)}: {(done.stderr or done.stdout).strip().splitlines()[-1]}')
    # Name => path (address), or the loader's path alone.
    return sorted(set(re.findall(rf'{re.escape(root)}(/\S+)', done.stdout)))


def put(root, path, home):
    """A file of an unpacked root, at the same place in another."""
    target = os.path.join(home, path.lstrip('/'))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copy(os.path.realpath(os.path.join(root, path.lstrip('/'))), target)


def add_qemu(root, home):
    """QEMU and what it wants, into the machine's initramfs."""
    merge = ('lib', 'lib64')
    for name in merge:
        os.makedirs(os.path.join(home, 'usr', name), exist_ok=True)
        os.symlink(f'usr/{name}', os.path.join(home, name))
    for path in (QEMU, *libraries(root), 'usr/lib64/ld-linux-x86-64.so.2'):
        put(root, path, home)
    for name in ROMS:
        found = [path for path in (f'{folder}/{name}' for folder in ROM_FOLDERS)
                 if os.path.exists(os.path.join(root, path))]
        if found:
            put(root, found[0], home)


def firmware(room, secure):
    """Debian's firmware for TDs, of which a copy starts any kernel, or signed ones."""
    found = parts.FIRMWARE.file('usr/share/ovmf/OVMF.inteltdx*.fd')
    if secure:
        return secureboot.with_debians_key(found, os.path.join(room, 'signed'))
    return secureboot.without_keys(found, os.path.join(room, 'firmware'))


def disk(root, image, room):
    """A raw image: itself, so that what the guest writes stays; another kind as a copy."""
    tool = [*parts.loader(root), os.path.join(root, 'usr/bin/qemu-img')]
    log = os.path.join(LOGS, 'vmm-disk.log')
    with open(image, 'rb') as file:
        if file.read(4) != b'QFI\xfb':
            return image
    copy = os.path.join(room, 'disk')
    run([*tool, 'convert', '-f', 'qcow2', '-O', 'raw', image, copy], log)
    return copy


def distribution_kernel(part):
    """A kernel's package: its bzImage, and the modules that a guest of it loads."""
    root = part.unpack()
    # Merged or not; the image is in either place, too.
    home = next(iter(sorted(glob.glob(os.path.join(root, '*/lib/modules/*'))) +
                     glob.glob(os.path.join(root, 'lib/modules/*'))), '')
    release = os.path.basename(home)
    for path in (os.path.join(root, 'boot', f'vmlinuz-{release}'), os.path.join(home, 'vmlinuz')):
        if home and os.path.exists(path):
            return path, modules(home)
    raise Fail(f'{" ".join(part.packages)} of Debian\'s {part.suites[0]} has no kernel'
               f'{part.instead()}')


def modules(home):
    """The driver for TDX guests, and before it what it depends on."""
    listed = os.path.join(home, 'modules.dep')
    if not os.path.exists(listed):
        run(['/sbin/depmod', '-b', os.path.normpath(os.path.join(home, '../../..')),
             os.path.basename(home)], os.path.join(LOGS, 'vmm-depmod.log'), quiet=True)
    with open(listed) as file:
        for line in file:
            name, _, needs = line.partition(':')
            if os.path.basename(name).startswith('tdx-guest.ko'):
                return [os.path.join(home, path) for path in [*needs.split()[::-1], name]]
    return []


def arguments(settings, files, disk):
    """QEMU's command line."""
    args = [f'/{QEMU}', '-accel', 'kvm', '-machine',
            'q35,confidential-guest-support=tdx0,kernel-irqchip=split',
            '-object', 'tdx-guest,id=tdx0', '-cpu', 'host', '-smp', str(settings.cpus),
            '-m', f'{settings.mem}M', '-bios', '/tests/firmware', '-nodefaults',
            '-display', 'none', '-no-reboot', '-serial', 'mon:/dev/ttyS1']
    if 'kernel' in files:
        args += ['-kernel', '/tests/kernel', '-append', settings.append]
    if 'initrd' in files:
        args += ['-initrd', '/tests/initrd']
    if disk:
        args += ['-drive', f'{DRIVE},cache=none', '-device', 'virtio-blk-pci,drive=disk']
    return [*args, *settings.more]


def build(box, root, files, args):
    """The machine's initramfs."""
    home = initramfs.empty(box.folder, 'root')
    add_qemu(root, home)
    start = os.path.join(box.folder, 'qemu')
    with open(start, 'w') as file:
        file.write(f'#!/bin/sh\nexec {shlex.join(args)}\n')
    os.chmod(start, 0o755)
    initramfs.build(box.folder, {'vmm': os.path.join(TOP, 'scripts/guest-vmm')},
                    ['vmm 0 ./vmm'], box.initrd, strip=False,
                    files={**files, 'qemu': start}, root=home)
