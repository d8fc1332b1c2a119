#include "lab/run/architecture.h"
#include "lab/run.h"
#include <unistd.h>

#define QEMU(name) "/usr/bin/qemu-" name "-static"
#define CROSS(triplet) "/usr/" triplet "/lib"
#define ELF_HEADER_SEEN 20 /* up to e_machine */

/*
 * i386 is emulated even on x86-64: natively its socketcall(2) carries its arguments in memory, and
 * its numbers are others, so that a second table of calls would be needed.
 */
static const struct architecture architectures[] = {
	{"x86-64", NULL, "/usr/lib/x86_64-linux-gnu", 62, 64, false},
	{"i386", QEMU("i386"), CROSS("i686-linux-gnu"), 3, 32, false},
	{"arm", QEMU("arm"), CROSS("arm-linux-gnueabi"), 40, 32, false},
	{"armeb", QEMU("armeb"), NULL, 40, 32, true},
	{"aarch64", QEMU("aarch64"), CROSS("aarch64-linux-gnu"), 183, 64, false},
	{"mips", QEMU("mips"), CROSS("mips-linux-gnu"), 8, 32, true},
	{"mipsel", QEMU("mipsel"), CROSS("mipsel-linux-gnu"), 8, 32, false},
	{"mips64", QEMU("mips64"), CROSS("mips64-linux-gnuabi64"), 8, 64, true},
	{"mips64el", QEMU("mips64el"), CROSS("mips64el-linux-gnuabi64"), 8, 64, false},
	{"powerpc", QEMU("ppc"), CROSS("powerpc-linux-gnu"), 20, 32, true},
	{"powerpc64", QEMU("ppc64"), CROSS("powerpc64-linux-gnu"), 21, 64, true},
	{"powerpc64le", QEMU("ppc64le"), CROSS("powerpc64le-linux-gnu"), 21, 64, false},
	{"sparc", QEMU("sparc"), NULL, 2, 32, true},
	{"sparc32plus", QEMU("sparc32plus"), NULL, 18, 32, true},
	{"sparc64", QEMU("sparc64"), CROSS("sparc64-linux-gnu"), 43, 64, true},
	{"m68k", QEMU("m68k"), CROSS("m68k-linux-gnu"), 4, 32, true},
	{"riscv32", QEMU("riscv32"), NULL, 243, 32, false},
	{"riscv64", QEMU("riscv64"), CROSS("riscv64-linux-gnu"), 243, 64, false},
	{"sh4", QEMU("sh4"), CROSS("sh4-linux-gnu"), 42, 32, false},
	{"sh4eb", QEMU("sh4eb"), NULL, 42, 32, true},
	{"s390x", QEMU("s390x"), CROSS("s390x-linux-gnu"), 22, 64, true},
	{"hppa", QEMU("hppa"), CROSS("hppa-linux-gnu"), 15, 32, true},
	{"loongarch64", QEMU("loongarch64"), NULL, 258, 64, false},
};
#define COUNT (sizeof architectures / sizeof *architectures)
_Static_assert(COUNT < ARCHITECTURES_MAX, "callers keep a line for each");

const struct architecture *architecture_at(size_t index)
{
	return index < COUNT ? &architectures[index] : NULL;
}

const struct architecture *architecture_find(const char *word)
{
	for (size_t i = 0; i < COUNT; i++)
		if (strcmp(architectures[i].word, word) == 0)
			return &architectures[i];
	return NULL;
}

const struct architecture *architecture_of_elf(struct bytes file)
{
	if (file.len < ELF_HEADER_SEEN || memcmp(file.at, "\x7f" "ELF", 4) != 0)
		return NULL;
	const bool big = file.at[5] == 2;
	const uint16_t machine = big ? (uint16_t)(file.at[18] << 8 | file.at[19]) : (uint16_t)(file.at[19] << 8 | file.at[18]);
	for (size_t i = 0; i < COUNT; i++) {
		const struct architecture *a = &architectures[i];
		if (a->machine == machine && a->big == big && a->bits == (file.at[4] == 2 ? 64 : 32))
			return a;
	}
	return NULL;
}

bool architecture_runs(const struct architecture *architecture)
{
#if defined __x86_64__
	return architecture->qemu == NULL || access(architecture->qemu, X_OK) == 0;
#else
	return architecture->qemu != NULL && access(architecture->qemu, X_OK) == 0;
#endif
}

static void write_escaped(struct writer *w, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		write_fmt(w, "\\x%02x", bytes[i]);
}

bool architecture_format(const struct architecture *architecture, char line[ARCHITECTURE_LINE_MAX])
{
	if (architecture->qemu == NULL)
		return false;
	uint8_t magic[ELF_HEADER_SEEN] = {0x7f, 'E', 'L', 'F'}, mask[ELF_HEADER_SEEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	magic[4] = architecture->bits == 64 ? 2 : 1;
	magic[5] = architecture->big ? 2 : 1;
	const size_t low = architecture->big ? 1 : 0; /* which byte of a 16-bit number is the low one */
	magic[16 + low] = 2; /* ET_EXEC, and with the mask ET_DYN */
	mask[16 + low] = 0xfe;
	mask[17 - low] = mask[18] = mask[19] = 0xff;
	magic[18 + low] = (uint8_t)architecture->machine;
	magic[19 - low] = (uint8_t)(architecture->machine >> 8);
	struct writer w = writer_of(line, ARCHITECTURE_LINE_MAX);
	write_fmt(&w, ":%s:M::", architecture->word);
	write_escaped(&w, magic, sizeof magic);
	write_text(&w, ":");
	write_escaped(&w, mask, sizeof mask);
	/* P: argv[0] stays what the sample chose; O: it may be unreadable; F: qemu is opened now and stays. */
	write_fmt(&w, ":%s:POF", architecture->qemu);
	write_u8(&w, 0);
	return !w.bad;
}

void lab_runs(struct writer *w)
{
	const char *between = "";
	for (size_t i = 0; i < COUNT; i++) {
		if (!architecture_runs(&architectures[i]))
			continue;
		write_fmt(w, "%s%s", between, architectures[i].word);
		between = " ";
	}
}
