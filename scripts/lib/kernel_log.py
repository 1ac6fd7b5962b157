# What a kernel says when something is wrong, and what it may say meanwhile.
import re

STAMP = re.compile(r'^(?:<\d+>)?\[\s*\d+\.\d+\](?:\[\s*[CT]\d+\])? ')

# Any of these fails a run.
BAD = re.compile('|'.join((
    r'\bWARNING:', r'\bBUG\b[: ]', r'\bUBSAN:', r'\bKASAN:', r'\bKCSAN:', r'\bKFENCE:',
    r'\bOops\b', r'Kernel panic', r'Call Trace:', r'-\[ cut here \]-',
    # lockdep
    r'possible (recursive|circular|irq) lock', r'lock order inversion',
    r'inconsistent lock state', r'bad unlock balance', r'suspicious RCU usage',
    r'trying to register non-static key', r'Invalid wait context',
    r'lock held when returning', r'held lock freed', r'turning off the locking correctness',
    r'DEBUG_LOCKS_WARN_ON',
    # scheduler and RCU
    r'rcu\w*:? .*(stall|starved)', r'detected (expedited )?stalls', r'blocked for more than',
    r'soft lockup', r'hard LOCKUP', r'scheduling while atomic', r'sleeping function called',
    # memory
    r'refcount_t:', r'list_(add|del)\S* corruption', r'unable to handle', r'[Bb]ad page',
    r'page allocation failure', r'invoked oom-killer', r'Out of memory', r'unreferenced object',
    r'(Redzone|Poison|Object padding) overwritten', r'stack is corrupted',
    # processor
    r'general protection fault', r'\binvalid opcode:', r'double fault', r'divide error',
    r'unchecked MSR access', r'Unknown kernel command line',
    # QEMU, where it shares the console
    r'KVM internal error', r'KVM: entry failed', r'error: kvm run failed',
)))

# What the kernels of the tests say at boot, by the names of /proc/cpuinfo.
CPU_FLAGS = 'tdx_test: cpu flags: '

# A test's own lines: comments and results.
TAP = re.compile(r'# |(not )?ok \d+ ')


def strip_stamp(line):
    return STAMP.sub('', line)


def cpu_flags(lines):
    """What the CPU of the machine has."""
    bare = (strip_stamp(line).strip() for line in lines)
    return {flag for line in bare if line.startswith(CPU_FLAGS)
            for flag in line[len(CPU_FLAGS):].split()}


def bad_lines(lines):
    """The kernel's own lines that report something wrong."""
    bare = (strip_stamp(line).strip() for line in lines)
    return [line for line in bare if not TAP.match(line) and BAD.search(line)]


def last_words(lines):
    """How a machine that ended too early went down, as far as its log tells."""
    bad = bad_lines(lines)
    panic = [line for line in bad if 'Kernel panic' in line]
    if panic or bad:
        return (panic or bad)[0]
    spoken = [strip_stamp(line).strip() for line in lines if line.strip()]
    return f'no word why, last line "{spoken[-1][:120]}"' if spoken else 'it never spoke'


# Texts as the kernel's sources print them, which the filter has to catch ...
CAUGHT = '''
WARNING: CPU: 1 PID: 42 at arch/x86/kvm/mmu/external.c:101 external_begin+0x11/0x20
[    1.234567] WARNING: CPU: 0 PID: 1 at kernel/softirq.c:1 x+0x1/0x2
<4>[    1.234567][   T42] ------------[ cut here ]------------
WARNING: possible circular locking dependency detected
WARNING: possible recursive locking detected
WARNING: possible irq lock inversion dependency detected
WARNING: inconsistent lock state
WARNING: bad unlock balance detected!
WARNING: suspicious RCU usage
WARNING: lock held when returning to user space!
[ BUG: Invalid wait context ]
INFO: trying to register non-static key.
BUG: MAX_LOCKDEP_ENTRIES too low!
DEBUG_LOCKS_WARN_ON(1)
BUG: sleeping function called from invalid context at mm/page_alloc.c:1
BUG: scheduling while atomic: sh/1/0x00000002
BUG: KASAN: slab-use-after-free in kvm_tdp_mmu_map+0x1/0x2
BUG: KASAN: slab-out-of-bounds in x+0x1/0x2
UBSAN: shift-out-of-bounds in arch/x86/kvm/mmu/spte.h:1:2
UBSAN: array-index-out-of-bounds in x.c:1:2
BUG: unable to handle page fault for address: ffffc90000000000
Oops: 0000 [#1] PREEMPT SMP KASAN
Oops: general protection fault, probably for non-canonical address 0xdead: 0000 [#1]
kernel BUG at mm/filemap.c:123!
Kernel panic - not syncing: Fatal exception
Kernel panic - not syncing: System is deadlocked on memory
BUG: Bad page state in process sh  pfn:12345
BUG kmalloc-64 (Not tainted): Redzone overwritten
list_del corruption. prev->next should be ffff, but was dead
list_add corruption. next->prev should be prev
refcount_t: underflow; use-after-free.
rcu: INFO: rcu_sched self-detected stall on CPU
rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
INFO: rcu_tasks detected stalls on tasks:
INFO: task sh:1 blocked for more than 120 seconds.
watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [sh:1]
unchecked MSR access error: RDMSR from 0x123 at rIP: 0xffff
sh: page allocation failure: order:0, mode:0x1
Out of memory: Killed process 42 (sh) total-vm:1kB
sh invoked oom-killer: gfp_mask=0x1
Unknown kernel command line parameters "tdx_sw=on", will be passed to user space.
KVM internal error. Suberror: 1
KVM: entry failed, hardware error 0x80000021
error: kvm run failed Bad address
'''

# ... and what it has to let pass: a test's own words, errors that a test provokes, and
# what a sound kernel says of itself and of the machine.
PASSED = '''
# BUG: the guest's own words
    # case: EXPECTATION FAILED at x.c:1
        ok 13 walk fails, bad page
    not ok 2 BUG: of a test
kvm_intel: KVM/tdx: TDH.MEM.PAGE.REMOVE failed: 0x8000020300000000
virt/tdx: module initialized
kvm: exiting hardware virtualization
kasan: KernelAddressSanitizer initialized
AMD Zen1 DIV0 bug detected. Disable SMT for full protection.
x86/split lock detection: #DB: warning on user-space bus_locks
workingset: timestamp_bits=46 max_order=18 bucket_order=0
'''


def check():
    """Texts that the filter gets wrong."""
    wrong = [f'not caught: {line}' for line in CAUGHT.strip().splitlines()
             if not bad_lines([line])]
    wrong += [f'caught: {line}' for line in PASSED.strip('\n').splitlines() if bad_lines([line])]
    return wrong
