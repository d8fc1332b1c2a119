#include "lab/tlsh.h"
#include <math.h>
#include <stdlib.h>

#define BUCKETS 256
#define BUCKETS_USED 128
#define CODE_BYTES 32
#define DIGEST_BYTES (3 + CODE_BYTES)

/* Pearson's permutation ("Fast hashing of variable-length text strings", CACM 1990). */
static const uint8_t pearson[256] = {
	1, 87, 49, 12, 176, 178, 102, 166, 121, 193, 6, 84, 249, 230, 44, 163,
	14, 197, 213, 181, 161, 85, 218, 80, 64, 239, 24, 226, 236, 142, 38, 200,
	110, 177, 104, 103, 141, 253, 255, 50, 77, 101, 81, 18, 45, 96, 31, 222,
	25, 107, 190, 70, 86, 237, 240, 34, 72, 242, 20, 214, 244, 227, 149, 235,
	97, 234, 57, 22, 60, 250, 82, 175, 208, 5, 127, 199, 111, 62, 135, 248,
	174, 169, 211, 58, 66, 154, 106, 195, 245, 171, 17, 187, 182, 179, 0, 243,
	132, 56, 148, 75, 128, 133, 158, 100, 130, 126, 91, 13, 153, 246, 216, 219,
	119, 68, 223, 78, 83, 88, 201, 99, 122, 11, 92, 32, 136, 114, 52, 10,
	138, 30, 48, 183, 156, 35, 61, 26, 143, 74, 251, 94, 129, 162, 63, 152,
	170, 7, 115, 167, 241, 206, 3, 150, 55, 59, 151, 220, 90, 53, 23, 131,
	125, 173, 15, 238, 79, 95, 89, 16, 105, 137, 225, 224, 217, 160, 37, 123,
	118, 73, 2, 157, 46, 116, 9, 145, 134, 228, 207, 212, 202, 215, 69, 229,
	27, 188, 67, 124, 168, 252, 42, 4, 29, 108, 21, 247, 19, 205, 39, 203,
	233, 40, 186, 147, 198, 192, 155, 33, 164, 191, 98, 204, 165, 180, 117, 76,
	140, 36, 210, 172, 41, 54, 159, 8, 185, 232, 113, 196, 231, 47, 146, 120,
	51, 65, 28, 144, 254, 221, 93, 189, 194, 139, 112, 43, 71, 109, 184, 209,
};

/* Six triplets of a window of five bytes, each with a salt of its own (section 3 of the paper). */
static uint8_t buckets_fill(struct bytes content, uint32_t count[BUCKETS])
{
	const uint8_t *v = pearson, *c = content.at;
	uint8_t checksum = 0;
	for (size_t i = 4; i < content.len; i++) {
		uint8_t b0 = c[i], b1 = c[i - 1], b2 = c[i - 2], b3 = c[i - 3], b4 = c[i - 4];
		checksum = v[v[v[v[0] ^ b0] ^ b1] ^ checksum];
		count[v[v[v[v[2] ^ b0] ^ b1] ^ b2]]++;
		count[v[v[v[v[3] ^ b0] ^ b1] ^ b3]]++;
		count[v[v[v[v[5] ^ b0] ^ b2] ^ b3]]++;
		count[v[v[v[v[7] ^ b0] ^ b2] ^ b4]]++;
		count[v[v[v[v[11] ^ b0] ^ b1] ^ b4]]++;
		count[v[v[v[v[13] ^ b0] ^ b3] ^ b4]]++;
	}
	return checksum;
}

/* The length as one byte: logarithms of three bases, as all implementations have them. */
static uint8_t length_code(size_t len)
{
	double l = log((double)len);
	if (len <= 656)
		return (uint8_t)(int)floor(l / 0.4054651);
	if (len <= 3199)
		return (uint8_t)(int)floor(l / 0.26236426 - 8.72777);
	return (uint8_t)(int)floor(l / 0.095310180 - 62.5472);
}

