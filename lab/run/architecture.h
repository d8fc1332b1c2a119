/*
 * Processors that a sample can be made for, and what runs it here.
 *
 * The words are those of an analysis ("mipsel", "sh4").  All but the machine's own run under
 * qemu-user, found by binfmt_misc: so the children of a sample run as it does, whatever they are.
 */
#pragma once
#include "base/bytes.h"

#define ARCHITECTURE_LINE_MAX 320
#define ARCHITECTURES_MAX 32

struct architecture {
	const char *word;
	const char *qemu;   /* Debian's static program, "/usr/bin/qemu-mips-static"; NULL: natively */
	const char *libraries; /* where Debian's libc for it lies, from its cross compiler; NULL: there is none */
	uint16_t machine;   /* e_machine */
	uint8_t bits;
	bool big;           /* most significant byte first */
};

/* NULL when nothing is known of it. */
const struct architecture *architecture_find(const char *word);
/* By its header's first 20 bytes: these the kernel reads, too, however damaged the rest is. */
const struct architecture *architecture_of_elf(struct bytes file);
/* Is what it needs installed? */
bool architecture_runs(const struct architecture *);
/*
 * A line for binfmt_misc's `register`: class, byte order, type and machine must fit, the rest of
 * e_ident may be anything, as for the kernel.  False for the machine's own, which needs
 * none.
 */
bool architecture_format(const struct architecture *, char line[ARCHITECTURE_LINE_MAX]);
/* Every one of the table, NULL at its end. */
const struct architecture *architecture_at(size_t index);
