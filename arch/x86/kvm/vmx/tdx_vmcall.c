// SPDX-License-Identifier: GPL-2.0
/*
 * TDVMCALLs: what a TD asks of KVM and its userspace.
 *
 * The registers of the call are in vcpu_tdx.vmcall, which is also where the answer
 * goes: status in R10, in most cases a value in R11.  The guest finds it in the
 * registers that it selected for the call when it is entered next.
 *
 * R10 = 0 is a call that R11 tells the kind of, see tdx_vmcalls[]; what is not
 * in there is answered "unsupported", for guests to be able to ask.  Any other
 * value in R10 is the number of a KVM hypercall.
 *
 * A call that KVM can't answer exits to userspace, and is completed at the
 * beginning of the next KVM_RUN.  The result that stands in kvm_run by then is
 * well-formed even if userspace has never heard of the exit.
 */
#include <linux/kvm_host.h>
#include <linux/sizes.h>

#include "tdx_vmcall.h"

/* The most of a MapGPA request that userspace is asked for at once. */
#define TDX_MAP_GPA_STEP	SZ_2M

/* Vectors below are reserved for exceptions. */
#define TDX_MIN_NOTIFY_VECTOR	32
#define TDX_MAX_NOTIFY_VECTOR	255

/* Words of KVM_SYSTEM_EVENT_TDX_FATAL: the general registers in their order */
#define TDX_NR_FATAL_WORDS	16

/*
 * KVM_EXIT_TDX
 */

/* @ret is the answer of a userspace that knows nothing of the exit. */
static int tdx_exit_to_user(struct kvm_vcpu *vcpu, u64 leaf, u64 ret,
			    int (*complete)(struct kvm_vcpu *vcpu))
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_TDX;
	memset(&run->tdx, 0, sizeof(run->tdx));
	run->tdx.nr = leaf;
	run->tdx.unknown.ret = ret;

	vcpu->arch.complete_userspace_io = complete;
	return 0;
}

static int tdx_complete_simple(struct kvm_vcpu *vcpu)
{
	return tdx_answer(vcpu, vcpu->run->tdx.unknown.ret);
}

static int tdx_complete_get_info(struct kvm_vcpu *vcpu)
{
	struct tdx_module_args *regs = tdx_regs(vcpu);
	struct kvm_run *run = vcpu->run;

	regs->r11 = run->tdx.get_tdvmcall_info.r11;
	regs->r12 = run->tdx.get_tdvmcall_info.r12;
	regs->r13 = run->tdx.get_tdvmcall_info.r13;
	regs->r14 = run->tdx.get_tdvmcall_info.r14;
	return tdx_answer(vcpu, run->tdx.get_tdvmcall_info.ret);
}

static int tdx_get_info(struct kvm_vcpu *vcpu)
{
	struct tdx_module_args *regs = tdx_regs(vcpu);

	switch (regs->r12) {
	case 0:
		/* All calls of the base set are there. */
		regs->r11 = 0;
		regs->r12 = 0;
		regs->r13 = 0;
		regs->r14 = 0;
		return tdx_answer(vcpu, TDVMCALL_STATUS_SUCCESS);
	case 1:
		/* Of the optional ones KVM itself has none. */
		tdx_exit_to_user(vcpu, regs->r11, TDVMCALL_STATUS_SUCCESS,
				 tdx_complete_get_info);
		vcpu->run->tdx.get_tdvmcall_info.leaf = regs->r12;
		return 0;
	default:
		return tdx_answer(vcpu, TDVMCALL_STATUS_INVALID_OPERAND);
	}
}

static int tdx_get_quote(struct kvm_vcpu *vcpu)
{
	struct tdx_module_args *regs = tdx_regs(vcpu);
	gpa_t gpa = regs->r12;

	/* Userspace can't read it, nor write the quote to it. */
	if (!kvm_is_addr_direct(vcpu->kvm, gpa))
		return tdx_answer(vcpu, TDVMCALL_STATUS_INVALID_OPERAND);

	tdx_exit_to_user(vcpu, regs->r11, TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED,
			 tdx_complete_simple);
	vcpu->run->tdx.get_quote.gpa = kvm_gpa_strip_direct_bits(vcpu->kvm, gpa);
	vcpu->run->tdx.get_quote.size = regs->r13;
	return 0;
}

static int tdx_setup_event_notify(struct kvm_vcpu *vcpu)
{
	struct tdx_module_args *regs = tdx_regs(vcpu);
	u64 vector = regs->r12;

	if (vector < TDX_MIN_NOTIFY_VECTOR || vector > TDX_MAX_NOTIFY_VECTOR)
		return tdx_answer(vcpu, TDVMCALL_STATUS_INVALID_OPERAND);

	tdx_exit_to_user(vcpu, regs->r11, TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED,
			 tdx_complete_simple);
	vcpu->run->tdx.setup_event_notify.vector = vector;
	return 0;
}

