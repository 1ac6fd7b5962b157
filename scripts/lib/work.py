# What is in a tree that is nowhere else: that must not get lost when the series is
# applied anew, and still more when the tree is removed.
import hashlib
import os

from lib.common import TREE, git, short

# The name of a tree that is being removed, and may be there in part.
GONE = f'{TREE}.gone'

# The series as it was applied, and as it is being applied.
APPLIED, NEXT = 'refs/tdx/applied', 'refs/tdx/next'
# Work trees that scripts make beside the tree, and make again.
OURS = ('am', 'check/linux', 'bench/base-linux')
# The branch of the series is looked at by itself.
KNOWN = ('refs/heads/tdx', 'refs/tags/base')


def note(name, tree=TREE):
    """A file that scripts have left in the tree's .git, '' if they have not."""
    try:
        with open(os.path.join(tree, '.git', name)) as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return ''


def is_ours(tree):
    """Whether "make tree" has made it."""
    return bool(note('tdx-base', tree))


def digest(path):
    with open(path, 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()


def copies(tree=TREE):
    """Path -> the digests that the copy of an overlay file may have, as far as is known."""
    known = {}
    for line in note('tdx-overlay', tree).splitlines():
        sum_, path = line.split(' ', 1)
        known.setdefault(path, set()).add(sum_)
    return known


def edited_copy(known, tree=TREE):
    """The first copy of an overlay file that is not as it was copied, or ''."""
    for path, sums in sorted(known.items()):
        copy = os.path.join(tree, path)
        if os.path.exists(copy) and digest(copy) not in sums:
            return path
    return ''


def unfinished(tree=TREE):
    """What is not committed in the tree, as text; '' when nothing."""
    for state in ('rebase-merge', 'rebase-apply'):
        if os.path.exists(os.path.join(tree, '.git', state)):
            return 'a rebase in progress'
    dirty = git('status', '--porcelain', '--untracked-files=all', cwd=tree).splitlines()
    return f'uncommitted changes ({dirty[0][3:]})' if dirty else ''


def off_branch(tree=TREE):
    """'' or why HEAD is not where the series is."""
    head = git('symbolic-ref', '-q', 'HEAD', cwd=tree, check=False).stdout.strip()
    return '' if head == 'refs/heads/tdx' else \
        f'{short(tree)} is not on its branch; git -C {short(tree)} checkout tdx'


def advice(left):
    """What to do about what unexported() says."""
    return 'git checkout tdx there' if left.startswith('an older') else \
        'commit, then "make export"'


def unexported(tree=TREE):
    """What the tree holds that the series does not, as text; '' when nothing."""
    left = unfinished(tree)
    if left:
        return left
    heads = git('for-each-ref', '--format=%(objectname)', APPLIED, NEXT, cwd=tree).split()
    # Applying the series moves the branch, too, even if HEAD is elsewhere.
    for name in ('HEAD', 'refs/heads/tdx'):
        if git('rev-list', '-1', name, '--not', *heads, cwd=tree, check=False).stdout:
            return 'commits that are not in the series'
    if git('rev-parse', 'HEAD', cwd=tree).strip() not in heads:
        return 'an older commit than the last of the series'
    return ''


def branches(tree):
    """References whose commits are in the tree alone, as text."""
    for line in git('for-each-ref', '--format=%(refname)', cwd=tree).splitlines():
        # Those of remotes can be fetched again, those of scripts be made.
        if line.startswith(('refs/remotes/', 'refs/tdx/')) or line in KNOWN:
            continue
        if git('rev-list', '-1', line, '--not', APPLIED, '--remotes', cwd=tree):
            kind, _, name = line.removeprefix('refs/').partition('/')
            yield {'heads': f'the branch {name}', 'stash': 'a stash',
                   'tags': f'the tag {name}'}.get(kind, line)


def work_trees(tree):
    """Further work trees, whose git is the tree's."""
    known = [os.path.realpath(tree),
             *(os.path.realpath(os.path.join(tree, '..', name)) for name in OURS)]
    for line in git('worktree', 'list', '--porcelain', cwd=tree).splitlines():
        path = line.removeprefix('worktree ')
        if path != line and os.path.realpath(path) not in known and os.path.exists(path):
            yield f'the work tree {path}'


def ignored(tree):
    """Files that git ignores, and that aren't copies of the overlay's."""
    known = set(copies(tree))
    args = ('status', '--porcelain', '--untracked-files=all', '--ignored')
    for line in git(*args, cwd=tree).splitlines():
        path = line[3:]
        if line.startswith('!! ') and path not in known and '__pycache__' not in path:
            yield f'the file {path}'


def losses(tree=TREE):
    """All that would get lost with the tree, as texts."""
    found = [unexported(tree)]
    copy = edited_copy(copies(tree), tree)
    found.append(copy and f'an edited copy of the overlay\'s {copy}')
    return [text for text in found if text] + \
        [*branches(tree), *work_trees(tree), *ignored(tree)]


def refusal(tree=TREE):
    """'' or why the tree must not be removed."""
    if not os.path.lexists(tree):
        return ''
    if not is_ours(tree):
        return f'{short(tree)} was not made by "make tree"; move it away'
    lost = losses(tree)
    text = ', '.join(lost[:3]) + (f' and {len(lost) - 3} more' if len(lost) > 3 else '')
    return f'{short(tree)} holds {text}, which would be lost; export it or keep it ' \
           f'elsewhere' if lost else ''
