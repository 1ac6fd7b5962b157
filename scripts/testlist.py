# The test list, TAP from the machines, and the comparison of the two.
import fnmatch
import os
import re

from common import Fail, LOGS, TOP

LIST = os.path.join(TOP, 'scripts/tests.list')
PLACES = ('kunit', 'qemu', 'bochs')

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
    entries = []
    with open(LIST) as file:
        for number, line in enumerate(file, 1):
            if line.split('#')[0].strip():
                entries.append(Entry(line, number))
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


def why(entry, flags):
    """What an expectation that depends on the CPU comes from."""
    if not entry or not entry.without:
        return ''
    have = [flag for flag in entry.without if flag in flags]
    return f': the CPU has {"no " if not have else ""}{" or ".join(have or entry.without)}'


def judge(entries, results, flags):
    """Compare results with the list: (passed, failed, skipped, complaints).

    flags: what the machine's kernel says that the CPU has.
    """
    rules = {entry.name: entry for entry in entries}
    tests = {entry.test for entry in entries}
    passed = failed = skipped = 0
    complaints, seen = [], set()
    for path, status, detail in results:
        test = path.split(':')[0]
        seen.add(test)
        rule = rules.get(path, rules.get(test))
        want = rule.expects(flags) if rule else 'pass'
        if test not in tests:
            complaints.append(f'{path} is not in scripts/tests.list')
        elif status == 'fail':
            complaints.append(f'{path} failed{": " if detail else ""}{detail}')
        elif status == 'skip' and want != 'skip':
            complaints.append(f'{path} skipped, a pass is expected{why(rule, flags)}')
        elif status == 'ok' and want == 'skip':
            complaints.append(f'{path} passed, a skip is expected{why(rule, flags)}')
        else:
            passed += status == 'ok'
            skipped += status == 'skip'
            continue
        failed += 1
    paths = {path for path, _, _ in results}
    for entry in entries:
        if entry.name not in paths and ':' in entry.name and entry.test in seen:
            complaints.append(f'{entry.name} is no case of {entry.test}')
            failed += 1
    for test in sorted(tests - seen):
        complaints.append(f'{test} gave no result')
        failed += 1
    if seen and not flags and any(entry.without for entry in entries):
        complaints.append('the machine did not tell what its CPU has')
        failed += 1
    return passed, failed, skipped, complaints


def conclude(target, totals, complaints, say):
    """Leave the totals and the complaints to "make test"; return the verdict's text."""
    passed, failed, skipped = totals
    text = f'{passed} passed, {failed} failed, {skipped} skipped'
    with open(os.path.join(LOGS, f'{target}.totals'), 'w') as file:
        file.write(''.join(f'{line}\n' for line in (f'{passed} {failed} {skipped}', *complaints)))
    for line in complaints:
        say(f'  ! {line}')
    if complaints:
        raise Fail(f'{text}; {complaints[0]}')
    return text
