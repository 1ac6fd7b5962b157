// SPDX-License-Identifier: GPL-2.0
/*
 * TDVMCALLs that stand for an instruction: what KVM does for any VM that exits for it.
 */
#include <linux/kvm_host.h>
#include <linux/log2.h>

#include <trace/events/kvm.h>

#include "cpuid.h"
#include "kvm_cache_regs.h"
#include "tdx_vmcall.h"
#include "trace.h"

static bool tdx_is_access_size(u64 size, u64 max)
{
	return size && size <= max && is_power_of_2(size);
}

/*
 * Instructions
 */

int tdx_emulate_cpuid(struct kvm_vcpu *vcpu)
{
	struct tdx_module_args *regs = tdx_regs(vcpu);
	u32 eax = regs->r12, ebx, ecx = regs->r13, edx;

	kvm_cpuid(vcpu, &eax, &ebx, &ecx, &edx, false);

	regs->r12 = eax;
	regs->r13 = ebx;
	regs->r14 = ecx;
	regs->r15 = edx;
	return tdx_answer(vcpu, TDVMCALL_STATUS_SUCCESS);
}

int tdx_emulate_hlt(struct kvm_vcpu *vcpu)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);

	WRITE_ONCE(tdx->halt, tdx->vmcall.r12 ? TDX_HALTED_INTR_BLOCKED : TDX_HALTED);
	tdx_answer(vcpu, TDVMCALL_STATUS_SUCCESS);

	return kvm_emulate_halt_noskip(vcpu);
}

static int tdx_complete_pio_out(struct kvm_vcpu *vcpu)
{
	vcpu->arch.pio.count = 0;
	return tdx_answer(vcpu, TDVMCALL_STATUS_SUCCESS);
}

static int tdx_complete_pio_in(struct kvm_vcpu *vcpu)
{
	u64 value = 0;

	complete_emulator_pio_in(vcpu, &value);
	return tdx_answer_value(vcpu, TDVMCALL_STATUS_SUCCESS, value);
}

static int tdx_emulate_pio_out(struct kvm_vcpu *vcpu, int size, u16 port)
{
	u64 value = tdx_regs(vcpu)->r15;

	if (emulator_pio_out(vcpu, size, port, &value, 1))
		return tdx_answer(vcpu, TDVMCALL_STATUS_SUCCESS);

	vcpu->arch.complete_userspace_io = tdx_complete_pio_out;
	return 0;
}

static int tdx_emulate_pio_in(struct kvm_vcpu *vcpu, int size, u16 port)
{
	u64 value = 0;

	if (emulator_pio_in(vcpu, size, port, &value, 1))
		return tdx_answer_value(vcpu, TDVMCALL_STATUS_SUCCESS, value);

	vcpu->arch.complete_userspace_io = tdx_complete_pio_in;
	return 0;
}

int tdx_emulate_io(struct kvm_vcpu *vcpu)
{
	struct tdx_module_args *regs = tdx_regs(vcpu);
	u64 size = regs->r12, write = regs->r13, port = regs->r14;

	++vcpu->stat.io_exits;

	if (!tdx_is_access_size(size, sizeof(u32)) || write > 1 || port > U16_MAX)
		return tdx_answer(vcpu, TDVMCALL_STATUS_INVALID_OPERAND);

	return write ? tdx_emulate_pio_out(vcpu, size, port) :
		       tdx_emulate_pio_in(vcpu, size, port);
}

static int tdx_complete_mmio(struct kvm_vcpu *vcpu)
{
	u64 value = 0;

	vcpu->mmio_needed = 0;

	if (vcpu->mmio_is_write)
		return tdx_answer(vcpu, TDVMCALL_STATUS_SUCCESS);

	memcpy(&value, vcpu->run->mmio.data, tdx_regs(vcpu)->r12);
	trace_kvm_mmio(KVM_TRACE_MMIO_READ, tdx_regs(vcpu)->r12,
		       vcpu->run->mmio.phys_addr, &value);
	return tdx_answer_value(vcpu, TDVMCALL_STATUS_SUCCESS, value);
}

static int tdx_exit_for_mmio(struct kvm_vcpu *vcpu, gpa_t gpa, u64 *value,
			     unsigned int size, bool write)
{
	kvm_prepare_mmio_exit(vcpu, gpa, value, size, write);
	vcpu->arch.complete_userspace_io = tdx_complete_mmio;
	return 0;
}

