# MACHINE=kvm: what the host has to have for its KVM to stand in for an emulator.
import collections
import os
import re

# What a target needs of KVM: to run a kernel; one that has KVM itself; and one whose
# KVM has VMX, and all of it that TDs need.
KERNEL, VMS, TDS = 'kernel', 'VMs', 'TDs'
# What the software module cannot enter TDs without (vmx_setup() has the whole list), and
# KVM not build them without, by the names of "vmx flags" in /proc/cpuinfo. Other CPUs
# than those that lack one of these have the rest.
FOR_TDS = ('ept', 'ept_ad', 'unrestricted_guest', 'vnmi', 'vtpr', 'vapic_reg', 'tsc_scaling')
MODULES = ('kvm_intel', 'kvm_amd')

# device: '' or what is wrong with /dev/kvm; nested: module -> its parameter, of those that
# are loaded; vmx: flags, None if the kernel doesn't tell.
Host = collections.namedtuple('Host', 'device nested vmx')


def read(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return ''


def vmx_flags(cpuinfo):
    found = re.search(r'^vmx flags\s*:(.*)$', cpuinfo, re.M)
    return set(found.group(1).split()) if found else None


def here():
    device = ''
    if not os.path.exists('/dev/kvm'):
        device = 'there is no /dev/kvm'
    elif not os.access('/dev/kvm', os.R_OK | os.W_OK):
        device = 'no permission to use /dev/kvm'
    nested = {name: read(f'/sys/module/{name}/parameters/nested') for name in MODULES
              if os.path.exists(f'/sys/module/{name}')}
    return Host(device, nested, vmx_flags(read('/proc/cpuinfo')))


def lacks(host, need):
    """'' or why a target can't run here."""
    if host.device:
        return host.device
    if need == KERNEL:
        return ''
    wanted = MODULES if need == VMS else MODULES[:1]
    if not any(host.nested.get(name) in ('Y', '1') for name in wanted):
        have = [f'{name} with nested={value or "?"}' for name, value in host.nested.items()]
        return f'{need} in its guest need {" or ".join(wanted)} with nested=1, and this ' \
               f'host has {" and ".join(have) or "neither kvm_intel nor kvm_amd"}'
    missing = [name for name in FOR_TDS if name not in host.vmx] \
        if need == TDS and host.vmx is not None else []
    if missing:
        return f'TDs in its guest need {", ".join(missing)} of the CPU\'s VMX, which ' \
               f'this one lacks'
    return ''
