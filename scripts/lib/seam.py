# With the software module built out the seam must cost nothing: the code of the host
# core's objects equals that of the same tree without the patches of the hook.
import os
import re
import shutil
import subprocess

from lib.common import BUILD_ENV, Fail, JOBS, LOGS, OUT, TREE, compiler, git, run, say
from lib import kconfig
from lib.progress import building

FOLDER = 'arch/x86/virt/vmx/tdx'
OBJECTS = [f'{FOLDER}/{name}.o' for name in ('seamcall', 'tdh', 'tdx')]
SECTIONS = '.text', '.noinstr.text'
FARM = os.path.join(OUT, 'lint-farm')


def hook_commits():
    """The commits whose added lines speak of the software module, last first."""
    found = []
    for commit in git('rev-list', 'base..HEAD').split():
        diff = git('show', '--format=', commit, '--', 'arch/x86')
        if re.search(r'^\+.*(INTEL_TDX_SW_MODULE|tdx_sw_)', diff, re.M):
            found.append((commit, diff))
    return found


def farm(commits):
    """A source tree of links, but for the files that the hook patches: reverted."""
    shutil.rmtree(FARM, ignore_errors=True)
    subprocess.run(['cp', '-as', TREE, FARM], check=True)
    for _, diff in commits:
        for path in re.findall(r'^diff --git a/(\S+)', diff, re.M):
            link = os.path.join(FARM, path)
            if os.path.islink(link):
                os.unlink(link)
                shutil.copy(os.path.join(TREE, path), link)
        done = subprocess.run(['patch', '-R', '-p1', '-s', '-f'], input=diff, cwd=FARM,
                              capture_output=True, text=True)
        if done.returncode:
            said = (done.stdout + done.stderr).strip() or f'patch ended with {done.returncode}'
            raise Fail(f'cannot take the hook back: {said.splitlines()[0]}')


def text(tree, obj, config):
    """The code of each object, built from tree without the software module."""
    os.makedirs(obj, exist_ok=True)
    make = ['make', '-C', tree, f'O={obj}', f'-j{JOBS}', f'CC={compiler()}']
    log = os.path.join(LOGS, f'{os.path.basename(obj)}.log')
    run([*make, 'allnoconfig'], log, env={**BUILD_ENV, 'KCONFIG_ALLCONFIG': config}, quiet=True)
    with building(os.path.basename(obj), obj):
        run([*make, *OBJECTS], log, env=BUILD_ENV)
    result = {}
    for name in OBJECTS:
        result[name] = b''
        for section in SECTIONS:
            raw = os.path.join(obj, name + section)
            subprocess.run(['objcopy', '-O', 'binary', '-j', section,
                            os.path.join(obj, name), raw], check=True)
            with open(raw, 'rb') as file:
                result[name] += file.read()
    return result


def check():
    missing = [name for name in OBJECTS
               if not any(os.path.exists(os.path.join(TREE, name[:-2] + suffix))
                          for suffix in ('.c', '.S'))]
    commits = hook_commits()
    if missing or not commits:
        say('  (no hook in this tree yet)')
        return []
    symbols = {name: value for name, value in
               kconfig.merge(kconfig.image_fragments()).items()
               if 'TDX_SW' not in name}
    config = os.path.join(OUT, 'seam.config')
    with open(config, 'w') as file:
        file.write(kconfig.text(symbols))
    try:
        farm(commits)
        with_hook = text(TREE, os.path.join(OUT, 'lint-with'), config)
        without = text(FARM, os.path.join(OUT, 'lint-without'), config)
    finally:
        shutil.rmtree(FARM, ignore_errors=True)
    return [f'code of {name} differs with the hook' for name in OBJECTS
            if with_hook[name] != without[name] or not with_hook[name]]
