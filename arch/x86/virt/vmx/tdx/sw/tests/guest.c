// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU inside its TD, without a CPU that runs it.
 */
#include <linux/string.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "guest.h"

#define AR_CODE64	0xa09b
#define AR_DATA(cpl)	(0xc093 | (cpl) << 5)
#define CPL_SHIFT	5

static void *field(struct swg *s, u32 encoding)
{
	unsigned int i;

	for (i = 0; i < s->vmcs.nr; i++) {
		if (s->vmcs.field[i].field == encoding)
			return &s->vmcs.field[i].value;
	}
	return NULL;
}

u64 swg_vmread(struct swg *s, u32 encoding)
{
	u64 *value = field(s, encoding);

	return value ? *value : 0;
}

void swg_vmwrite(struct swg *s, u32 encoding, u64 value)
{
	u64 *p = field(s, encoding);

	if (!p) {
		KUNIT_ASSERT_LT(s->test, s->vmcs.nr, (unsigned int)TDX_SW_FAKE_FIELDS);
		s->vmcs.field[s->vmcs.nr].field = encoding;
		p = &s->vmcs.field[s->vmcs.nr++].value;
	}
	*p = value;
}

void swg_set_cpl(struct swg *s, unsigned int cpl)
{
	swg_vmwrite(s, GUEST_SS_AR_BYTES, AR_DATA(cpl));
}

void swg_set_64bit(struct swg *s, bool on)
{
	u64 ar = swg_vmread(s, GUEST_CS_AR_BYTES);

	swg_vmwrite(s, GUEST_CS_AR_BYTES, on ? ar | VMX_AR_L_MASK : ar & ~(u64)VMX_AR_L_MASK);
}

static void init_vmcs(struct swg *s)
{
	swg_vmwrite(s, GUEST_CR0, X86_CR0_PE | X86_CR0_NE | X86_CR0_WP | X86_CR0_PG);
	swg_vmwrite(s, GUEST_CR4, X86_CR4_PAE | X86_CR4_MCE | X86_CR4_VMXE);
	swg_vmwrite(s, GUEST_IA32_EFER, EFER_SCE | EFER_LME | EFER_LMA | EFER_NX);
	swg_vmwrite(s, GUEST_CS_AR_BYTES, AR_CODE64);
	swg_vmwrite(s, GUEST_RFLAGS, X86_EFLAGS_FIXED);
	swg_vmwrite(s, GUEST_RIP, CODE_RIP);
	swg_vmwrite(s, GUEST_IDTR_LIMIT, 0xfff);
	swg_set_cpl(s, 0);
}

static void add_data(struct swg *s)
{
	unsigned int i;

	for (i = 0; i < DATA_PAGES; i++)
		s->data[i] = swt_add(s->t, &s->td, DATA_GPA + i * PAGE_SIZE);
}

void swg_run(struct swg *s)
{
	swt_check(s->t);
	swt_enter(s->t, s->vcpu);
	init_vmcs(s);
	tdx_sw_test_fake_vmcs(&s->vmcs);
	KUNIT_ASSERT_EQ(s->test, 0, tdx_sw_test_init_cr(s->vcpu));
	KUNIT_ASSERT_EQ(s->test, 0, tdx_sw_test_guest_get(s->vcpu, &s->g));
}

struct swg *swg_start(struct kunit *test, const struct swg_config *config)
{
	struct swt *t = swt_of(test);
	struct swg *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	void *params;

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->t = t;
	s->test = test;
	t->checked = false;
	swt_td_build(t, &s->td, 0, STAGE_UNINITIALIZED);
	params = swt_va(s->td.params);
	if (config) {
		*(u64 *)(params + PARAMS_ATTRIBUTES) = config->attributes;
		*(u64 *)(params + PARAMS_CONFIG_FLAGS) = config->config_flags;
		*(u64 *)(params + PARAMS_XFAM) |= config->xfam;
	}
	swt_td_init(t, &s->td);
	add_data(s);
	s->vcpu = swt_vcpu_add(t, &s->td);
	s->td.vcpu = s->vcpu;
	swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = s->td.tdr));
	t->checked = true;
	swg_run(s);
	return s;
}