/*
 * MapGPA
 *
 * Memory is converted by userspace, in steps, between which the guest gets to
 * serve its interrupts: it is told how far it has got, and asks for the rest.
 */

static int tdx_complete_map_gpa(struct kvm_vcpu *vcpu);

/* R11 is where to go on, or where it went wrong. */
static int tdx_answer_map_gpa(struct kvm_vcpu *vcpu, u64 status, gpa_t gpa)
{
	return tdx_answer_value(vcpu, status, gpa);
}

static int tdx_map_next_step(struct kvm_vcpu *vcpu)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	gpa_t gpa = tdx->map_gpa_next;
	u64 size = min_t(u64, tdx->map_gpa_end - gpa, TDX_MAP_GPA_STEP);
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_HYPERCALL;
	run->hypercall.nr = KVM_HC_MAP_GPA_RANGE;
	run->hypercall.args[0] = kvm_gpa_strip_direct_bits(vcpu->kvm, gpa);
	run->hypercall.args[1] = size >> PAGE_SHIFT;
	run->hypercall.args[2] = kvm_is_addr_direct(vcpu->kvm, gpa) ?
				 KVM_MAP_GPA_RANGE_DECRYPTED :
				 KVM_MAP_GPA_RANGE_ENCRYPTED;
	/* What userspace means if it doesn't write a result. */
	run->hypercall.ret = 0;
	run->hypercall.flags = KVM_EXIT_HYPERCALL_LONG_MODE;

	vcpu->arch.complete_userspace_io = tdx_complete_map_gpa;
	return 0;
}

static int tdx_complete_map_step(struct kvm_vcpu *vcpu)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);

	tdx->map_gpa_next += min_t(u64, tdx->map_gpa_end - tdx->map_gpa_next,
				   TDX_MAP_GPA_STEP);

	if (tdx->map_gpa_next >= tdx->map_gpa_end)
		return tdx_answer(vcpu, TDVMCALL_STATUS_SUCCESS);

	if (kvm_vcpu_has_events(vcpu))
		return tdx_answer_map_gpa(vcpu, TDVMCALL_STATUS_RETRY,
					  tdx->map_gpa_next);

	return tdx_map_next_step(vcpu);
}

static int tdx_complete_map_gpa(struct kvm_vcpu *vcpu)
{
	gpa_t gpa = to_tdx(vcpu)->map_gpa_next;

	switch (vcpu->run->hypercall.ret) {
	case 0:
		return tdx_complete_map_step(vcpu);
	case EAGAIN:
		return tdx_answer_map_gpa(vcpu, TDVMCALL_STATUS_RETRY, gpa);
	case EINVAL:
		return tdx_answer_map_gpa(vcpu, TDVMCALL_STATUS_INVALID_OPERAND,
					  gpa);
	default:
		/* For the guest, if userspace goes on in spite of the error. */
		tdx_answer_map_gpa(vcpu, TDVMCALL_STATUS_INVALID_OPERAND, gpa);
		return -EINVAL;
	}
}

static u64 tdx_check_map_gpa(struct kvm_vcpu *vcpu, gpa_t gpa, u64 size)
{
	gpa_t last = gpa + size - 1;

	if (!(vcpu->kvm->arch.hypercall_exit_enabled & BIT(KVM_HC_MAP_GPA_RANGE)))
		return TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED;

	if (gpa + size <= gpa || !tdx_is_legal_gpa(vcpu, gpa) ||
	    !tdx_is_legal_gpa(vcpu, last) ||
	    kvm_is_addr_direct(vcpu->kvm, gpa) !=
	    kvm_is_addr_direct(vcpu->kvm, last))
		return TDVMCALL_STATUS_INVALID_OPERAND;

	if (!PAGE_ALIGNED(gpa) || !PAGE_ALIGNED(size))
		return TDVMCALL_STATUS_ALIGN_ERROR;

	return TDVMCALL_STATUS_SUCCESS;
}

static int tdx_map_gpa(struct kvm_vcpu *vcpu)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	gpa_t gpa = tdx->vmcall.r12;
	u64 size = tdx->vmcall.r13;
	u64 status;

	status = tdx_check_map_gpa(vcpu, gpa, size);
	if (status != TDVMCALL_STATUS_SUCCESS)
		return tdx_answer_map_gpa(vcpu, status, gpa);

	tdx->map_gpa_next = gpa;
	tdx->map_gpa_end = gpa + size;
	return tdx_map_next_step(vcpu);
}

/*
 * ReportFatalError
 */

