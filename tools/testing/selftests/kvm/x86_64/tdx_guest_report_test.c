// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a TD can prove: run-time measurements, and reports in which they and the
 * initial measurement stand, compared with hashes of the test's own making.
 */
#include "kvm_test_harness.h"
#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx_guest.h"

#define GPA		TDX_TEST_GPA
#define NR_PAGES	2
#define REPORT_GPA	GPA
#define DATA_GPA	(GPA + PAGE_SIZE)
#define RTMR_GPA	(GPA + PAGE_SIZE + 256)
#define MEASURED_CHUNK	256

enum { MRCONFIGID = 0x11, MROWNER = 0x22, MROWNERCONFIG = 0x33, DATA = 0x44 };

/* From the guest to the host: before and after the registers were extended. */
struct reports {
	struct tdx_report r[2];
};

static uint64_t get_report(uint64_t report_gpa, uint64_t data_gpa, uint64_t subtype)
{
	struct tdcall_regs regs = {
		.rcx = report_gpa,
		.rdx = data_gpa,
		.r8 = subtype,
	};

	return tdcall(TDG_MR_REPORT, &regs);
}

static uint64_t extend(uint64_t gpa, uint64_t index)
{
	struct tdcall_regs regs = { .rcx = gpa, .rdx = index };

	return tdcall(TDG_MR_RTMR_EXTEND, &regs);
}

static void *private(uint64_t gpa)
{
	return (void *)TDX_GUEST_PRIVATE(gpa);
}

static void accept_all(void)
{
	int i;

	for (i = 0; i < NR_PAGES; i++)
		GUEST_ASSERT_EQ(tdx_accept(GPA + i * PAGE_SIZE, TDX_PAGE_4K), 0);
	memset(private(DATA_GPA), DATA, TDX_REPORTDATA_SIZE);
}

/* Each register, number i i+1 times, with bytes that differ each time. */
static uint8_t extend_byte(int reg, int time)
{
	return 16 * reg + time;
}

static void guest_reports(uint64_t arg)
{
	struct reports *out = (void *)arg;
	int reg, time;

	accept_all();
	GUEST_ASSERT_EQ(get_report(REPORT_GPA, DATA_GPA, 0), 0);
	memcpy(&out->r[0], private(REPORT_GPA), sizeof(out->r[0]));

	for (reg = 0; reg < TDX_NR_RTMRS; reg++) {
		for (time = 0; time <= reg; time++) {
			memset(private(RTMR_GPA), extend_byte(reg, time),
			       TDX_RTMR_SIZE);
			GUEST_ASSERT_EQ(extend(RTMR_GPA, reg), 0);
		}
	}
	GUEST_ASSERT_EQ(get_report(REPORT_GPA, DATA_GPA, 0), 0);
	memcpy(&out->r[1], private(REPORT_GPA), sizeof(out->r[1]));
}

#define GUEST_EXPECT_INVALID(_call, _id)					\
	GUEST_ASSERT_EQ(_call, TDCALL_ERROR(TDCALL_OPERAND_INVALID, _id))

static void guest_refusals(uint64_t arg)
{
	uint64_t bit = tdx_guest_shared_bit;
	struct tdx_report *report = private(REPORT_GPA);

	accept_all();
	GUEST_EXPECT_INVALID(get_report(REPORT_GPA + 512, DATA_GPA, 0), TDCALL_ID_RCX);
	GUEST_EXPECT_INVALID(get_report(REPORT_GPA, DATA_GPA + 32, 0), TDCALL_ID_RDX);
	GUEST_EXPECT_INVALID(get_report(REPORT_GPA, DATA_GPA, 1), TDCALL_ID_R8);
	GUEST_EXPECT_INVALID(get_report(REPORT_GPA, DATA_GPA, -1ull), TDCALL_ID_R8);
	GUEST_EXPECT_INVALID(extend(RTMR_GPA + 32, 0), TDCALL_ID_RCX);
	GUEST_EXPECT_INVALID(extend(RTMR_GPA | bit, 0), TDCALL_ID_RCX);
	GUEST_EXPECT_INVALID(extend(RTMR_GPA, TDX_NR_RTMRS), TDCALL_ID_RDX);
	GUEST_EXPECT_INVALID(extend(RTMR_GPA, BIT_ULL(32)), TDCALL_ID_RDX);
	GUEST_ASSERT(tdx_is_zero(private(REPORT_GPA)));

	/* None of that left a trace in a register. */
	GUEST_ASSERT_EQ(get_report(REPORT_GPA, DATA_GPA, 0), 0);
	memset(private(RTMR_GPA), 0, TDX_RTMR_SIZE);
	GUEST_ASSERT(!memcmp(report->td_info.rtmr[0], private(RTMR_GPA),
			     TDX_RTMR_SIZE));
}

