# The test list, TAP from the machines, and the comparison of the two.
import collections
import fnmatch
import os
import re

from lib.common import Fail, TOP

LIST = os.path.join(TOP, 'scripts/tests.list')
PLACES = ('kunit', 'qemu', 'bochs', 'vmm')

RESULT = re.compile(r'^( *)(ok|not ok) \d+(?: -)? ?(.*?)(?:\s+# (.*))?$')
EXPECTED = re.compile(r'pass|exit=(?P<status>\d+)|skip-without=(?P<flags>\w+(,\w+)*)')


class Entry:
    def __init__(self, line, number):
        fields = line.partition('#')[0].split()
        where = f'{os.path.relpath(LIST, TOP)}:{number}'
        want = EXPECTED.fullmatch(fields[3] if len(fields) > 3 else '')
        if not want:
            raise Fail(f'{where}: want machines, name, seconds, and pass or exit=<number> '
                       f'or skip-without=<CPU flags>')
        if not re.fullmatch('[1-9][0-9]*', fields[2]):
            raise Fail(f'{where}: "{fields[2]}" is no number of seconds')
        self.places = fields[0].split(',')
        self.name, self.seconds, self.args = fields[1], int(fields[2]), fields[4:]
        # The machine compares a status, and says "ok" then.
        self.status = int(want.group('status') or 0)
        # Flags of the CPU: if it has none of them, the test skips.
        self.without = want.group('flags').split(',') if want.group('flags') else []
        if set(self.places) - set(PLACES):
            raise Fail(f'{where}: a machine is one of {", ".join(PLACES)}')

    def expects(self, flags):
        """skip or pass, on a CPU with these flags."""
        return 'skip' if self.without and not flags & set(self.without) else 'pass'

    @property
    def test(self):
        return self.name.split(':')[0]

    @property
    def program(self):
        return self.test.split('@')[0]


def read(place=None):
    entries, seen = [], set()
    with open(LIST) as file:
        for number, line in enumerate(file, 1):
            if not line.split('#')[0].strip():
                continue
            entry = Entry(line, number)
            again = seen & {(place, entry.name) for place in entry.places}
            if again:
                raise Fail(f'{os.path.relpath(LIST, TOP)}:{number}: {entry.name} stands twice')
            seen |= {(place, entry.name) for place in entry.places}
            entries.append(entry)
    return [e for e in entries if place is None or place in e.places]


def matches(entry, glob):
    """TEST= names a test with or without its folder and label."""
    names = (entry.test, entry.program, os.path.basename(entry.test),
             os.path.basename(entry.program))
    return not glob or any(fnmatch.fnmatchcase(name, glob) for name in names)


def select(place, glob):
    """The entries of a place that TEST names."""
    return [entry for entry in read(place) if matches(entry, glob)]


def unknown(glob):
    return Fail(f'TEST={glob} names no test; scripts/tests.list has them')


def leaves(lines):
    """(path, status, detail) of every leaf of nested TAP: ok, fail or skip.

    A container's line follows those of its members, which are indented deeper.
    """
    below, results = {}, []
    for line in lines:
        found = RESULT.match(line.rstrip())
        if not found:
            continue
        depth, name = len(found.group(1)) // 4, found.group(3)
        detail = found.group(4) or ''
        status = 'fail' if found.group(2) == 'not ok' else \
            'skip' if detail.upper().startswith('SKIP') else 'ok'
        members = below.pop(depth + 1, [])
        for deeper in [key for key in below if key > depth]:
            below.pop(deeper)
        if members and not (status == 'fail' and all(m[1] != 'fail' for m in members)):
            own = [(f'{name}:{m[0]}' if depth == 0 else f'{name}.{m[0]}', m[1], m[2])
                   for m in members]
        else:
            own = [(name, status, detail)]
        if depth == 0:
            results += own
        else:
            below.setdefault(depth, []).extend(own)
    return results


# What is said of a test or of the machine in the end: status is pass, fail or skip.
Verdict = collections.namedtuple('Verdict', 'name status text')


def why(entry, flags):
    """What an expectation that depends on the CPU comes from."""
    if not entry or not entry.without:
        return ''
    have = [flag for flag in entry.without if flag in flags]
    return f': the CPU has {"no " if not have else ""}{" or ".join(have or entry.without)}'


def verdict(entry, result, flags):
    """A result of the list's entry for it, against what that expects."""
    path, status, detail = result
    if not entry:
        return Verdict(path, 'fail', 'is not in scripts/tests.list')
    if status == 'fail':
        return Verdict(path, 'fail', f'failed{": " if detail else ""}{detail}')
    want = entry.expects(flags)
    if status == 'skip' and want != 'skip':
        return Verdict(path, 'fail', f'skipped, a pass is expected{why(entry, flags)}')
    if status == 'ok' and want == 'skip':
        return Verdict(path, 'fail', f'passed, a skip is expected{why(entry, flags)}')
    if status == 'skip':
        return Verdict(path, 'skip', re.sub(r'^SKIP\s*', '', detail, flags=re.I))
    return Verdict(path, 'pass', '')


def judge(entries, results, flags):
    """Compare results with the list, whose expectations may depend on the CPU's flags."""
    rules = {entry.name: entry for entry in entries}
    tests = {entry.test: entry for entry in entries}
    paths = {path for path, _, _ in results}
    seen = {path.split(':')[0] for path in paths}
    verdicts = []
    for result in results:
        test = result[0].split(':')[0]
        rule = rules.get(result[0]) or rules.get(test) or tests.get(test)
        verdicts.append(verdict(rule, result, flags))
    for entry in entries:
        if entry.name not in paths and ':' in entry.name and entry.test in seen:
            verdicts.append(Verdict(entry.name, 'fail', f'is no case of {entry.test}'))
    for test in sorted(set(tests) - seen):
        verdicts.append(Verdict(test, 'fail', 'gave no result'))
    if seen and not flags and any(entry.without for entry in entries):
        verdicts.append(Verdict('the machine', 'fail', 'did not tell what its CPU has'))
    return verdicts
