# One emulated machine: what it needs, how it starts, its serial log and its end.
import contextlib
import os
import re
import shutil
import subprocess
import time

from lib.common import Fail, KNOBS, SLOWER, die_with_parent, end_group
from lib import bochs
from lib import kvmhost
from lib import memory
from lib.patience import Patience

# The one place that names what switches the software module and its use on.
SW_MODULE = 'tdx_sw=on'
TDX_PARAMETER = f'{SW_MODULE} kvm_intel.tdx=1'
# QEMU's timer follows the host's clock: if a busy host lets QEMU wait, Linux sees fewer
# ticks at boot than it expects, and panics as the timer "doesn't work".
QEMU_PARAMETER = 'no_timer_check'
# Bochs's port takes as long for a character as the baud rate says, and the kernel waits.
COMMON = 'console=ttyS0,115200 earlyprintk=serial,ttyS0,115200 panic=-1 loglevel=7 ' \
         'printk.devkmsg=on'
# nx_huge_pages_test wants these; the others then run with the recovery thread busy.
NX_RECOVERY = 'kvm.nx_huge_pages=on kvm.nx_huge_pages_recovery_ratio=1 ' \
              'kvm.nx_huge_pages_recovery_period_ms=100'
# KVM's own tests of guest_memfd: in QEMU on large folios, in Bochs without.
LARGE_FOLIOS = 'kvm.gmem_large_folios=2'
KINDS = ('qemu', 'bochs', 'kvm')
# What QEMU says when KVM can't go on. It stops the machine then, and waits.
KVM_GAVE_UP = re.compile(r'KVM internal error|KVM: entry failed|error: kvm run failed')


def check_kind(kind, allowed, target, need):
    """Refuse a machine that is no good for the target; need: what it needs of KVM."""
    if kind not in KINDS:
        raise Fail(f'unknown MACHINE={kind}; it is one of {", ".join(KINDS)}')
    if kind not in allowed:
        raise Fail(f'{target} does not run on MACHINE={kind}; use {" or ".join(allowed)}')
    why = kvmhost.lacks(kvmhost.here(), need) if kind == 'kvm' else ''
    if why:
        raise Fail(f'{target} cannot run on MACHINE=kvm: {why}')
    for tool in ('bochs', 'xorriso') if kind == 'bochs' else ('qemu-system-x86_64',):
        if not shutil.which(tool):
            raise Fail(f'MACHINE={kind} needs {tool}, which is not installed')


def processor(kind, model, *tcg, off=()):
    """QEMU's arguments for the CPU that CPU= names, or the host's, or with TCG model.

    off: features that it may have and must not.
    """
    # The kernels have page tables of four levels: addresses are not to be wider.
    cpu = KNOBS['CPU'] or ('host' if kind == 'kvm' else model)
    cpu = ','.join([cpu, *(f'{name}=off' for name in ('la57', *off))])
    return ['-cpu', cpu, *(['-accel', 'kvm'] if kind == 'kvm' else tcg)]


