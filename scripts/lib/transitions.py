# The table of transitions in external.c and its copy in the documentation agree.
import os
import re

from lib.common import TOP

CODE = 'arch/x86/kvm/mmu/external.c'
TEXT = 'Documentation/virt/kvm/x86/external-page-tables.rst'
# How the document writes what the code has.
KIND = {'NP': 'NP', 'LEAF': 'leaf', 'NONLEAF': 'non-leaf', 'FROZEN': 'FROZEN_SPTE'}
POLICY = {'ALLOW': 'allow', 'REFUSE': 'refuse', 'ALLOW_FROZEN': 'frozen'}
VERB = {'NONE': '\\-', 'MAP': 'map', 'LINK': 'link', 'BEGIN_REMOVE': 'begin',
        'FINISH_REMOVE': 'finish', 'SPLIT': 'split', 'BEGIN_FREE': 'begin_free', 'FREE': 'free'}
ROW = re.compile(r'ROW\("(\w+)",\s*"(\w+)",\s*SPTE_(\w+)_TO_(\w+),\s*(\w+),\s*(true|false),'
                 r'\s*(\w+),\s*(\w+)\)')


def read(path):
    with open(os.path.join(TOP, path), encoding='utf-8') as file:
        return file.read()


def check():
    """The rows that only one of the two has."""
    code = [(row, name, f'{KIND[old]} → {KIND[new]}', lock.lower(),
             'yes' if dead == 'true' else 'no', POLICY[policy], VERB[verb])
            for row, name, old, new, lock, dead, policy, verb in ROW.findall(read(CODE))]
    text = [tuple(re.split('  +', line.strip()))
            for line in re.findall(r'^\d+[ab]? .*$', read(TEXT), re.M) if '→' in line]
    wrong = [f'{CODE}: row {row[0]} is not in {TEXT}' for row in code if row not in text]
    wrong += [f'{TEXT}: row {row[0]} is not in {CODE}' for row in text if row not in code]
    return wrong or ([] if code else [f'{CODE}: no table of transitions found'])
