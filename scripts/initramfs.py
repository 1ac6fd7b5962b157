# The initramfs of an emulated machine: busybox, the test programs, their list.
import gzip
import os
import shutil
import subprocess

from common import Fail, TOP

APPLETS = ('sh', 'mount', 'mkdir', 'grep', 'cat', 'sync', 'sleep', 'poweroff', 'dmesg',
           'ls', 'head', 'tail', 'sed', 'test', 'seq', 'rm')
BUSYBOX = '/bin/busybox'


def build(folder, programs, lines, image, strip=True):
    """Pack programs (name in the guest -> path here) and the lines of the list."""
    root = os.path.join(folder, 'root')
    shutil.rmtree(root, ignore_errors=True)
    for name in ('bin', 'dev', 'proc', 'sys', 'tests', 'tmp'):
        os.makedirs(os.path.join(root, name))
    shutil.copy(BUSYBOX, os.path.join(root, 'bin/busybox'))
    for applet in APPLETS:
        os.symlink('busybox', os.path.join(root, 'bin', applet))
    shutil.copy(os.path.join(TOP, 'scripts/guest-init'), os.path.join(root, 'init'))
    for name, path in sorted(programs.items()):
        copy = os.path.join(root, 'tests', name)
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        shutil.copy(path, copy)
        if strip:
            subprocess.run(['strip', copy], check=False)
    with open(os.path.join(root, 'tests/list'), 'w') as file:
        file.write(''.join(f'{line}\n' for line in lines))
    names = sorted(os.path.relpath(os.path.join(where, name), root)
                   for where, folders, files in os.walk(root) for name in folders + files)
    done = subprocess.run(['cpio', '-o', '-H', 'newc', '-R', '0:0', '--quiet'], cwd=root,
                          input='\n'.join(names).encode(), capture_output=True)
    if done.returncode:
        raise Fail(f'cpio: {done.stderr.decode().strip()}')
    with open(image, 'wb') as raw, gzip.GzipFile('', 'wb', 6, raw, mtime=0) as file:
        file.write(done.stdout)
    shutil.rmtree(root)
