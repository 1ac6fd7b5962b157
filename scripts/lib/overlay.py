# The overlay: the files that are new to Linux, at their Linux paths.
import os

from lib.common import OUT, TOP

# The one whose path here is another than in the tree.
KCONFIG = 'arch/x86/Kconfig.tdx'
NOT_OURS = ('build', 'patches', 'configs', 'scripts')


def overlay_files():
    """Paths of the overlay's files, relative to TOP."""
    found = []
    for room in sorted(os.listdir(TOP)):
        where = os.path.join(TOP, room)
        if not os.path.isdir(where) or room.startswith('.') or room in NOT_OURS or where == OUT:
            continue
        for folder, _, names in os.walk(where):
            for name in names:
                if name.endswith(('~', '.orig', '.rej', '.swp', '.pyc')):
                    continue
                found.append(os.path.relpath(os.path.join(folder, name), TOP))
    return sorted(found)


def new_files():
    """Path in the tree -> path in the project, of every new file."""
    files = {path: path for path in overlay_files()}
    if os.path.exists(os.path.join(TOP, 'Kconfig')):
        files[KCONFIG] = 'Kconfig'
    return files


def kunit_fragments():
    """The .kunitconfig files that the overlay's tested folders bring."""
    return [path for path in overlay_files() if os.path.basename(path) == '.kunitconfig']
