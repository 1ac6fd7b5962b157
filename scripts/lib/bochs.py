# Bochs: how it starts, what kernels need in it, and the CD that they boot from.
import os
import shutil
import subprocess
import threading

from lib.common import Fail, KNOBS, OUT, TOP, say
from lib.locks import alone

CPU = 'corei7_skylake_x'

RC = '''config_interface: textconfig
display_library: rfb, options="timeout=0"
plugin_ctrl: unmapped=true, biosdev=true, speaker=false, extfpuirq=true, parallel=false, serial=true
megs: {megs}
cpu: model={model}, count={cpus}, ips=125000000, reset_on_triple_fault=0, ignore_bad_msrs=1
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
boot: cdrom
ata0-master: type=cdrom, path={folder}/image.iso, status=inserted
com1: enabled=1, mode=file, dev={log}
{more}log: {folder}/bochs.log
panic: action=fatal
clock: sync=none, time0=utc
'''

ISOLINUX = '''default linux
prompt 0
timeout 0
label linux
  kernel /linux
  initrd /initrd
  append {line}
'''

# Tells whether AVX state survives the compacted format (XSAVEC, XSAVES): in Bochs 2.7 it
# doesn't, and what copies memory by AVX corrupts it.
PROBE = os.path.join(TOP, 'scripts/xsave-probe.S')
PROBE_HOME = os.path.join(OUT, 'run/xsave-probe')
PROBE_SECONDS = 60
PROBING = threading.Lock()


def about():
    """What Bochs says of itself: its options, and its version."""
    done = subprocess.run(['bochs', '--help'], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    return done.stdout + done.stderr


def version(text):
    for line in text.splitlines():
        if 'Bochs x86 Emulator' in line:
            return line.split()[3]
    return ''


def tool(*args, cwd=None):
    done = subprocess.run(args, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise Fail(f'{args[0]}: {done.stderr.strip().splitlines()[-1]}')


def command(folder, log, megs, cpus, more, text):
    """Bochs's command line, whose files are written; text: what Bochs says of itself."""
    for name, content in (('bochsrc', RC.format(megs=megs, cpus=cpus, more=more, folder=folder,
                                                log=log, model=KNOBS['CPU'] or CPU)),
                          # The debugger waits for this.
                          ('debugger', 'c\n')):
        with open(os.path.join(folder, name), 'w') as file:
            file.write(content)
    # The loop that Bochs 3.0 executes several processors in otherwise loses a guest's
    # RIP at times, see tdx-testing.rst. Where the debugger is no option it always runs.
    debugger = ['-debugger'] if '  -debugger ' in text else []
    return ['bochs', '-q', *debugger, '-f', os.path.join(folder, 'bochsrc'),
            '-rc', os.path.join(folder, 'debugger')]


def prepare(folder, log, megs, cpus, more=''):
    """Bochs's pace, its command line, and what the kernel's needs in it."""
    text = about()
    args = command(folder, log, megs, cpus, more, text)
    return 3 if '-debugger' in args else 1, args, parameters(text)


def parameters(text):
    # The model reports 8 cores however many processors there are; and Bochs 2.7
    # an AVX-512 state that Linux finds inconsistent.
    clear = ['ht'] + (['avx512f'] if version(text).startswith('2.') else [])
    # KVM and the software module do without, too, and their guests.
    clear += ['xsaves', 'xsavec'] if loses_avx(text) else []
    # CPUID tells 3.5 GHz, but the TSC counts instructions: with that rate a second
    # of sleep takes minutes as soon as two processors idle through it.
    # Bochs 2.7 has no posted interrupts, and 3.0 wants the descriptor aligned to a page.
    # Two processors that idle in MWAIT took minutes for seconds, and hung now and
    # then, as if the wake-up by a write got lost. HLT is woken by an IPI.
    return 'kvm_intel.enable_apicv=0 tsc_early_khz=125000 idle=halt ' \
           f'clearcpuid={",".join(clear)}'


def make_cd(folder, kernel, initrd, line):
    root = os.path.join(folder, 'iso')
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(os.path.join(root, 'isolinux'))
    for source, name in (('/usr/lib/ISOLINUX/isolinux.bin', 'isolinux/isolinux.bin'),
                         ('/usr/lib/syslinux/modules/bios/ldlinux.c32', 'isolinux/ldlinux.c32'),
                         (kernel, 'linux'), (initrd, 'initrd')):
        shutil.copy(source, os.path.join(root, name))
    with open(os.path.join(root, 'isolinux/isolinux.cfg'), 'w') as file:
        file.write(ISOLINUX.format(line=line))
    tool('xorriso', '-as', 'mkisofs', '-quiet', '-o', os.path.join(folder, 'image.iso'),
         '-b', 'isolinux/isolinux.bin', '-c', 'isolinux/boot.cat', '-no-emul-boot',
         '-boot-load-size', '4', '-boot-info-table', root)
    shutil.rmtree(root)


def make_probe(folder):
    """A CD that boots the probe."""
    root = os.path.join(folder, 'cd')
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(root)
    tool('gcc', '-m32', '-E', '-P', '-x', 'assembler-with-cpp', PROBE, '-o', 'probe.s', cwd=folder)
    tool('as', '--32', 'probe.s', '-o', 'probe.o', cwd=folder)
    tool('ld', '-m', 'elf_i386', '-Ttext', '0x7c00', '--oformat', 'binary', 'probe.o',
         '-o', 'cd/probe', cwd=folder)
    tool('xorriso', '-as', 'mkisofs', '-quiet', '-o', 'image.iso', '-b', 'probe',
         '-no-emul-boot', '-boot-load-size', '4', 'cd', cwd=folder)


def ask_probe(text):
    folder, log = PROBE_HOME, os.path.join(PROBE_HOME, 'serial')
    make_probe(folder)
    with open(os.path.join(folder, 'stdout'), 'w') as out:
        try:
            subprocess.run(command(folder, log, 32, 1, '', text), cwd=folder, stdout=out,
                           stderr=out, stdin=subprocess.DEVNULL, timeout=PROBE_SECONDS)
        except subprocess.TimeoutExpired:
            raise Fail(f'Bochs hung in scripts/{os.path.basename(PROBE)}')
    if not os.path.exists(log):
        raise Fail(f'Bochs did not get as far as scripts/{os.path.basename(PROBE)}')
    with open(log) as file:
        return file.read().strip()


def loses_avx(text):
    """The probe's answer, for which it is asked once."""
    kept = os.path.join(OUT, 'run', f'xsave-{version(text)}-{KNOBS["CPU"] or CPU}')
    with PROBING, alone('xsave-probe', 'a probe of Bochs'):
        if not os.path.exists(kept):
            found = ask_probe(text)
            if found not in ('kept', 'lost', 'none'):
                raise Fail(f'scripts/{os.path.basename(PROBE)} says "{found}" in Bochs')
            if found == 'lost':
                say(f'  Bochs {version(text)} loses AVX state in the compacted format; kernels '
                    f'in it do without XSAVEC and XSAVES')
            with open(kept, 'w') as file:
                file.write(found)
    with open(kept) as file:
        return file.read() == 'lost'