static int by_count(const void *left, const void *right)
{
	uint32_t l = *(const uint32_t *)left, r = *(const uint32_t *)right;
	return l < r ? -1 : l > r;
}

static uint8_t nibbles_swap(uint8_t b)
{
	return (uint8_t)(b << 4 | b >> 4);
}

static bool digest_make(struct bytes content, uint8_t digest[DIGEST_BYTES])
{
	uint32_t count[BUCKETS] = {0}, sorted[BUCKETS_USED];
	size_t filled = 0;
	if (content.len < TLSH_BYTES_MIN)
		return false;
	uint8_t checksum = buckets_fill(content, count);
	memcpy(sorted, count, sizeof sorted);
	qsort(sorted, BUCKETS_USED, sizeof *sorted, by_count);
	uint32_t q1 = sorted[BUCKETS_USED / 4 - 1], q2 = sorted[BUCKETS_USED / 2 - 1];
	uint32_t q3 = sorted[BUCKETS_USED * 3 / 4 - 1];
	for (size_t i = 0; i < BUCKETS_USED; i++)
		filled += count[i] > 0;
	if (filled <= BUCKETS_USED / 2 || !q3)
		return false;
	/* The reference divides as float before it cuts to an integer. */
	unsigned ratio1 = (unsigned)((float)(q1 * 100) / (float)q3) % 16;
	unsigned ratio2 = (unsigned)((float)(q2 * 100) / (float)q3) % 16;
	digest[0] = nibbles_swap(checksum);
	digest[1] = nibbles_swap(length_code(content.len));
	digest[2] = (uint8_t)(ratio1 << 4 | ratio2);
	for (size_t i = 0; i < CODE_BYTES; i++) {
		uint8_t code = 0;
		for (size_t j = 0; j < 4; j++) {
			uint32_t k = count[4 * i + j];
			code |= (uint8_t)((k > q3 ? 3 : k > q2 ? 2 : k > q1 ? 1 : 0) << (2 * j));
		}
		digest[3 + CODE_BYTES - 1 - i] = code;
	}
	return true;
}

bool tlsh_write(struct bytes content, char text[TLSH_TEXT_MAX])
{
	static const char hex[] = "0123456789ABCDEF";
	uint8_t digest[DIGEST_BYTES];
	text[0] = 0;
	if (!digest_make(content, digest))
		return false;
	text[0] = 'T';
	text[1] = '1';
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		text[2 + 2 * i] = hex[digest[i] >> 4];
		text[3 + 2 * i] = hex[digest[i] & 15];
	}
	text[2 + 2 * DIGEST_BYTES] = 0;
	return true;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool digest_read(const char *text, uint8_t digest[DIGEST_BYTES])
{
	if (text[0] == 'T' && text[1] == '1')
		text += 2;
	if (strlen(text) != 2 * DIGEST_BYTES)
		return false;
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		digest[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* On a ring of that size. */
static int ring_distance(int left, int right, int size)
{
	int d = abs(left - right);
	return d < size - d ? d : size - d;
}

int tlsh_distance(const char *left, const char *right)
{
	uint8_t l[DIGEST_BYTES], r[DIGEST_BYTES];
	if (!digest_read(left, l) || !digest_read(right, r))
		return -1;
	int sum = l[0] != r[0];
	int d = ring_distance(nibbles_swap(l[1]), nibbles_swap(r[1]), 256);
	sum += d <= 1 ? d : d * 12;
	d = ring_distance(l[2] >> 4, r[2] >> 4, 16);
	sum += d <= 1 ? d : (d - 1) * 12;
	d = ring_distance(l[2] & 15, r[2] & 15, 16);
	sum += d <= 1 ? d : (d - 1) * 12;
	for (size_t i = 3; i < DIGEST_BYTES; i++)
		for (unsigned shift = 0; shift < 8; shift += 2) {
			d = abs((l[i] >> shift & 3) - (r[i] >> shift & 3));
			sum += d == 3 ? 6 : d;
		}
	return sum;
}