/* The sync tells whether this CPU can verify at all. */
static void guest_verifies(uint64_t arg)
{
	struct tdx_report_mac *mac = private(REPORT_GPA);
	uint64_t ret;

	accept_all();
	GUEST_ASSERT_EQ(get_report(REPORT_GPA, DATA_GPA, 0), 0);
	ret = tdcall_rcx(TDG_MR_VERIFYREPORT, REPORT_GPA);
	GUEST_SYNC(ret == TDCALL_ERROR(TDCALL_OPERAND_INVALID, TDCALL_ID_RAX));
	GUEST_ASSERT_EQ(ret, 0);

	mac->reportdata[0] ^= 1;
	GUEST_ASSERT_EQ(TDCALL_STATUS(tdcall_rcx(TDG_MR_VERIFYREPORT, REPORT_GPA)),
			TDCALL_INVALID_REPORTMAC);
	mac->reportdata[0] ^= 1;
	mac->mac[31] ^= 0x80;
	GUEST_ASSERT_EQ(TDCALL_STATUS(tdcall_rcx(TDG_MR_VERIFYREPORT, REPORT_GPA)),
			TDCALL_INVALID_REPORTMAC);
	mac->mac[31] ^= 0x80;
	GUEST_ASSERT_EQ(tdcall_rcx(TDG_MR_VERIFYREPORT, REPORT_GPA), 0);
	GUEST_EXPECT_INVALID(tdcall_rcx(TDG_MR_VERIFYREPORT, REPORT_GPA + 128),
			     TDCALL_ID_RCX);
	GUEST_EXPECT_INVALID(tdcall_rcx(TDG_MR_VERIFYREPORT,
					REPORT_GPA | tdx_guest_shared_bit),
			     TDCALL_ID_RCX);
}

static struct kvm_tdx_init_vm used;

static void adjust(struct kvm_tdx_init_vm *args)
{
	memset(args->mrconfigid, MRCONFIGID, sizeof(args->mrconfigid));
	memset(args->mrowner, MROWNER, sizeof(args->mrowner));
	memset(args->mrownerconfig, MROWNERCONFIG, sizeof(args->mrownerconfig));
	used = *args;
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void (*code)(uint64_t),
			     struct reports **reports)
{
	struct kvm_vm *vm = tdx_guest_create_with(adjust);
	vm_vaddr_t gva;

	*reports = tdx_guest_shared_alloc(vm, sizeof(**reports), &gva);
	*vcpu = tdx_guest_vcpu_add(vm, 0, code, gva);
	tdx_guest_mem_add(vm, GPA, TDX_TEST_SLOT, NR_PAGES);
	return vm;
}

static void measure(struct tdx_sha384 *sha, const char *name, uint64_t gpa)
{
	uint8_t record[TDX_SHA384_BLOCK] = {};

	memcpy(record, name, strlen(name));
	memcpy(record + 16, &gpa, sizeof(gpa));
	tdx_sha384_update(sha, record, sizeof(record));
}

static void measure_page(struct tdx_sha384 *sha, uint64_t gpa, void *src, bool extend)
{
	uint64_t chunk;

	measure(sha, "MEM.PAGE.ADD", gpa);
	for (chunk = 0; extend && chunk < PAGE_SIZE; chunk += MEASURED_CHUNK) {
		measure(sha, "MR.EXTEND", gpa + chunk);
		tdx_sha384_update(sha, src + chunk, MEASURED_CHUNK);
	}
}

/* What MRTD has to be once the TD is launched. */
static void want_mrtd(struct kvm_vm *vm, uint8_t mrtd[TDX_MRTD_SIZE])
{
	struct tdx_initial initial[TDX_MAX_INITIAL];
	int nr = tdx_guest_initial(vm, initial), i;
	struct tdx_sha384 sha;
	uint64_t offset;

	tdx_sha384_init(&sha);
	for (i = 0; i < nr; i++) {
		for (offset = 0; offset < initial[i].npages * PAGE_SIZE;
		     offset += PAGE_SIZE)
			measure_page(&sha, initial[i].gpa + offset,
				     initial[i].src + offset, initial[i].measured);
	}
	tdx_sha384_final(&sha, mrtd);
}

