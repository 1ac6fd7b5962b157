# What the parts of "make test" leave: totals in a line, and every result as JUnit XML.
import os
import re
import xml.etree.ElementTree as xml

from lib.common import Fail, LOGS, Skip, say
from lib.testlist import Verdict

STATES = ('pass', 'fail', 'skip')
# Element of a case -> its status; without one it has passed.
KINDS = {'failure': 'fail', 'skipped': 'skip'}
# XML cannot have these, however they are written.
FORBIDDEN = re.compile('[^\t\n\r\x20-\ud7ff\ue000-\ufffd]')


def path(target):
    return os.path.join(LOGS, f'{target}.xml')


def forget(target):
    if os.path.exists(path(target)):
        os.unlink(path(target))


def totals(verdicts):
    return [sum(verdict.status == state for verdict in verdicts) for state in STATES]


def line(verdicts):
    return '{} passed, {} failed, {} skipped'.format(*totals(verdicts))


def printable(text):
    return FORBIDDEN.sub('?', text)


def suite(target, verdicts):
    """One suite for a target; the class of a test's case has the test's name, too."""
    _, failed, skipped = totals(verdicts)
    node = xml.Element('testsuite', name=target, tests=str(len(verdicts)), failures=str(failed),
                       skipped=str(skipped), errors='0')
    for verdict in verdicts:
        test, found, name = verdict.name.partition(':')
        place = f'{target}.{test}' if found else target
        case = xml.SubElement(node, 'testcase', classname=printable(place),
                              name=printable(name if found else test))
        for kind, status in KINDS.items():
            if verdict.status == status:
                xml.SubElement(case, kind, message=printable(verdict.text))
    return node


def write(target, nodes):
    os.makedirs(LOGS, exist_ok=True)
    root = xml.Element('testsuites')
    root.extend(nodes)
    xml.indent(root)
    xml.ElementTree(root).write(path(target), encoding='utf-8', xml_declaration=True)


def parse(target, root):
    """The verdicts of a suite."""
    verdicts = []
    for case in root.iter('testcase'):
        test = case.get('classname').removeprefix(target).removeprefix('.')
        name = f'{test}:{case.get("name")}' if test else case.get('name')
        kind, text = 'pass', ''
        for found in case:
            kind, text = KINDS[found.tag], found.get('message')
        verdicts.append(Verdict(name, kind, text))
    return verdicts


def read(target):
    """The verdicts that a target left; None if it did not."""
    try:
        return parse(target, xml.parse(path(target)).getroot())
    except (OSError, xml.ParseError):
        return None


def complaints(verdicts):
    return [f'{verdict.name} {verdict.text}' for verdict in verdicts if verdict.status == 'fail']


def conclude(target, verdicts):
    """Write the results down; return the verdict's text, or end with it."""
    write(target, [suite(target, verdicts)])
    wrong = complaints(verdicts)
    for text in wrong:
        say(f'  ! {text}')
    if wrong:
        raise Fail(f'{line(verdicts)}; {wrong[0]}')
    if not totals(verdicts)[0]:
        raise Skip(line(verdicts))
    return line(verdicts)


SAMPLE = [Verdict('a', 'pass', ''), Verdict('x86_64/b@2m', 'fail', 'failed: <1 & "2"> 3'),
          Verdict('c:case 1: d.e', 'skip', 'no such CPU'), Verdict('c:c', 'pass', ''),
          Verdict('f', 'fail', 'ended with \x1b[0m\0')]


def check():
    """What doesn't come back as it was written, or is counted wrongly."""
    text = xml.tostring(suite('kunit', SAMPLE), encoding='unicode')
    root = xml.fromstring(text)
    want = [Verdict(*map(printable, verdict)) for verdict in SAMPLE]
    wrong = [f'JUnit: {got} was {verdict}' for got, verdict in zip(parse('kunit', root), want)
             if got != verdict]
    numbers = [int(root.get(name)) for name in ('tests', 'failures', 'skipped')]
    return wrong if wrong or numbers == [5, 2, 1] and line(SAMPLE) == \
        '2 passed, 2 failed, 1 skipped' else [f'JUnit: {numbers}, {line(SAMPLE)}']
