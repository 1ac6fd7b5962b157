# The order of the production code: each file belongs to a room, and uses what is in its
# own room and in those below.  The tables are the documentation's; lint compares them
# with what files include and what their objects call.
import fnmatch
import os
import re
import subprocess
from collections import namedtuple

from lib.common import Fail, TOP
from lib.overlay import overlay_files

TEXTS = ['Documentation/virt/kvm/x86/tdx-software-module.rst',
         'Documentation/virt/kvm/x86/intel-tdx.rst']
# A table in a document, between two comments: rank, room, files, what it is.  A room may
# have several rows.
BEGIN = re.compile(r'^\.\. rooms of (\S+)$')
END = '.. end of rooms'
ROW = re.compile(r'^  (\d)  (\w+) +(\S+(?:, \S+)*)(?:  .*)?$')
# What may be in spite of the order: file, symbol or header, and why.
EXCEPTION = re.compile(r'^  except (\S+) (\S+): \S')
# Which area uses which other; the software module is apart.
ABOVE = {'arch/x86/kvm': 'arch/x86/virt/vmx/tdx'}
# Nobody but tests may know these, and they may know everything.
TESTS = re.compile(r'(^|/)tests/')

Room = namedtuple('Room', 'area rank name globs')
Arrow = namedtuple('Arrow', 'source target what')


def read_text(text, path, rooms, exceptions):
    area = None
    for line in text.splitlines():
        begun = BEGIN.match(line)
        if begun:
            area = begun.group(1)
        elif line == END:
            area = None
        elif area and ROW.match(line):
            rank, name, globs = ROW.match(line).groups()
            rooms.append(Room(area, int(rank), name, globs.split(', ')))
        elif area and EXCEPTION.match(line):
            exceptions.add(EXCEPTION.match(line).groups())
        elif area and re.match(r'  \S', line):
            raise Fail(f'{path}: "{line.strip()}" is no row of a table of rooms')


def read():
    """All rooms, and the exceptions as (file, symbol)."""
    rooms, exceptions = [], set()
    for path in TEXTS:
        with open(os.path.join(TOP, path)) as file:
            read_text(file.read(), path, rooms, exceptions)
    return rooms, exceptions


def room_of(path, rooms):
    """The room of a file: in the area that is nearest to it."""
    best = None
    for room in rooms:
        if not path.startswith(room.area + '/') or best and len(room.area) < len(best.area):
            continue
        name = os.path.relpath(path, room.area)
        if any(fnmatch.fnmatch(name, glob) for glob in room.globs):
            best = room
    return best


def area_of(path, rooms):
    areas = [room.area for room in rooms if path.startswith(room.area + '/')]
    return max(areas, key=len, default='')


def production(rooms):
    """The files that have to be in a room."""
    return [path for path in overlay_files() if path.endswith(('.c', '.h', '.S'))
            and area_of(path, rooms) and not TESTS.search(path)]


def includes(path, known):
    """The project's headers that a file includes."""
    with open(os.path.join(TOP, path)) as file:
        names = re.findall(r'^\s*#\s*include\s*["<](.+?)[">]', file.read(), re.M)
    folder = os.path.dirname(path)
    for name in names:
        # From its own folder, or from one above: make's -I.
        while True:
            found = os.path.normpath(os.path.join(folder, name))
            if found in known or not folder:
                break
            folder = os.path.dirname(folder)
        if found in known:
            yield Arrow(path, found, os.path.basename(name))
        folder = os.path.dirname(path)


def symbols(obj):
    """What an object defines for others, and what it wants of them."""
    done = subprocess.run(['nm', obj], capture_output=True, text=True, check=True)
    defined, wanted = set(), set()
    for line in done.stdout.splitlines():
        *_, kind, name = line.split()
        if kind == 'U':
            wanted.add(name)
        elif kind.isupper() and kind != 'A':
            defined.add(name)
    return defined, wanted


def object_of(path, built):
    return os.path.join(built, os.path.splitext(path)[0] + '.o')


def calls(paths, built):
    """Arrows between objects; the folder has those of all C and assembler files."""
    owners, wants = {}, {}
    for path in paths:
        obj = object_of(path, built)
        if path.endswith('.h') or not os.path.exists(obj):
            continue
        defined, wants[path] = symbols(obj)
        owners.update((name, path) for name in defined)
    for path, names in wants.items():
        for name in sorted(names):
            if owners.get(name, path) != path:
                yield Arrow(path, owners[name], name)


def place(path, rooms):
    room = room_of(path, rooms)
    return room.name if room else 'tests' if TESTS.search(path) else 'no room'


