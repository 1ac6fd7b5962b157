// SPDX-License-Identifier: GPL-2.0
/*
 * Measurement: what goes into MRTD, in which order, and what does not.
 *
 * The expected values do not come from the kernel's SHA-384, but from these lines
 * of Python, where image() prints one:
 *
 *	import hashlib, struct
 *	def image(*blocks):
 *		h = hashlib.sha384()
 *		for what, gpa, data in blocks:
 *			h.update(struct.pack('<16sQ104x', what, gpa) + data)
 *		print(h.hexdigest())
 *	page = bytes(i * 7 + (i >> 8) & 255 for i in range(4096))
 *	add = lambda gpa: (b'MEM.PAGE.ADD', gpa, b'')
 *	ext = lambda gpa: (b'MR.EXTEND', gpa, page[gpa & 4095:][:256])
 *	image()
 *	image(add(0x1000), add(0x200000))
 *	image(add(0x1000), *map(ext, range(0x1000, 0x2000, 256)),
 *	      add(0x200000), ext(0x200f00), ext(0x200000))
 *	page = bytes(i * 7 + (i >> 8) & 255 for i in range(1 << 21))
 *	ext = lambda gpa: (b'MR.EXTEND', gpa, page[gpa & (1 << 21) - 1:][:256])
 *	image(*map(ext, (0x1000100, 0x11fff00, 0x1012f00)))
 */
#include <linux/gfp.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "fixture.h"

#define DIGEST_SIZE	48
#define DIGEST_WORDS	(DIGEST_SIZE / sizeof(u64))
#define CHUNK		256

#define GPA_FIRST	0x1000ULL
#define GPA_SECOND	0x200000ULL

static const u64 empty_image[DIGEST_WORDS] = {
	0x38b060a751ac9638, 0x4cd9327eb1b1e36a, 0x21fdb71114be0743,
	0x4c0cc7bf63f6e1da, 0x274edebfe76f65fb, 0xd51ad2f14898b95b,
};

static const u64 added_image[DIGEST_WORDS] = {
	0x44f47cd85f69d3da, 0x9b390f3641e516aa, 0x5f311c1daba1495e,
	0x297b49231698ba89, 0xf8b195c50fbca3e9, 0x6062b771c572e6f6,
};

static const u64 extended_image[DIGEST_WORDS] = {
	0xc5832e984fd601e4, 0x3f376d93f0581a7b, 0x62f4e383b536d5ea,
	0x7ec1d2dce3dc19f7, 0x80508e3ce7c292e7, 0xfe698810d1e5f276,
};

static const u64 large_image[DIGEST_WORDS] = {
	0xf913607665b6e9b6, 0xf6369430e982583f, 0x7b44faf93b0d77a7,
	0xa2c6041873b029d6, 0x884cd11f5f445d39, 0xe41a4193cd1ce59c,
};

#define FIELD_MRTD	0x1310000300000000ULL

/* The page of the lines above. */
static u64 measured_page(struct swt *t)
{
	u64 pa = swt_page(t);
	u8 *byte = swt_va(pa);
	unsigned int i;

	for (i = 0; i < PAGE_SIZE; i++)
		byte[i] = i * 7 + (i >> 8);
	return pa;
}

static void add(struct swt *t, struct swt_td *td, u64 gpa, u64 source)
{
	u64 page = swt_page(t);

	swt_tables(t, td, gpa, 0);
	swt_ok(t, L_MEM_PAGE_ADD,
	       SWT_ARGS(.rcx = gpa, .rdx = td->tdr, .r8 = page, .r9 = source));
}

static void extend(struct swt *t, struct swt_td *td, u64 gpa)
{
	swt_ok(t, L_MR_EXTEND, SWT_ARGS(.rcx = gpa, .rdx = td->tdr));
}

static void finalize(struct swt *t, struct swt_td *td)
{
	td->vcpu = swt_vcpu_add(t, td);
	swt_ok(t, L_MR_FINALIZE, SWT_ARGS(.rcx = td->tdr));
}

static void mrtd_of(struct swt *t, struct swt_td *td, u8 *digest)
{
	struct tdx_sw_td_info info;

	KUNIT_ASSERT_EQ(t->test, 0, tdx_sw_test_td(td->tdr, &info));
	memcpy(digest, info.mrtd, DIGEST_SIZE);
}