static int tdx_emulate_mmio_write(struct kvm_vcpu *vcpu, gpa_t gpa,
				  unsigned int size)
{
	u64 value = tdx_regs(vcpu)->r15;

	/* What waits for a write of any value and size takes precedence. */
	if (!kvm_io_bus_write(vcpu, KVM_FAST_MMIO_BUS, gpa, 0, NULL)) {
		trace_kvm_fast_mmio(gpa);
		return tdx_answer(vcpu, TDVMCALL_STATUS_SUCCESS);
	}

	trace_kvm_mmio(KVM_TRACE_MMIO_WRITE, size, gpa, &value);
	if (!kvm_io_bus_write(vcpu, KVM_MMIO_BUS, gpa, size, &value))
		return tdx_answer(vcpu, TDVMCALL_STATUS_SUCCESS);

	return tdx_exit_for_mmio(vcpu, gpa, &value, size, true);
}

static int tdx_emulate_mmio_read(struct kvm_vcpu *vcpu, gpa_t gpa,
				 unsigned int size)
{
	u64 value = 0;

	if (!kvm_io_bus_read(vcpu, KVM_MMIO_BUS, gpa, size, &value)) {
		trace_kvm_mmio(KVM_TRACE_MMIO_READ, size, gpa, &value);
		return tdx_answer_value(vcpu, TDVMCALL_STATUS_SUCCESS, value);
	}

	trace_kvm_mmio(KVM_TRACE_MMIO_READ_UNSATISFIED, size, gpa, NULL);
	return tdx_exit_for_mmio(vcpu, gpa, &value, size, false);
}

int tdx_emulate_mmio(struct kvm_vcpu *vcpu)
{
	struct tdx_module_args *regs = tdx_regs(vcpu);
	u64 size = regs->r12, write = regs->r13;
	gpa_t gpa = regs->r14, last = gpa + size - 1;

	++vcpu->stat.mmio_exits;

	/* Private memory is memory. */
	if (!tdx_is_access_size(size, sizeof(u64)) || write > 1 ||
	    !tdx_is_legal_gpa(vcpu, gpa) || !tdx_is_legal_gpa(vcpu, last) ||
	    !kvm_is_addr_direct(vcpu->kvm, gpa) ||
	    !kvm_is_addr_direct(vcpu->kvm, last))
		return tdx_answer(vcpu, TDVMCALL_STATUS_INVALID_OPERAND);

	gpa = kvm_gpa_strip_direct_bits(vcpu->kvm, gpa);
	return write ? tdx_emulate_mmio_write(vcpu, gpa, size) :
		       tdx_emulate_mmio_read(vcpu, gpa, size);
}

/*
 * KVM's emulation of the MSR instructions has its operands in RCX, RAX and RDX,
 * which for a TD are nothing but a place to put them.  The value that was read
 * is fetched by tdx_complete_emulated_msr().
 */
int tdx_emulate_rdmsr(struct kvm_vcpu *vcpu)
{
	struct tdx_module_args *regs = tdx_regs(vcpu);

	if (regs->r12 > U32_MAX)
		return tdx_answer(vcpu, TDVMCALL_STATUS_INVALID_OPERAND);

	kvm_rcx_write(vcpu, regs->r12);
	return kvm_emulate_rdmsr(vcpu);
}

int tdx_emulate_wrmsr(struct kvm_vcpu *vcpu)
{
	struct tdx_module_args *regs = tdx_regs(vcpu);

	if (regs->r12 > U32_MAX)
		return tdx_answer(vcpu, TDVMCALL_STATUS_INVALID_OPERAND);

	kvm_rcx_write(vcpu, regs->r12);
	kvm_rax_write(vcpu, lower_32_bits(regs->r13));
	kvm_rdx_write(vcpu, upper_32_bits(regs->r13));
	return kvm_emulate_wrmsr(vcpu);
}

int tdx_complete_emulated_msr(struct kvm_vcpu *vcpu, int err)
{
	if (err)
		return tdx_answer(vcpu, TDVMCALL_STATUS_INVALID_OPERAND);

	if (tdx_regs(vcpu)->r11 == EXIT_REASON_MSR_READ)
		tdx_regs(vcpu)->r11 = kvm_read_edx_eax(vcpu);

	return tdx_answer(vcpu, TDVMCALL_STATUS_SUCCESS);
}