class Machine:
    def __init__(self, kind, folder, kernel, log, cpus=None):
        self.kind, self.folder, self.kernel, self.log = kind, folder, kernel, log
        self.initrd = os.path.join(folder, 'initrd')
        self.memory = memory.MACHINES[kind]
        self.cpus = cpus or 2
        # The second serial port (a Console), how long it may be silent; a raw disk image.
        self.console, self.silence, self.disk = None, 0, ''
        self.boot_limit = (600 if kind == 'bochs' else 180) * SLOWER
        self.pace = 1
        # What the tests in QEMU ask of the kernel, besides TDX.
        self.parameters = f'hugepages=64 {NX_RECOVERY} {LARGE_FOLIOS}'
        os.makedirs(folder, exist_ok=True)

    def qemu(self, line):
        # One thread: with one for each CPU, QEMU 7.2 loses its way in nested paging (the
        # guest, or its guest, ends in a triple fault), on an unpatched kernel, too.
        # Its clock counts instructions, at 32 ns, and skips idle time: with the host's,
        # limits within the guest would pass while QEMU waits for a CPU.
        cpu = processor(self.kind, 'EPYC,+svm,+npt', '-accel', 'tcg,thread=single',
                        '-icount', 'shift=5,sleep=off')
        line += f' {QEMU_PARAMETER} {self.parameters}'
        # A triple fault leaves nothing in the serial log; QEMU's own tells.
        cpu += ['-d', 'cpu_reset', '-D', os.path.join(self.folder, 'resets')]
        return ['qemu-system-x86_64', '-machine', 'q35', *cpu, '-smp', str(self.cpus),
                '-m', str(self.memory), '-nodefaults', '-no-user-config', '-display', 'none',
                '-no-reboot', '-serial', f'file:{self.log}',
                *self.qemu_more(), '-kernel', self.kernel, '-initrd', self.initrd,
                '-append', line]

    def qemu_more(self):
        port = ['-serial', self.console.path] if self.console else []
        # The one controller for disks that Bochs has, too.
        disk = ['-drive', f'file={self.disk},if=none,id=disk,format=raw', '-device',
                'piix3-ide,id=ide', '-device', 'ide-hd,bus=ide.0,drive=disk'] if self.disk else []
        return port + disk

    def bochs(self, line):
        pace, args, more = bochs.prepare(self.folder, self.log, self.memory, self.cpus,
                                         self.bochs_more())
        self.pace = pace
        bochs.make_cd(self.folder, self.kernel, self.initrd, f'{line} {more}')
        return args

    def bochs_more(self):
        port = f'com2: enabled=1, mode=term, dev={self.console.path}\n' if self.console else ''
        disk = f'ata0-slave: type=disk, mode=flat, path={self.disk}\n' if self.disk else ''
        return port + disk

    def tripled(self):
        """Whether QEMU or Bochs says that the machine went down in a triple fault."""
        for name, words in (('resets', 'Triple fault'), ('bochs.log', 'exception(): 3rd')):
            try:
                with open(os.path.join(self.folder, name), errors='replace') as file:
                    if any(words in line for line in file):
                        return True
            except FileNotFoundError:
                continue
        return False

    def run(self, watch, extra='', show=None):
        """Boot, hand each line of the serial log to watch(), end the machine.

        watch() returns the seconds of the machine's own time that may pass until its
        next line of interest, or None to leave the limit alone. Returns '' or what
        went wrong.
        """
        line = f'{COMMON} {extra}'.strip()
        open(self.log, 'w').close()
        for name in ('resets', 'bochs.log'):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.folder, name))
        args = self.bochs(line) if self.kind == 'bochs' else self.qemu(line)
        if show:
            show(args)
        with open(os.path.join(self.folder, 'stdout'), 'w') as out:
            child = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                     start_new_session=True, preexec_fn=die_with_parent,
                                     cwd=self.folder)
        try:
            return self.follow(child, watch)
        finally:
            end_group(child)

    def follow(self, child, watch):
        patience = Patience(child.pid, self.boot_limit, self.pace)
        pending = ''
        with open(self.log, errors='replace') as serial:
            while True:
                ended = child.poll() is not None
                pending += serial.read()
                *lines, pending = pending.split('\n')
                for line in lines:
                    patience.heard(watch(line.rstrip('\r')))
                if ended:
                    return self.verdict(child)
                if self.console and self.console.spoke():
                    patience.heard(self.silence)
                why = self.gave_up() or patience.lost()
                if why:
                    return why
                time.sleep(0.1)

    def said(self):
        """What the emulator itself has printed."""
        with open(os.path.join(self.folder, 'stdout'), errors='replace') as out:
            return [line.strip() for line in out if line.strip()]

    def gave_up(self):
        return next((line for line in self.said() if KVM_GAVE_UP.search(line)), '')

    def verdict(self, child):
        if self.tripled():
            return 'triple fault'
        # Bochs ends with status 1 after an ordinary power-off, too.
        if child.returncode in (0, 1) and os.path.getsize(self.log):
            return ''
        lines = self.said()
        return f'{self.kind} ended with status {child.returncode}: ' \
               f'{lines[-1] if lines else "no output"}'
