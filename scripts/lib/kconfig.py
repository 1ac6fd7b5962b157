# Kernel configurations from fragments: merge, configure, and name every requested
# symbol that did not take.
import filecmp
import os
import re
import shutil

from lib.common import BUILD_ENV, Fail, LOGS, TOP, TREE, kbuild, run

CONFIGS = os.path.join(TOP, 'configs')


def parse(path):
    """Symbol -> value of a fragment or .config; None stands for "is not set"."""
    symbols = {}
    with open(path) as file:
        for line in file:
            found = re.match(r'(?:# )?(CONFIG_\w+)(?:=(.*)| is not set)$', line.strip())
            if found:
                symbols[found.group(1)] = found.group(2)
    return symbols


def merge(fragments):
    """One set of symbols from several fragments that must not contradict."""
    merged, origin = {}, {}
    for path in fragments:
        for symbol, value in parse(path).items():
            if symbol in merged and (merged[symbol] or 'n') != (value or 'n'):
                raise Fail(f'{symbol} differs between {os.path.relpath(origin[symbol], TOP)}'
                           f' and {os.path.relpath(path, TOP)}')
            merged[symbol] = value
            origin[symbol] = path
    return merged


def text(symbols):
    return ''.join(f'{name}={value}\n' if value not in (None, 'n')
                   else f'# {name} is not set\n' for name, value in symbols.items())


def fragment(*names):
    return [os.path.join(CONFIGS, f'{name}.config') for name in names]


def image_fragments():
    """Those of the one image: what QEMU and Bochs boot, and what runs in it as a TD."""
    return fragment('common', 'qemu', 'bochs', 'guest', 'vmm')


def check(symbols, config):
    """Raise Fail naming the requested symbols that config does not have."""
    got = parse(config)
    lost = [f'{name}={value or "n"}' for name, value in symbols.items()
            if (got.get(name) or 'n') != (value or 'n')]
    if lost:
        raise Fail(f'configuration did not take: {" ".join(lost)}')


def configure(obj, fragments, tree=TREE, adjust=dict, whole=True):
    """allnoconfig plus fragments; .config is touched only when it changes.

    adjust() gets the symbols of the fragments, and returns those to take instead.
    whole: each of them has to take.
    """
    os.makedirs(obj, exist_ok=True)
    symbols = adjust(merge(fragments))
    wanted = os.path.join(obj, 'fragment')
    with open(wanted, 'w') as file:
        file.write(text(symbols))
    new, config = os.path.join(obj, '.config.new'), os.path.join(obj, '.config')
    run(kbuild(obj, 'allnoconfig', tree=tree), os.path.join(LOGS, 'config.log'), quiet=True,
        env={**BUILD_ENV, 'KCONFIG_ALLCONFIG': wanted, 'KCONFIG_CONFIG': new})
    if whole:
        check(symbols, new)
    if not os.path.exists(config) or not filecmp.cmp(new, config, shallow=False):
        shutil.copyfile(new, config)
    os.unlink(new)
