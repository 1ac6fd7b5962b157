# What checkpatch says of the patches and the new files.
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

from lib.common import JOBS, TREE, git
from lib.overlay import overlay_files
from lib.patches import PATCHES, patched_files, series

# <asm/processor.h>, <asm/cpufeature.h>: arch/x86 means these, not what wraps them.
# Macros that define functions, or take a call to repeat, have no simpler form. A
# file of Kconfig is sourced by its name. The series serves several releases.
IGNORE = 'MISSING_SIGN_OFF,FILE_PATH_CHANGES,ARCH_INCLUDE_LINUX,MACRO_ARG_REUSE,' \
         'MACRO_ARG_UNUSED,COMPLEX_MACRO,EMBEDDED_FILENAME,' \
         'LINUX_VERSION_CODE'
# What a patch may keep of a macro of the base that it edits.
MACRO = re.compile(r':(\d+): \w+:(?:MACRO_ARG_REUSE|MACRO_ARG_PRECEDENCE|COMPLEX_MACRO|'
                   r'MULTISTATEMENT_MACRO_USE_DO_WHILE): ')
# What a list of operations calls: <asm/kvm-x86-ops.h> has no semicolons, and an
# operation is a member. Releases can only be compared with a macro.
LISTED = re.compile(r'#define (KVM_X86_OP|VT_\w+)\(|^#if LINUX_VERSION_CODE ')
LISTED_KINDS = re.compile(r':(\d+): \w+:(?:TRAILING_SEMICOLON|MULTISTATEMENT_MACRO_USE_DO_WHILE|'
                          r'MACRO_ARG_PRECEDENCE|CONSTANT_COMPARISON): ')
# Every trace event of the kernel has such lines, and every group of fields.
SHAPES = ((re.compile(r':(\d+): \w+:OPEN_ENDED_LINE: '), 1,
           re.compile(r'\+\t*(?:TRACE_EVENT|TP_\w+)\($')),
          (re.compile(r':(\d+): \w+:PARENTHESIS_ALIGNMENT: '), 2,
           re.compile(r'\+\tstruct_group_tagged\(\w+, \w+,$')))


def checkpatch(path, *kind):
    """checkpatch's complaints about a patch or, with --file, about a file of the tree."""
    args = ['perl', 'scripts/checkpatch.pl', '--strict', '--terse', '--no-summary',
            '--show-types', '--ignore', IGNORE, *kind, path]
    # Its helpers write to stderr when they lack a Python module.
    done = subprocess.run(args, cwd=TREE, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors='replace')
    return [line for line in done.stdout.splitlines() if line.strip()]


def is_usual_shape(complaint, lines):
    for kind, back, line in SHAPES:
        found = kind.search(complaint)
        if found and line.match(lines[int(found.group(1)) - back]):
            return True
    return False


def check_patch(name):
    """checkpatch's complaints about a patch, but for the shape of the base's macros."""
    path = os.path.join(PATCHES, name)
    with open(path) as file:
        text = file.read()
    lines, wrong = text.split('\n'), []
    for complaint in checkpatch(path):
        if is_usual_shape(complaint, lines):
            continue
        found = MACRO.search(complaint)
        macro = found and re.match(r'[+ ]#define (\w+\()', lines[int(found.group(1)) - 1])
        if not macro or not any(f'#define {macro.group(1)}' in git('show', f'base:{touched}')
                                for touched in patched_files(text)):
            wrong.append(complaint)
    return wrong


def check_file(path):
    """checkpatch's complaints about a new file, but for the shape of lists."""
    with open(os.path.join(TREE, path), errors='replace') as file:
        lines = file.read().split('\n')
    found = [(LISTED_KINDS.search(complaint), complaint)
             for complaint in checkpatch(path, '--file')]
    return [complaint for kind, complaint in found
            if not kind or not LISTED.search(lines[int(kind.group(1)) - 1])]


def check():
    files = [path for path in overlay_files() if not path.endswith('.kunitconfig')]
    with ThreadPoolExecutor(JOBS) as pool:
        results = [*pool.map(check_patch, series()),
                   *pool.map(check_file, files)]
    return [line for lines in results for line in lines]
