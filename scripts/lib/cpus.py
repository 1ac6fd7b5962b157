# The CPUs that the tests may meet, faked: what is expected of them follows what their
# kernels say, and what a target needs of KVM follows the host.
from lib import kernel_log
from lib import kvmhost
from lib import testlist
from lib.kvmhost import Host, KERNEL, TDS, VMS

MOVDIR64B = 'tdx_pages:movdir64b_clears_the_range_and_no_more'
SPEC_CTRL = 'tdx_sw_entry:tdx_sw_entry.spec_ctrl_is_the_guests_own'
MONITOR = {'tdx_sw_vp:enter_checks_in_order',
           'tdx_sw_vp:entry_on_a_changed_cpu_is_in_no_epoch'}
AVX = 'tdx_sw_cr:xcr0_has_its_dependencies'
XCR0 = 'kvm_tdx_entry:host_state_is_back_after_every_entry'

# A machine, the flags of its CPU that matter here, the cases that skip there. KVM keeps
# MONITOR from its guests, unless QEMU has it give the CPU away.
CPUS = (
    ('Bochs', 'fpu monitor avx avx2 pku', {MOVDIR64B, SPEC_CTRL}),
    ('QEMU, max', 'fpu monitor svm avx avx2 pku ibpb', {MOVDIR64B, SPEC_CTRL}),
    ('QEMU, EPYC', 'fpu monitor svm avx avx2 ibpb', {MOVDIR64B, SPEC_CTRL}),
    ('QEMU, qemu64', 'fpu', {MOVDIR64B, SPEC_CTRL, AVX, XCR0} | MONITOR),
    ('Haswell, first microcode', 'fpu avx avx2', {MOVDIR64B, SPEC_CTRL} | MONITOR),
    ('Haswell', 'fpu avx avx2 ibrs ibpb stibp', {MOVDIR64B} | MONITOR),
    ('Haswell, Pentium', 'fpu ibrs ibpb stibp', {MOVDIR64B, AVX, XCR0} | MONITOR),
    ('Broadwell', 'fpu avx avx2 rtm ibrs ibpb stibp', {MOVDIR64B} | MONITOR),
    ('Skylake-SP', 'fpu avx avx512f pku ibrs ibpb stibp', {MOVDIR64B} | MONITOR),
    ('Cascade Lake', 'fpu avx avx512f pku ibrs ibrs_enhanced', {MOVDIR64B} | MONITOR),
    ('Ice Lake-SP', 'fpu avx avx512f pku la57 ibrs ibrs_enhanced', {MOVDIR64B} | MONITOR),
    ('Tiger Lake', 'fpu avx avx512f pku movdiri movdir64b ibrs ibrs_enhanced', MONITOR),
    ('Sapphire Rapids', 'fpu avx avx512f pku movdir64b amx_tile ibrs ibrs_enhanced', MONITOR),
    ('Sapphire Rapids, cpu-pm=on', 'fpu monitor avx pku movdir64b waitpkg ibrs', set()),
    ('Granite Rapids', 'fpu avx pku movdir64b amx_tile amx_fp16 ibrs ibrs_enhanced', MONITOR),
    ('Sierra Forest', 'fpu avx pku movdir64b avx_vnni ibrs ibrs_enhanced', MONITOR),
    ('Genoa', 'fpu svm avx avx512f pku ibrs ibpb stibp', {MOVDIR64B} | MONITOR),
    ('AVX kept away', 'fpu pku movdir64b ibrs', {AVX} | MONITOR),
)

HASWELL_EP = 'vnmi preemption_timer posted_intr invvpid ept_x_only ept_ad ept_1gb ' \
             'flexpriority apicv tsc_offset vtpr mtf vapic ept vpid unrestricted_guest ' \
             'vapic_reg vid ple shadow_vmcs'