/* There is no answer: the guest doesn't expect to be entered again. */
static int tdx_report_fatal_error(struct kvm_vcpu *vcpu)
{
	const struct tdx_module_args *regs = tdx_regs(vcpu);
	/* RSP and RBP are never passed. */
	const u64 words[TDX_NR_FATAL_WORDS] = {
		to_tdx(vcpu)->status, regs->rcx, regs->rdx, regs->rbx,
		0, 0, regs->rsi, regs->rdi,
		regs->r8, regs->r9, regs->r10, regs->r11,
		regs->r12, regs->r13, regs->r14, regs->r15,
	};
	struct kvm_run *run = vcpu->run;

	BUILD_BUG_ON(sizeof(words) > sizeof(run->system_event.data));

	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = KVM_SYSTEM_EVENT_TDX_FATAL;
	run->system_event.ndata = ARRAY_SIZE(words);
	memcpy(run->system_event.data, words, sizeof(words));
	return 0;
}

/*
 * KVM hypercalls
 */

static int tdx_complete_hypercall(struct kvm_vcpu *vcpu)
{
	++vcpu->stat.hypercalls;
	return tdx_answer(vcpu, vcpu->run->hypercall.ret);
}

static int tdx_emulate_hypercall(struct kvm_vcpu *vcpu)
{
	struct tdx_module_args *regs = tdx_regs(vcpu);
	u64 nr = regs->r10, arg0 = regs->r11, ret;

	/* Userspace knows nothing of the bit. */
	if (nr == KVM_HC_MAP_GPA_RANGE)
		arg0 = kvm_gpa_strip_direct_bits(vcpu->kvm, arg0);

	/* TDCALL faults outside of 64-bit mode, and with CPL > 0. */
	ret = __kvm_emulate_hypercall(vcpu, nr, arg0, regs->r12, regs->r13,
				      regs->r14, true, 0, tdx_complete_hypercall);
	if (nr == KVM_HC_MAP_GPA_RANGE && !ret)
		return 0;

	return tdx_answer(vcpu, ret);
}

struct tdx_vmcall {
	u64 leaf;
	int (*handle)(struct kvm_vcpu *vcpu);
};

static const struct tdx_vmcall tdx_vmcalls[] = {
	[TDX_VMCALL_CPUID] = { EXIT_REASON_CPUID, tdx_emulate_cpuid },
	[TDX_VMCALL_HLT] = { EXIT_REASON_HLT, tdx_emulate_hlt },
	[TDX_VMCALL_IO] = { EXIT_REASON_IO_INSTRUCTION, tdx_emulate_io },
	[TDX_VMCALL_RDMSR] = { EXIT_REASON_MSR_READ, tdx_emulate_rdmsr },
	[TDX_VMCALL_WRMSR] = { EXIT_REASON_MSR_WRITE, tdx_emulate_wrmsr },
	[TDX_VMCALL_MMIO] = { EXIT_REASON_EPT_VIOLATION, tdx_emulate_mmio },
	[TDX_VMCALL_GET_INFO] = { TDVMCALL_GET_TD_VM_CALL_INFO, tdx_get_info },
	[TDX_VMCALL_MAP_GPA] = { TDVMCALL_MAP_GPA, tdx_map_gpa },
	[TDX_VMCALL_GET_QUOTE] = { TDVMCALL_GET_QUOTE, tdx_get_quote },
	[TDX_VMCALL_FATAL_ERROR] = { TDVMCALL_REPORT_FATAL_ERROR, tdx_report_fatal_error },
	[TDX_VMCALL_EVENT_NOTIFY] = { TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT,
				      tdx_setup_event_notify },
};

static_assert(ARRAY_SIZE(tdx_vmcalls) == TDX_VMCALL_HYPERCALL);

static unsigned int tdx_find_vmcall(const struct tdx_module_args *regs)
{
	unsigned int i;

	if (regs->r10 != TDX_HYPERCALL_STANDARD)
		return TDX_VMCALL_HYPERCALL;

	for (i = 0; i < ARRAY_SIZE(tdx_vmcalls); i++) {
		if (tdx_vmcalls[i].leaf == regs->r11)
			return i;
	}

	return TDX_VMCALL_UNSUPPORTED;
}

int tdx_handle_vmcall(struct kvm_vcpu *vcpu)
{
	unsigned int i = tdx_find_vmcall(tdx_regs(vcpu));

	tdx_count_vmcall(vcpu->kvm, i);

	switch (i) {
	case TDX_VMCALL_HYPERCALL:
		return tdx_emulate_hypercall(vcpu);
	case TDX_VMCALL_UNSUPPORTED:
		return tdx_answer(vcpu, TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
	default:
		return tdx_vmcalls[i].handle(vcpu);
	}
}