static bool is_all(const uint8_t *p, uint8_t val, size_t len)
{
	while (len && *p == val)
		len--, p++;
	return !len;
}

static bool has_hash(const uint8_t *hash, const void *data, size_t len)
{
	uint8_t want[TDX_SHA384_SIZE];

	tdx_sha384(data, len, want);
	return !memcmp(want, hash, sizeof(want));
}

static void check_report(struct __test_metadata *_metadata,
			 const struct tdx_report *r, const uint8_t *mrtd)
{
	EXPECT_EQ(TDX_REPORT_TYPE_TDX, r->mac.type);
	EXPECT_EQ(0, r->mac.subtype | r->mac.version);
	EXPECT_TRUE(is_all(r->mac.reportdata, DATA, TDX_REPORTDATA_SIZE));
	EXPECT_FALSE(is_all(r->mac.mac, 0, sizeof(r->mac.mac)));
	EXPECT_TRUE(has_hash(r->mac.td_info_hash, &r->td_info, sizeof(r->td_info)));
	/* The structure, or with what is reserved behind it. */
	EXPECT_TRUE(has_hash(r->mac.tee_tcb_info_hash, r->tee_tcb_info, 239) ||
		    has_hash(r->mac.tee_tcb_info_hash, r->tee_tcb_info, 256));

	EXPECT_EQ(used.attributes, r->td_info.attributes);
	EXPECT_EQ(used.xfam, r->td_info.xfam);
	EXPECT_EQ(0, memcmp(mrtd, r->td_info.mrtd, TDX_MRTD_SIZE));
	EXPECT_TRUE(is_all(r->td_info.mrconfigid, MRCONFIGID, 48));
	EXPECT_TRUE(is_all(r->td_info.mrowner, MROWNER, 48));
	EXPECT_TRUE(is_all(r->td_info.mrownerconfig, MROWNERCONFIG, 48));
	EXPECT_TRUE(is_all(r->td_info.servtd_hash, 0, 48));
}

static void want_rtmr(int reg, uint8_t rtmr[TDX_RTMR_SIZE])
{
	uint8_t data[2 * TDX_RTMR_SIZE] = {};
	int time;

	for (time = 0; time <= reg; time++) {
		memset(data + TDX_RTMR_SIZE, extend_byte(reg, time), TDX_RTMR_SIZE);
		tdx_sha384(data, sizeof(data), rtmr);
		memcpy(data, rtmr, TDX_RTMR_SIZE);
	}
}

TEST(report_says_what_was_measured)
{
	uint8_t mrtd[TDX_MRTD_SIZE], rtmr[TDX_RTMR_SIZE];
	struct reports *reports;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_reports, &reports);
	int i;

	want_mrtd(vm, mrtd);
	tdx_guest_launch(vm);
	tdx_guest_run_to_done(vcpu);

	for (i = 0; i < 2; i++)
		check_report(_metadata, &reports->r[i], mrtd);
	for (i = 0; i < TDX_NR_RTMRS; i++) {
		EXPECT_TRUE(is_all(reports->r[0].td_info.rtmr[i], 0, TDX_RTMR_SIZE));
		want_rtmr(i, rtmr);
		EXPECT_EQ(0, memcmp(rtmr, reports->r[1].td_info.rtmr[i],
				    TDX_RTMR_SIZE));
	}
	EXPECT_NE(0, memcmp(reports->r[0].mac.mac, reports->r[1].mac.mac, 32));
	kvm_vm_free(vm);
}

TEST(refusals)
{
	struct reports *reports;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_refusals, &reports);

	tdx_guest_launch(vm);
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(verify)
{
	struct reports *reports;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_verifies, &reports);
	struct ucall uc;

	tdx_guest_launch(vm);
	ASSERT_EQ(UCALL_SYNC, tdx_guest_run(vcpu, &uc));
	if (uc.args[1]) {
		kvm_vm_free(vm);
		SKIP(return, "This CPU verifies no reports");
	}
	tdx_guest_run_to_done(vcpu);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
