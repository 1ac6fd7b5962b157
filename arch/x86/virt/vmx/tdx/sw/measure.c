// SPDX-License-Identifier: GPL-2.0
/*
 * SHA-384 over what a TD is built from.  The generic implementation: vector
 * code would want kernel_fpu_begin(), which a leaf must not call.
 *
 * The algorithm is looked up at boot; the running state lies in the TDCS.
 */
#include <linux/string.h>
#include <crypto/hash.h>

#include "sw.h"

/* 128-byte record that starts what PAGE.ADD and MR.EXTEND contribute. */
struct measure_record {
	char name[16];
	u64 gpa;
	u8 rsvd[104];
};

static_assert(sizeof(struct measure_record) == 128);

/* Newer kernels build the generic code as a library and name it so. */
static const char * const drivers[] = { "sha384-generic", "sha384-lib" };

int measure_setup(void)
{
	struct crypto_shash *tfm;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(drivers); i++) {
		tfm = crypto_alloc_shash(drivers[i], 0, 0);
		if (IS_ERR(tfm))
			continue;
		if (sizeof(struct shash_desc) + crypto_shash_descsize(tfm) <=
		    sizeof(struct tdx_sw_hash)) {
			tdx_sw_config.sha384 = tfm;
			return 0;
		}
		crypto_free_shash(tfm);
	}
	return -ENOENT;
}

static struct shash_desc *hash_desc(struct tdx_sw_hash *hash)
{
	return (struct shash_desc *)hash->desc;
}

/* A synchronous hash of memory has nothing to fail with. */
void measure_start(struct tdx_sw_hash *hash)
{
	hash_desc(hash)->tfm = tdx_sw_config.sha384;
	WARN_ON_ONCE(crypto_shash_init(hash_desc(hash)));
}

void measure_data(struct tdx_sw_hash *hash, const void *data, unsigned int len)
{
	WARN_ON_ONCE(crypto_shash_update(hash_desc(hash), data, len));
}

void measure_block(struct tdx_sw_hash *hash, const char *name, u64 gpa)
{
	struct measure_record rec = { .gpa = gpa };

	strscpy_pad(rec.name, name);
	measure_data(hash, &rec, sizeof(rec));
}

void measure_finish(struct tdx_sw_hash *hash, void *digest)
{
	WARN_ON_ONCE(crypto_shash_final(hash_desc(hash), digest));
}
