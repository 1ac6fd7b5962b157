// SPDX-License-Identifier: GPL-2.0
/*
 * SHA-384 over what a TD is built from and what it extends its registers with,
 * and the MAC of its reports.  The generic implementations: vector code would
 * want kernel_fpu_begin(), which a leaf must not call.
 *
 * The algorithms are looked up at boot; the running state of MRTD lies in the
 * TDCS.  The key of the MAC is random and nobody's but this boot's, as that of a
 * CPU is.
 */
#include <linux/random.h>
#include <linux/string.h>
#include <crypto/hash.h>

#include "td/td.h"

/* 128-byte record that starts what PAGE.ADD and MR.EXTEND contribute. */
struct measure_record {
	char name[16];
	u64 gpa;
	u8 rsvd[104];
};

static_assert(sizeof(struct measure_record) == 128);

/* Newer kernels build the generic code as a library and name it so. */
static const char * const sha384_drivers[] = { "sha384-generic", "sha384-lib", NULL };
static const char * const hmac_drivers[] = { "hmac(sha256-generic)", "hmac-sha256-lib", NULL };

#define MAC_KEY_SIZE	32

static struct crypto_shash *find_algorithm(const char * const *name)
{
	struct crypto_shash *tfm;

	for (; *name; name++) {
		tfm = crypto_alloc_shash(*name, 0, 0);
		if (IS_ERR(tfm))
			continue;
		if (sizeof(struct shash_desc) + crypto_shash_descsize(tfm) <=
		    sizeof(struct tdx_sw_hash))
			return tfm;
		crypto_free_shash(tfm);
	}
	return NULL;
}

int measure_setup(void)
{
	struct crypto_shash *sha384 = find_algorithm(sha384_drivers);
	struct crypto_shash *hmac = find_algorithm(hmac_drivers);
	u8 key[MAC_KEY_SIZE];
	int ret = -ENOENT;

	get_random_bytes(key, sizeof(key));
	if (sha384 && hmac)
		ret = crypto_shash_setkey(hmac, key, sizeof(key));
	memzero_explicit(key, sizeof(key));
	if (!ret) {
		tdx_sw_config.sha384 = sha384;
		tdx_sw_config.hmac = hmac;
	}
	return ret;
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

/* SHA-384 of two pieces; the second may be empty. */
void measure_digest(const void *first, unsigned int first_len, const void *second,
		    unsigned int second_len, void *digest)
{
	struct tdx_sw_hash hash;

	measure_start(&hash);
	measure_data(&hash, first, first_len);
	measure_data(&hash, second, second_len);
	measure_finish(&hash, digest);
}

void measure_mac(const void *data, unsigned int len, void *mac)
{
	struct tdx_sw_hash hash;

	hash_desc(&hash)->tfm = tdx_sw_config.hmac;
	WARN_ON_ONCE(crypto_shash_digest(hash_desc(&hash), data, len, mac));
}
