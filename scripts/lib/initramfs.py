# Initramfs images: of an emulated machine (busybox, the test programs, their list),
# and of the Linux that it boots as a TD (its first process, a shell, modules).
import gzip
import lzma
import os
import shutil
import subprocess

from lib.common import Fail, TOP

APPLETS = ('sh', 'mount', 'mkdir', 'grep', 'cat', 'sync', 'sleep', 'poweroff', 'dmesg',
           'ls', 'head', 'tail', 'sed', 'test', 'seq', 'rm')
# What the tests of "make vmm-test" take besides.
VMM_APPLETS = (*APPLETS, 'awk', 'cut', 'dd', 'ifconfig', 'kill', 'mkfifo', 'mv', 'tr', 'wc')
GUEST_APPLETS = ('sh', 'uname', 'grep', 'cat', 'ls', 'dmesg', 'mount', 'ps', 'free', 'head',
                 'tail', 'sleep', 'hexdump', 'cmp', 'dd', 'mkdir', 'reboot', 'rm', 'rmdir', 'wc')
BUSYBOX = '/bin/busybox'


def add(root, name, path, strip=False):
    copy = os.path.join(root, name)
    os.makedirs(os.path.dirname(copy), exist_ok=True)
    shutil.copy(path, copy)
    if strip:
        subprocess.run(['strip', copy], check=False)


def add_busybox(root, applets):
    add(root, 'bin/busybox', BUSYBOX)
    for applet in applets:
        os.symlink('busybox', os.path.join(root, 'bin', applet))


def pack(root, image):
    names = sorted(os.path.relpath(os.path.join(where, name), root)
                   for where, folders, files in os.walk(root) for name in folders + files)
    done = subprocess.run(['cpio', '-o', '-H', 'newc', '-R', '0:0', '--quiet'], cwd=root,
                          input='\n'.join(names).encode(), capture_output=True)
    if done.returncode:
        raise Fail(f'cpio: {done.stderr.decode().strip()}')
    with open(image, 'wb') as raw, gzip.GzipFile('', 'wb', 6, raw, mtime=0) as file:
        file.write(done.stdout)
    shutil.rmtree(root)


def empty(folder, name):
    root = os.path.join(folder, name)
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root)
    return root


def build(folder, programs, lines, image, strip=True, files=(), root='', applets=APPLETS):
    """Pack programs (name in the guest -> path here), other files, and the list.

    root: a folder that holds more for the machine already.
    """
    root = root or empty(folder, 'root')
    for name in ('dev', 'proc', 'sys', 'tests', 'tmp'):
        os.makedirs(os.path.join(root, name))
    add_busybox(root, applets)
    add(root, 'init', os.path.join(TOP, 'scripts/guest-init'))
    for name, path in sorted(programs.items()):
        add(root, f'tests/{name}', path, strip)
    for name, path in sorted(dict(files).items()):
        add(root, f'tests/{name}', path)
    with open(os.path.join(root, 'tests/list'), 'w') as file:
        file.write(''.join(f'{line}\n' for line in lines))
    pack(root, image)


def add_modules(root, modules):
    """Modules (path of each, in the order in which they are loaded; the driver last)."""
    for number, path in enumerate(modules):
        name = os.path.basename(path).removesuffix('.xz')
        folder = '' if path == modules[-1] else f'modules/{number:02}-'
        add(root, f'{folder}{name}', path)
        if path.endswith('.xz'):
            with lzma.open(path) as packed, open(os.path.join(root, folder + name), 'wb') as file:
                shutil.copyfileobj(packed, file)


def build_td(folder, init, modules, image, programs=()):
    """Pack what Linux as a TD starts, the modules that this loads, and more programs."""
    root = empty(folder, 'td-root')
    add_busybox(root, GUEST_APPLETS)
    add(root, 'init', init, strip=True)
    for path in programs:
        add(root, f'bin/{os.path.basename(path)}', path, strip=True)
    add_modules(root, modules)
    pack(root, image)
