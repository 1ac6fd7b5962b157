/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fixed initial image and its measurement.  tdx_mrtd.sh computes the values
 * from nothing but the definition of MRTD, and checks them here.
 */
#ifndef SELFTEST_KVM_TDX_MRTD_H
#define SELFTEST_KVM_TDX_MRTD_H

#include <string.h>

#include "tdx.h"

#define TDX_IMAGE_NR_PAGES	4
#define TDX_IMAGE_CHUNK		256

/* Each chunk that is measured has content of its own. */
static inline void tdx_fill_image(void *image)
{
	int i;

	for (i = 0; i < TDX_IMAGE_NR_PAGES * PAGE_SIZE / TDX_IMAGE_CHUNK; i++)
		memset(image + i * TDX_IMAGE_CHUNK, i + 1, TDX_IMAGE_CHUNK);
}

/* All pages at TDX_TEST_GPA: added and measured in ascending order. */
#define TDX_MRTD_MEASURED \
	"61770eaac6351298b14e32290ed6c3238481017d9b680951" \
	"6a5582d9383f98b1fb1a26e6d2e4f3c6fcd2e3b8148a8020"

/* The same, not measured. */
#define TDX_MRTD_ADDED \
	"70029c1212fff316ad6168a2c3555b7852aa4f2958a45fe1" \
	"f704eb64c67529ac48883dc242a8bc3d55e5aa1aa5ec32d5"

/* Measured, but in descending order. */
#define TDX_MRTD_REVERSED \
	"6dfde9843d764129907b287e65b377c0a7ad71781ce0a1f0" \
	"3530b2606f70a0ce332d8a1f4cba80aa874f03998f5ceedc"

/* Ascending; only the first two are measured. */
#define TDX_MRTD_MIXED \
	"a256325651930634e42341474d28ee5d595f94c9715c012f" \
	"06fcf221cc148b1740432874f53b44794554eb884ffab9e6"

/* A TD without initial memory. */
#define TDX_MRTD_NOTHING \
	"38b060a751ac96384cd9327eb1b1e36a21fdb71114be0743" \
	"4c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b"

#endif /* SELFTEST_KVM_TDX_MRTD_H */