COFFEE_LAKE = 'vnmi preemption_timer invvpid ept_x_only ept_ad ept_1gb flexpriority ' \
              'tsc_offset vtpr mtf vapic ept vpid unrestricted_guest ple shadow_vmcs pml ' \
              'ept_mode_based_exec'
SKYLAKE_SP = f'{HASWELL_EP} pml ept_mode_based_exec tsc_scaling'
SAPPHIRE_RAPIDS = f'{SKYLAKE_SP} usr_wait_pause ept_5level notify_vm_exiting ipi_virt'


def intel(vmx, nested='Y'):
    return Host('', {'kvm_intel': nested}, vmx and kvmhost.vmx_flags(f'vmx flags\t: {vmx}\n'))


# A host, and a word of why it lacks what a kernel, VMs in it, and TDs in it need.
NO_DEVICE = 'there is no /dev/kvm'
HOSTS = (
    ('no KVM', Host(NO_DEVICE, {}, None), NO_DEVICE, NO_DEVICE, NO_DEVICE),
    ('KVM of another kind', Host('', {}, None), '', 'neither', 'neither'),
    ('AMD', Host('', {'kvm_amd': '1'}, None), '', '', 'kvm_amd with nested=1'),
    ('AMD, nested off', Host('', {'kvm_amd': '0'}, None), '', 'nested=0', 'nested=0'),
    ('nested off', intel(SKYLAKE_SP, 'N'), '', 'nested=N', 'nested=N'),
    ('Haswell-EP', intel(HASWELL_EP), '', '', 'need tsc_scaling of'),
    ('Broadwell-EP', intel(f'{HASWELL_EP} pml'), '', '', 'need tsc_scaling of'),
    ('Coffee Lake', intel(COFFEE_LAKE), '', '', 'need vapic_reg, tsc_scaling of'),
    ('Skylake-SP', intel(SKYLAKE_SP), '', '', ''),
    ('Skylake-SP, Linux 5.4', intel(None, '1'), '', '', ''),
    ('Sapphire Rapids', intel(SAPPHIRE_RAPIDS), '', '', ''),
    ('Granite Rapids', intel(SAPPHIRE_RAPIDS), '', '', ''),
)


def judged(entries, skips, flags):
    """The verdicts on the whole list, with the given cases skipped."""
    log = [f'[    1.234567] {kernel_log.CPU_FLAGS}{word}' for word in flags.split()]
    found = [(entry.name, 'skip' if entry.name in skips else 'ok', '') for entry in entries]
    return testlist.judge(entries, found, kernel_log.cpu_flags(log))


def failed(verdicts):
    return {verdict.name for verdict in verdicts if verdict.status == 'fail'}


def check_cpu(entries, name, flags, skips):
    cases = {entry.name for entry in entries if entry.without}
    verdicts = judged(entries, skips, flags)
    wrong = [f'CPU {name}: {verdict.name} {verdict.text}' for verdict in verdicts
             if verdict.status != ('skip' if verdict.name in skips else 'pass')]
    if len(verdicts) != len(entries) or skips - cases:
        wrong.append(f'CPU {name}: {len(verdicts)} verdicts, skips of {skips - cases}')
    # Each of them the other way round fails the run.
    return wrong + [f'CPU {name}: {case} may skip or pass' for case in sorted(cases)
                    if failed(judged(entries, skips ^ {case}, flags)) != {case}]


def check():
    """CPUs and hosts that are judged wrongly."""
    entries, wrong = testlist.read(), []
    for cpu in CPUS:
        wrong += check_cpu(entries, *cpu)
    if 'the machine' not in failed(judged(entries, set(), '')):
        wrong.append('a log without CPU flags is no failure')
    for name, host, *words in HOSTS:
        for need, word in zip((KERNEL, VMS, TDS), words):
            why = kvmhost.lacks(host, need)
            if bool(why) != bool(word) or word not in why:
                wrong.append(f'host {name}, {need}: "{why}", want "{word}"')
    return wrong
