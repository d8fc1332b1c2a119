/*
 * Static analysis of anything: all analysers, parts within parts.  A first byte chooses a head that leads
 * to formats which random bytes would seldom begin like.
 */
#include "lab/lab.h"
#include "lab/tlsh.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct bytes heads[] = {
	{NULL, 0},
	{(const uint8_t *)"\x7f" "ELF\1\1\1\0\0\0\0\0\0\0\0\0\2\0\x28\0\1\0\0\0", 24},
	{(const uint8_t *)"PK\3\4", 4},
	{(const uint8_t *)"\3\0\x08\0", 4},
	{(const uint8_t *)"%PDF-1.5\nstream\n", 16},
	{(const uint8_t *)"L\0\0\0\1\x14\2\0", 8},
	{(const uint8_t *)"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8},
	{(const uint8_t *)"#!/bin/sh\n", 10},
	{(const uint8_t *)"{\\rtf1\\objdata ", 15},
	{(const uint8_t *)"dex\n035", 7},
};

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	static uint8_t report[1u << 20];
	struct analysis *a;
	struct fault fault;
	if (!n || n > 1u << 16)
		return 0;
	struct bytes head = heads[at[0] % (sizeof heads / sizeof *heads)];
	uint8_t *sample = malloc(head.len + n);
	if (!sample)
		abort();
	if (head.len)
		memcpy(sample, head.at, head.len);
	memcpy(sample + head.len, at + 1, n - 1);
	if (lab_analyse(&a, (struct bytes){sample, head.len + n - 1}, NULL, &fault) < 0)
		abort();
	const struct findings *f = analysis_findings(a);
	struct writer w = writer_of(report, sizeof report);
	write_findings(&w, f);
	if (!w.bad && !bytes_is_utf8(writer_bytes(&w)))
		abort();
	if (f->tlsh[0] && tlsh_distance(f->tlsh, f->tlsh))
		abort();
	for (size_t i = 0; i < f->indicator_count; i++)
		if (f->indicators[i].confidence > 100 || f->indicators[i].part >= f->part_count)
			abort();
	analysis_free(a);
	free(sample);
	return 0;
}