def is_up(arrow, rooms):
    """Whether production code uses what it must not know."""
    if TESTS.search(arrow.source):
        return False
    if TESTS.search(arrow.target):
        return True
    source, target = room_of(arrow.source, rooms), room_of(arrow.target, rooms)
    if not source or not target or source[:3] == target[:3]:
        return False
    if source.area != target.area:
        return ABOVE.get(source.area) != target.area
    return source.rank <= target.rank


def reachable(uses):
    """All that each file uses, by way of others as well."""
    reach = {}
    for start in uses:
        reach[start], left = set(), [start]
        while left:
            for target in uses.get(left.pop(), set()) - reach[start]:
                reach[start].add(target)
                left.append(target)
    return reach


def circles(arrows):
    """Groups of files that all use each other, each as the list of its files."""
    uses = {}
    for arrow in arrows:
        uses.setdefault(arrow.source, set()).add(arrow.target)
    reach = reachable(uses)
    groups = {tuple(sorted(other for other in reach[path] if path in reach.get(other, ())))
              for path in reach if path in reach[path]}
    return [list(group) for group in sorted(groups)]


def judge(arrows, rooms, exceptions):
    allowed = [arrow for arrow in arrows if (arrow.source, arrow.what) in exceptions]
    wrong = [f'{arrow.source}: {arrow.what} of {arrow.target}, {place(arrow.source, rooms)} '
             f'must not know {place(arrow.target, rooms)}'
             for arrow in arrows if is_up(arrow, rooms) and arrow not in allowed]
    used = {(arrow.source, arrow.what) for arrow in allowed if is_up(arrow, rooms)}
    wrong += [f'rooms: the exception for {name} in {path} is not needed'
              for path, name in sorted(exceptions - used)]
    inner = [arrow for arrow in arrows if not arrow.target.endswith('.h')
             and not TESTS.search(arrow.source) and not TESTS.search(arrow.target)]
    wrong += [f'rooms: {", ".join(files)} use each other' for files in circles(inner)]
    return wrong


def check(built):
    """Files without a room, arrows that run up, circles."""
    rooms, exceptions = read()
    paths = production(rooms)
    wrong = [f'{path} is in no room of {" or ".join(TEXTS)}' for path in paths
             if not room_of(path, rooms)]
    wrong += [f'rooms: {room.area} has no {glob} for {room.name}' for room in rooms
              for glob in room.globs if not any(fnmatch.fnmatch(os.path.relpath(
                  path, room.area), glob) for path in paths)]
    wrong += [f'{path} has no object: what it calls is unknown' for path in paths
              if not path.endswith('.h') and not os.path.exists(object_of(path, built))]
    known = set(overlay_files())
    arrows = [arrow for path in paths for arrow in includes(path, known)]
    arrows += calls([path for path in known if area_of(path, rooms)], built)
    return check_self() + wrong + judge(arrows, rooms, exceptions)


def check_self():
    """That it would notice: a table and arrows made up."""
    rooms, exceptions = [], set()
    read_text('.. rooms of a\n\n  2  top  x/*  this\n  1  one  y.c, z.c\n  1  two  w.c  that\n'
              '  except a/y.c f: reason\n.. end of rooms\n'
              '.. rooms of a/b\n  1  own  *\n.. end of rooms\n', 'self', rooms, exceptions)
    cases = [('a/x/p.c', 'a/y.c', False), ('a/y.c', 'a/x/p.c', True), ('a/y.c', 'a/w.c', True),
             ('a/y.c', 'a/z.c', False), ('a/y.c', 'a/tests/t.c', True),
             ('a/tests/t.c', 'a/x/p.c', False), ('a/x/p.c', 'a/b/q.c', True)]
    wrong = [f'rooms.py: {source} -> {target} is judged wrongly' for source, target, up in cases
             if is_up(Arrow(source, target, 's'), rooms) != up]
    up = Arrow('a/y.c', 'a/x/p.c', 'f')
    if judge([up], rooms, exceptions) or len(judge([up], rooms, set())) != 1 or \
            len(judge([], rooms, exceptions)) != 1:
        wrong.append('rooms.py: exceptions are judged wrongly')
    # Two circles, and a file on the way from one to the other.
    rings = [Arrow(*ends, 's') for ends in ('pq', 'qp', 'qm', 'mr', 'rs', 'sr', 'sv')]
    if circles(rings) != [['p', 'q'], ['r', 's']] or circles(rings[1:4]):
        wrong.append('rooms.py: circles are judged wrongly')
    return wrong
