// SPDX-License-Identifier: GPL-2.0-only
/*
 * SHA-384 (FIPS 180-4), so that tests need not take the TDX module's word for
 * what it measured.
 */
#include <endian.h>

#include "test_util.h"
#include "tdx_guest.h"

#define NR_ROUNDS	80

static const uint64_t round_constant[NR_ROUNDS] = {
	0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f,
	0xe9b5dba58189dbbc, 0x3956c25bf348b538, 0x59f111f1b605d019,
	0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242,
	0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
	0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
	0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3,
	0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65, 0x2de92c6f592b0275,
	0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
	0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f,
	0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
	0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc,
	0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
	0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6,
	0x92722c851482353b, 0xa2bfe8a14cf10364, 0xa81a664bbc423001,
	0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
	0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
	0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99,
	0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb,
	0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc,
	0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
	0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915,
	0xc67178f2e372532b, 0xca273eceea26619c, 0xd186b8c721c0c207,
	0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba,
	0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
	0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
	0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a,
	0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

static const uint64_t initial_state[8] = {
	0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17,
	0x152fecd8f70e5939, 0x67332667ffc00b31, 0x8eb44a8768581511,
	0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4,
};

static uint64_t ror(uint64_t x, int n)
{
	return x >> n | x << (64 - n);
}

static void schedule(const uint8_t *block, uint64_t w[NR_ROUNDS])
{
	int i;

	for (i = 0; i < 16; i++) {
		memcpy(&w[i], block + 8 * i, 8);
		w[i] = be64toh(w[i]);
	}
	for (; i < NR_ROUNDS; i++) {
		uint64_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + w[i - 7] +
		       (ror(a, 1) ^ ror(a, 8) ^ a >> 7) +
		       (ror(b, 19) ^ ror(b, 61) ^ b >> 6);
	}
}

static void compress(struct tdx_sha384 *sha)
{
	uint64_t w[NR_ROUNDS], s[8], t1, t2;
	int i;

	schedule(sha->block, w);
	memcpy(s, sha->state, sizeof(s));
	for (i = 0; i < NR_ROUNDS; i++) {
		t1 = s[7] + (ror(s[4], 14) ^ ror(s[4], 18) ^ ror(s[4], 41)) +
		     ((s[4] & s[5]) ^ (~s[4] & s[6])) + round_constant[i] + w[i];
		t2 = (ror(s[0], 28) ^ ror(s[0], 34) ^ ror(s[0], 39)) +
		     ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
		memmove(&s[1], &s[0], 7 * sizeof(s[0]));
		s[4] += t1;
		s[0] = t1 + t2;
	}
	for (i = 0; i < 8; i++)
		sha->state[i] += s[i];
}

void tdx_sha384_init(struct tdx_sha384 *sha)
{
	memcpy(sha->state, initial_state, sizeof(sha->state));
	sha->len = 0;
}

void tdx_sha384_update(struct tdx_sha384 *sha, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len--) {
		sha->block[sha->len++ % TDX_SHA384_BLOCK] = *p++;
		if (!(sha->len % TDX_SHA384_BLOCK))
			compress(sha);
	}
}

void tdx_sha384_final(struct tdx_sha384 *sha, uint8_t hash[TDX_SHA384_SIZE])
{
	/* Of 128 bits, the upper half of which no message here needs. */
	const uint64_t bits[2] = { 0, htobe64(sha->len * 8) };
	static const uint8_t one = 0x80, zero;
	uint64_t word;
	int i;

	tdx_sha384_update(sha, &one, 1);
	while (sha->len % TDX_SHA384_BLOCK != TDX_SHA384_BLOCK - sizeof(bits))
		tdx_sha384_update(sha, &zero, 1);
	tdx_sha384_update(sha, bits, sizeof(bits));

	for (i = 0; i < TDX_SHA384_SIZE / 8; i++) {
		word = htobe64(sha->state[i]);
		memcpy(hash + 8 * i, &word, sizeof(word));
	}
}

void tdx_sha384(const void *data, size_t len, uint8_t hash[TDX_SHA384_SIZE])
{
	struct tdx_sha384 sha;

	tdx_sha384_init(&sha);
	tdx_sha384_update(&sha, data, len);
	tdx_sha384_final(&sha, hash);
}