static void expect_mrtd(struct swt *t, struct swt_td *td, const u64 *want)
{
	u8 digest[DIGEST_SIZE];
	unsigned int i;

	mrtd_of(t, td, digest);
	for (i = 0; i < DIGEST_WORDS; i++)
		KUNIT_EXPECT_EQ_MSG(t->test, want[i],
				    get_unaligned_be64(digest + i * sizeof(u64)), "word %u", i);
}

static void image_of_nothing_has_a_measurement(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	finalize(t, &td);
	expect_mrtd(t, &td, empty_image);
}

static void adding_measures_the_address_alone(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	add(t, &td, GPA_FIRST, measured_page(t));
	add(t, &td, GPA_SECOND, swt_page(t));
	finalize(t, &td);
	expect_mrtd(t, &td, added_image);
}

static void fixed_image_has_the_known_measurement(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	u64 source, gpa;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	source = measured_page(t);
	add(t, &td, GPA_FIRST, source);
	for (gpa = GPA_FIRST; gpa < GPA_FIRST + PAGE_SIZE; gpa += CHUNK)
		extend(t, &td, gpa);
	add(t, &td, GPA_SECOND, source);
	extend(t, &td, GPA_SECOND + PAGE_SIZE - CHUNK);
	extend(t, &td, GPA_SECOND);
	/* It is the TD's page that counts, not what it was copied from. */
	swt_fill(source);
	finalize(t, &td);
	expect_mrtd(t, &td, extended_image);
}

/* Each of them between the two records of the image. */
static void other_calls_measure_nothing(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	u64 gpa = 5 * SZ_2M;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	add(t, &td, GPA_FIRST, measured_page(t));

	swt_aug(t, &td, gpa);
	swt_block(t, &td, gpa, 0);
	swt_track(t, &td);
	swt_ok(t, L_MEM_RANGE_UNBLOCK, SWT_ARGS(.rcx = gpa, .rdx = td.tdr));
	swt_ok(t, L_MEM_SEPT_RD, SWT_ARGS(.rcx = gpa, .rdx = td.tdr));
	swt_ok(t, L_MEM_PAGE_REMOVE, SWT_ARGS(.rcx = gpa, .rdx = td.tdr));
	swt_ok(t, L_MEM_SEPT_REMOVE, SWT_ARGS(.rcx = gpa | 1, .rdx = td.tdr));
	swt_vcpu_add(t, &td);
	swt_ok(t, L_MNG_RD, SWT_ARGS(.rcx = td.tdr, .rdx = FIELD_NUM_VCPUS));
	/* What has been refused has not been measured either. */
	swt_no(t, ST_EPT_ENTRY_STATE_INCORRECT | OP_RCX, L_MEM_PAGE_ADD,
	       SWT_ARGS(.rcx = GPA_FIRST, .rdx = td.tdr, .r8 = swt_page(t),
			.r9 = swt_page(t)));
	swt_no(t, ST_EPT_ENTRY_NOT_PRESENT | OP_RCX, L_MR_EXTEND,
	       SWT_ARGS(.rcx = GPA_FIRST + PAGE_SIZE, .rdx = td.tdr));

	add(t, &td, GPA_SECOND, swt_page(t));
	/* Gone from the TD, and still measured. */
	swt_ok(t, L_MEM_PAGE_REMOVE, SWT_ARGS(.rcx = GPA_SECOND, .rdx = td.tdr));
	finalize(t, &td);
	expect_mrtd(t, &td, added_image);
}

static void order_of_calls_matters(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u8 digest[2][DIGEST_SIZE];
	struct swt_td td[2];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		swt_td_build(t, &td[i], i, STAGE_INITIALIZED);
		add(t, &td[i], i ? GPA_SECOND : GPA_FIRST, swt_page(t));
		add(t, &td[i], i ? GPA_FIRST : GPA_SECOND, swt_page(t));
		finalize(t, &td[i]);
		mrtd_of(t, &td[i], digest[i]);
	}
	expect_mrtd(t, &td[0], added_image);
	KUNIT_EXPECT_MEMNEQ(test, digest[0], digest[1], DIGEST_SIZE);
}

static void measurements_of_two_tds_do_not_mix(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td[2];
	unsigned int i;
	u64 source;

	for (i = 0; i < 2; i++)
		swt_td_build(t, &td[i], i, STAGE_INITIALIZED);
	source = measured_page(t);
	for (i = 0; i < 2; i++)
		add(t, &td[i], GPA_FIRST, source);
	for (i = 0; i < 2; i++)
		add(t, &td[i], GPA_SECOND, source);
	for (i = 0; i < 2; i++) {
		finalize(t, &td[i]);
		expect_mrtd(t, &td[i], added_image);
	}
}

