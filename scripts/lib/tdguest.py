# Linux as a TD: the program that boots it, and the files which that wants beside it.
import os

from lib.common import BZIMAGE, IMAGE
from lib import initramfs

LAUNCHER, INIT = 'x86_64/tdx_linux', 'x86_64/tdx_linux_init'
MODULES = [os.path.join(IMAGE, 'drivers/virt/coco', name)
           for name in ('tsm.ko', 'tdx-guest/tdx-guest.ko')]


def programs(wanted):
    """What has to be built for these programs: the launcher's guest has its own."""
    return [*wanted, INIT] if LAUNCHER in wanted else list(wanted)


def files(folder, built, wanted):
    """Name in the machine -> path here, of the files that these programs want."""
    if LAUNCHER not in wanted:
        return {}
    initrd = os.path.join(folder, 'td-initrd')
    initramfs.build_td(folder, os.path.join(built, INIT), MODULES, initrd)
    return {'bzImage': os.path.join(IMAGE, BZIMAGE), 'initrd': initrd}
