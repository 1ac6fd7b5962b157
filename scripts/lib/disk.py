# A disk with a small Debian system, as an installer leaves one: an EFI partition with
# shim and GRUB, both signed, and a root partition. Takes no root, and mounts nothing.
import os
import shutil
import subprocess

from lib.common import Fail, LOGS, OUT, say, short
from lib.locks import alone
from lib import parts
from lib import secureboot

SUITES = ('trixie', 'trixie-security')
PACKAGES = ('linux-image-cloud-amd64', 'initramfs-tools', 'zstd', 'systemd-sysv', 'udev', 'dbus')
# As it was made: whoever boots it writes to it, and gets a copy.
PRISTINE = os.path.join(parts.HOME, 'disk.raw')
MIB = 1 << 20
# MiB: where the partitions begin, and the disk ends.
ESP, ROOT, END = 1, 65, 1024
LABEL = 'tdx-root'

# The console costs an exit for each character: GRUB says nothing, and waits for nobody.
GRUB = f'''search --no-floppy --label --set=root {LABEL}
linux /vmlinuz root=LABEL={LABEL} console=ttyS0 quiet
initrd /initrd.img
boot
'''

# No password, one on the network by DHCP, an initramfs with what this disk wants.  As an
# installer leaves it: with a machine id, and nothing to be done at the first boot.
HOOKS = (
    'echo virtio_blk virtio_pci ext4 | tr " " "\\n" >> "$1/etc/initramfs-tools/modules"',
    'sed -i s/^MODULES=.*/MODULES=list/ "$1/etc/initramfs-tools/initramfs.conf"',
    'chroot "$1" update-initramfs -u',
    'chroot "$1" passwd -d root',
    f'echo "LABEL={LABEL} / ext4 defaults 0 1" > "$1/etc/fstab"',
    'printf "[Match]\\nType=ether\\n[Network]\\nDHCP=ipv4\\n" > "$1/etc/systemd/network/ether.network"',
    'chroot "$1" systemctl enable systemd-networkd',
    'echo td > "$1/etc/hostname"',
    'chroot "$1" systemd-machine-id-setup',
    'rm -f "$1/etc/resolv.conf"',
    'touch -r "$1/usr" "$1/etc/.updated" "$1/var/.updated"',
)

PARTITIONS = f'''label: gpt
start={ESP}MiB, size={ROOT - ESP}MiB, type=uefi
start={ROOT}MiB, size={END - ROOT - 1}MiB, type=linux
'''


def key():
    return repr((SUITES, PACKAGES, GRUB, HOOKS, PARTITIONS))


def is_there():
    try:
        with open(f'{PRISTINE}.made') as file:
            return file.read() == key() and os.path.exists(PRISTINE)
    except FileNotFoundError:
        return False


def make_system(image):
    """The root partition."""
    log = os.path.join(LOGS, 'disk.log')
    args = ['mmdebstrap', '--variant=minbase', '--format=ext2',
            '--aptopt=APT::Install-Recommends "false"', '--skip=cleanup/reproducible',
            f'--include={",".join(PACKAGES)}',
            *(f'--customize-hook={hook}' for hook in HOOKS), SUITES[0], image, '-']
    say(f'  $ mmdebstrap --variant=minbase --include={",".join(PACKAGES)} {SUITES[0]} '
        f'{short(image)} > {short(log)}')
    with open(log, 'w') as file:
        done = subprocess.run(args, input=parts.sources(SUITES), stdout=file, stderr=file,
                              text=True)
    if done.returncode:
        raise Fail(f'no system of Debian\'s {SUITES[0]}: {parts.reason(log)} (log {short(log)})')
    tool('truncate', '-s', f'{END - ROOT - 1}M', image)
    tool('resize2fs', image)
    tool('tune2fs', '-j', '-L', LABEL, image)


def tool(*args, data=None):
    env = dict(os.environ, PATH=f'{os.environ["PATH"]}:/sbin:/usr/sbin', MTOOLS_SKIP_CHECK='1')
    done = subprocess.run(args, input=data, capture_output=True, text=True, env=env)
    if done.returncode:
        raise Fail(f'{args[0]}: {(done.stderr or "failed").strip().splitlines()[-1]}')


def make_esp(image, folder):
    """The EFI partition: what firmware starts by default, and what that starts."""
    with open(os.path.join(folder, 'grub.cfg'), 'w') as file:
        file.write(GRUB)
    tool('truncate', '-s', f'{ROOT - ESP}M', image)
    tool('mformat', '-i', image, '-F', '-h', '64', '-s', '32', '::')
    tool('mmd', '-i', image, '::EFI', '::EFI/BOOT', '::EFI/debian')
    for path, name in ((secureboot.BOOT.file(secureboot.SHIM), 'BOOT/BOOTX64.EFI'),
                       (secureboot.BOOT.file('usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed'),
                        'BOOT/grubx64.efi'),
                       (os.path.join(folder, 'grub.cfg'), 'debian/grub.cfg')):
        tool('mcopy', '-i', image, path, f'::EFI/{name}')


def put(disk, image, offset):
    tool('dd', f'if={image}', f'of={disk}', 'bs=1M', f'seek={offset}', 'conv=sparse,notrunc')


def make():
    """Make it once."""
    if not is_there():
        with alone('disk'):
            if not is_there():
                assemble()


def assemble():
    folder = os.path.join(OUT, 'run/disk')
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    system, esp, disk = (os.path.join(folder, name) for name in ('system', 'esp', 'disk'))
    make_system(system)
    make_esp(esp, folder)
    tool('truncate', '-s', f'{END}M', disk)
    tool('sfdisk', '--quiet', disk, data=PARTITIONS)
    put(disk, esp, ESP)
    put(disk, system, ROOT)
    os.rename(disk, PRISTINE)
    shutil.rmtree(folder)
    with open(f'{PRISTINE}.made', 'w') as file:
        file.write(key())


def copy(path):
    """A disk to be written to."""
    make()
    tool('cp', '--sparse=always', PRISTINE, f'{path}.new')
    os.rename(f'{path}.new', path)