static void mrtd_can_be_read_as_a_field(struct kunit *test)
{
	struct swt *t = swt_of(test);
	u64 digest[DIGEST_WORDS];
	struct swt_td td;
	unsigned int i;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	finalize(t, &td);
	mrtd_of(t, &td, (u8 *)digest);
	for (i = 0; i < ARRAY_SIZE(digest); i++) {
		struct tdx_module_args args = { .rcx = td.tdr, .rdx = FIELD_MRTD + i };

		swt_ok(t, L_MNG_RD, &args);
		KUNIT_EXPECT_EQ_MSG(test, digest[i], args.r8, "word %u", i);
	}
	expect_mrtd(t, &td, empty_image);
}

static void extend_takes_a_private_chunk(struct kunit *test)
{
	struct swt *t = swt_of(test);
	struct swt_td td;
	unsigned int bit;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	add(t, &td, 0, swt_page(t));
	for (bit = 0; bit < 64; bit++) {
		/* A chunk of another page is not this case's. */
		if (bit >= 8 && bit < tdx_sw_gpa_width() - 1)
			continue;
		swt_no(t, ST_OPERAND_INVALID | OP_RCX, L_MR_EXTEND,
		       SWT_ARGS(.rcx = BIT_ULL(bit), .rdx = td.tdr));
	}
	extend(t, &td, PAGE_SIZE - CHUNK);
}

#define LARGE_GPA	(8ULL * SZ_2M)
#define RAW_FREE	0x80e0000000000000ULL
/* As it is stored: a leaf for all accesses, write-back, PAT ignored, #VE suppressed */
#define RAW_MAPPED	(BIT_ULL(63) | BIT_ULL(7) | BIT_ULL(6) | 6ULL << 3 | 7)

static void free_large(void *data)
{
	__free_pages(data, get_order(SZ_2M));
}

static u64 large_page(struct kunit *test)
{
	struct page *page = alloc_pages(GFP_KERNEL, get_order(SZ_2M));
	unsigned int i;
	u8 *byte;

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_large, page));
	byte = page_address(page);
	for (i = 0; i < SZ_2M; i++)
		byte[i] = i * 7 + (i >> 8);
	return page_to_phys(page);
}

/* A chunk of a large page is where it is in that page. */
static void large_page_can_be_measured(struct kunit *test)
{
	static const u64 gpa[] = { 0x1000100, 0x11fff00, 0x1012f00 };
	u64 pa = large_page(test);
	struct swt *t = swt_of(test);
	struct swt_td td;
	unsigned int i;

	swt_td_build(t, &td, 0, STAGE_INITIALIZED);
	swt_tables(t, &td, LARGE_GPA, 1);
	/* Before the TD runs no leaf makes such an entry: the model does not know it. */
	t->checked = false;
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_sept(td.tdr, LARGE_GPA, 1, RAW_MAPPED | pa));
	for (i = 0; i < ARRAY_SIZE(gpa); i++)
		extend(t, &td, gpa[i]);
	KUNIT_ASSERT_EQ(test, 0, tdx_sw_test_set_sept(td.tdr, LARGE_GPA, 1, RAW_FREE));
	finalize(t, &td);
	expect_mrtd(t, &td, large_image);
	swt_check(t);
}

static struct kunit_case mr_cases[] = {
	KUNIT_CASE(image_of_nothing_has_a_measurement),
	KUNIT_CASE(adding_measures_the_address_alone),
	KUNIT_CASE(fixed_image_has_the_known_measurement),
	KUNIT_CASE(other_calls_measure_nothing),
	KUNIT_CASE(order_of_calls_matters),
	KUNIT_CASE(measurements_of_two_tds_do_not_mix),
	KUNIT_CASE(mrtd_can_be_read_as_a_field),
	KUNIT_CASE(extend_takes_a_private_chunk),
	KUNIT_CASE(large_page_can_be_measured),
	{}
};

static struct kunit_suite mr_suite = {
	.name = "tdx_sw_mr",
	.suite_init = swt_suite_init,
	.init = swt_init,
	.exit = swt_exit,
	.test_cases = mr_cases,
};

kunit_test_suite(mr_suite);

MODULE_DESCRIPTION("KUnit tests of the software TDX module: measurement");
MODULE_LICENSE("GPL");
