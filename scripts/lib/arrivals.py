# When each overlay file has to arrive in the mail-ready series: just before the
# first patch that needs it, directly or through another new file.
import os
import re

from lib.common import TOP
from lib.overlay import new_files


def read(source):
    with open(os.path.join(TOP, source), errors='replace') as file:
        return file.read()


def include(name, folder, files):
    """Overlay files that an include of name in folder may mean."""
    near = os.path.normpath(os.path.join(folder, name))
    if near in files:
        return {near}
    return {path for path in files if path.endswith('/' + name)
            and ('/include/' in path or '/' in name
                 or os.path.commonpath([path, folder]).count('/') >= 2)}


def object_files(folder, name, files):
    """What a Makefile in folder means by name: an object, a folder, a test."""
    path = os.path.normpath(os.path.join(folder, name))
    if name.endswith('/'):
        return {f'{path}/{file}' for file in ('Makefile', 'Kconfig')} & files
    stem = path[:-2] if path.endswith(('.o', '.c', '.S')) else path
    return {stem + suffix for suffix in ('.c', '.S', '.sh')} & files


def references(path, text, files):
    """The overlay files that text, found in path, refers to."""
    folder, name = os.path.split(path)
    found = set()
    for quoted in re.findall(r'^\s*#\s*include\s+["<]([^">]+)[">]', text, re.M):
        found |= include(quoted, folder, files)
    if name.startswith('Kconfig'):
        found |= {source for source in re.findall(r'source "([^"]+)"', text)} & files
    elif name in ('Makefile', 'Kbuild'):
        for word in re.findall(r'[\w./-]+', text):
            found |= object_files(folder, word, files)
    elif name.endswith('.rst'):
        for word in re.findall(r'^\s+([\w/-]+)(?:\.rst)?$', text, re.M):
            found |= {os.path.normpath(os.path.join(folder, word + '.rst'))} & files
    return found - {path}


def added(patch):
    """(path, added lines) of each file that a patch changes."""
    for part in re.split(r'^diff --git ', patch, flags=re.M)[1:]:
        path = re.match(r'a/(\S+)', part).group(1)
        lines = re.findall(r'^\+(?!\+\+ )(.*)$', part, re.M)
        yield path, '\n'.join(lines)


def closure(start, graph):
    reached, todo = set(), list(start)
    while todo:
        path = todo.pop()
        if path not in reached:
            reached.add(path)
            todo += graph[path]
    return reached


def arrivals(patches):
    """Path -> index of the patch before which it arrives; len(patches) for the end."""
    files = new_files()
    names = set(files)
    graph = {path: references(path, read(source), names) for path, source in files.items()}
    when = {}
    for index, patch in enumerate(patches):
        for path, text in added(patch):
            for needed in closure(references(path, text, names), graph):
                when.setdefault(needed, index)
    for path in sorted(names - set(when)):
        # A file that nothing refers to comes with the last of its neighbours.
        folder = os.path.dirname(path)
        near = [at for other, at in when.items() if other.startswith(folder + '/')]
        when[path] = max(near, default=len(patches))
    return when
