# KVM links as modules: what the project's files in kvm.ko and kvm-intel.ko use from
# outside is exported. The project's own configurations have everything built in.
import glob
import os
import re
import subprocess

from lib.common import IMAGE, TOP, git
from lib.overlay import overlay_files

FOLDER = 'arch/x86/kvm'
EXPORT = r'EXPORT_[A-Z_]*(SYMBOL|STATIC_CALL)[A-Z_]*\(\w+'
# Exported by macros of other names, or the compiler's own.
BUILT_IN = re.compile(r'__fentry__$|param_ops_|__x86_|__SC[KT]__|__tracepoint_|__trace|__stack_chk')


def nm(kind, *paths):
    done = subprocess.run(['nm', kind, '--format=posix', *paths], capture_output=True, text=True)
    return {line.split()[0] for line in done.stdout.splitlines() if ' ' in line}


def exported():
    """By Linux, whose git knows the series, and by the overlay's files."""
    found = git('grep', '-hoE', EXPORT, '--', '*.c', '*.S', 'kernel/rcu/*.h').splitlines()
    for path in overlay_files():
        if path.endswith(('.c', '.S')):
            with open(os.path.join(TOP, path), errors='replace') as file:
                found += (match.group() for match in re.finditer(EXPORT, file.read()))
    return {text.split('(')[1] for text in found}


def check():
    """Symbols that would be undefined in a module; needs the image's objects."""
    known, wrong = exported(), []
    for module, inside in (('kvm-intel', ['vmx/*.o']), ('kvm', ['*.o', 'mmu/*.o'])):
        paths = [path for pattern in inside
                 for path in glob.glob(os.path.join(IMAGE, FOLDER, pattern))]
        paths += glob.glob(os.path.join(IMAGE, 'virt/kvm/*.o')) if module == 'kvm' else []
        paths = [path for path in paths if not path.endswith(('built-in.o', f'{module}.o'))]
        local = nm('--defined-only', *paths)
        for path in sorted(paths):
            source = os.path.relpath(path, IMAGE)[:-2] + '.c'
            if source not in overlay_files():
                continue
            missing = nm('--undefined-only', path) - local - known
            wrong += [f'{source}: {name} is not exported to {module}.ko'
                      for name in sorted(missing) if not BUILT_IN.match(name)]
    return wrong