void swg_exit(struct kunit *test)
{
	tdx_sw_test_fake_vmcs(NULL);
	swt_exit(test);
}

void swg_unlock_all(struct swg *s)
{
	swt_unlock_all(s->t);
	s->t->m.held = true;
}

void swg_handle(struct swg *s)
{
	KUNIT_ASSERT_EQ(s->test, 0, tdx_sw_test_guest_set(s->vcpu, &s->g));
	KUNIT_ASSERT_EQ(s->test, 0, tdx_sw_test_exit(s->vcpu, &s->x));
	KUNIT_ASSERT_EQ(s->test, 0, tdx_sw_test_guest_get(s->vcpu, &s->g));
}

void swg_instruction(struct swg *s, u32 reason, u32 len, u64 qual)
{
	s->x = (struct tdx_sw_test_exit) {
		.reason = reason, .instr_len = len, .qual = qual,
		.interrupted = s->x.interrupted,
	};
	swg_vmwrite(s, GUEST_RIP, CODE_RIP);
	s->g.event = 0;
	swg_handle(s);
}

u64 swg_tdcall(struct swg *s, u64 rax)
{
	s->g.gpr[G_RAX] = rax;
	swg_instruction(s, EXIT_REASON_TDCALL, TDCALL_LEN, 0);
	return s->g.gpr[G_RAX];
}

void swg_expect_done(struct swg *s, u32 len, const char *what)
{
	KUNIT_EXPECT_FALSE_MSG(s->test, s->x.to_host, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, s->g.event, 0U, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, swg_vmread(s, GUEST_RIP), CODE_RIP + len, "%s", what);
}

void swg_expect_event(struct swg *s, u32 event, u32 error, const char *what)
{
	KUNIT_EXPECT_FALSE_MSG(s->test, s->x.to_host, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, s->g.event, event, "%s", what);
	if (event & INTR_INFO_DELIVER_CODE_MASK)
		KUNIT_EXPECT_EQ_MSG(s->test, s->g.event_error, error, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, swg_vmread(s, GUEST_RIP), CODE_RIP, "%s", what);
}

void swg_expect_host(struct swg *s, u64 rax, const char *what)
{
	KUNIT_EXPECT_TRUE_MSG(s->test, s->x.to_host, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, s->x.rax, rax, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, swg_vmread(s, GUEST_RIP), CODE_RIP, "%s", what);
}

u64 swg_veinfo(struct swg *s, struct swg_ve *ve)
{
	struct tdx_sw_test_guest g = s->g;
	u64 status = swg_tdcall(s, T_VEINFO_GET);

	*ve = (struct swg_ve) {
		.reason = s->g.gpr[G_RCX], .qual = s->g.gpr[G_RDX], .gla = s->g.gpr[G_R8],
		.gpa = s->g.gpr[G_R9], .instr = s->g.gpr[G_R10],
	};
	memcpy(s->g.gpr, g.gpr, sizeof(g.gpr));
	return status;
}

void swg_expect_ve(struct swg *s, u32 reason, u64 qual, const char *what)
{
	u64 instr = s->x.instr_len | (u64)s->x.instr_info << 32;
	struct swg_ve ve;

	swg_expect_event(s, EV_EXCEPTION(XC_VE), 0, what);
	KUNIT_EXPECT_EQ_MSG(s->test, ST_SUCCESS, swg_veinfo(s, &ve), "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, ve.reason, (u64)reason, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, ve.qual, qual, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, ve.gla, 0ULL, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, ve.gpa, 0ULL, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, ve.instr, instr, "%s", what);
	KUNIT_EXPECT_EQ_MSG(s->test, ST_NO_VALID_VE_INFO, swg_veinfo(s, &ve), "%s", what);
}
