/*
 * Windows programs (PE/COFF), as the loader reads them: sections that overlap, tables that lead
 * nowhere and sizes that lie are told, and reading goes on.
 */
#include "lab/analyser.h"
#include "lab/certificates_inner.h"
#include "lab/entropy.h"
#include "lab/pe_inner.h"
#include "lab/type.h"
#include "base/little.h"
#include <openssl/evp.h>

#define SECTIONS_TOLD_MAX 32
#define LIBRARIES_MAX 256
#define FUNCTIONS_MAX 4096
#define NAME_MAX_BYTES 128
#define NOTABLE_TOLD_MAX 64
#define IMPORTS_TEXT_MAX (256u << 10)
#define RESOURCES_MAX 256
#define PACKED_ENTROPY 7.2

/* Functions that say what a program is up to. */
static bool notable(struct bytes name)
{
	static const char *const words[] = {
		"CreateRemoteThread", "WriteProcessMemory", "VirtualAllocEx", "NtUnmapViewOfSection", "QueueUserAPC", "SetWindowsHookEx",
		"GetAsyncKeyState", "URLDownloadToFile", "InternetOpen", "InternetReadFile", "HttpSendRequest", "WinHttpOpen", "WSAStartup",
		"connect", "send", "recv", "CryptEncrypt", "CryptGenKey", "BCryptEncrypt", "CreateService", "RegSetValue", "ShellExecute",
		"WinExec", "CreateProcess", "IsDebuggerPresent", "CheckRemoteDebuggerPresent", "AdjustTokenPrivileges", "NetUserAdd",
		"CreateToolhelp32Snapshot", "TerminateProcess", "MiniDumpWriteDump", "LsaEnumerate", "CreateMutex", "DeleteFile", NULL};
	for (const char *const *word = words; *word; word++) {
		size_t n = strlen(*word);
		if (bytes_start_with(name, *word) && name.len <= n + 3) /* with A, W or Ex behind */
			return true;
	}
	return false;
}

static void sections_look(struct analysis *a, const struct pe *p)
{
	static const char *const packers[][2] = {{"UPX0", "UPX"}, {"UPX1", "UPX"}, {".aspack", "ASPack"}, {".themida", "Themida"},
						 {".vmp0", "VMProtect"}, {".vmp1", "VMProtect"}, {"MPRESS1", "MPRESS"},
						 {".petite", "Petite"}, {".nsp0", "NsPack"}, {"pec1", "PECompact"}, {".enigma1", "Enigma"}};
	for (unsigned i = 0; i < p->section_count && i < SECTIONS_TOLD_MAX; i++) {
		struct pe_section s = pe_section(p, i);
		struct bytes b = pe_bytes(p, s.offset, s.size);
		double entropy = bytes_entropy(b);
		analysis_fact(a, "pe.section", "%s %c%c%c at 0x%x, %u bytes, entropy %.2f", s.name, s.flags & 0x40000000 ? 'r' : '-',
			      s.flags & 0x80000000 ? 'w' : '-', s.flags & 0x20000000 ? 'x' : '-', s.address, s.size, entropy);
		if (s.size && !b.len)
			analysis_fact(a, "pe.damaged", "section %u lies beyond the end of the file", i);
		if (b.len > 4096 && entropy > PACKED_ENTROPY && s.flags & 0x20000000)
			analysis_fact(a, "pe.packed", "code with entropy %.2f", entropy);
		for (size_t k = 0; k < sizeof packers / sizeof *packers; k++)
			if (!strcmp(s.name, packers[k][0]))
				analysis_fact(a, "pe.packer", "%s", packers[k][1]);
	}
}

struct imports {
	struct analysis *analysis;
	const struct pe *pe;
	struct writer names; /* "kernel32.createfilea,ws2_32.ord23": what imphash is the MD5 of */
	unsigned functions, told;
};

static void name_add(struct imports *m, struct bytes library, struct bytes function, unsigned ordinal)
{
	if (writer_used(&m->names))
		write_u8(&m->names, ',');
	size_t n = library.len;
	const uint8_t *dot = memrchr(library.at, '.', library.len);
	struct bytes end = dot ? (struct bytes){dot + 1, n - (size_t)(dot + 1 - library.at)} : (struct bytes){0};
	if (bytes_equal_nocase(end, "dll") || bytes_equal_nocase(end, "ocx") || bytes_equal_nocase(end, "sys"))
		n = (size_t)(dot - library.at);
	for (size_t i = 0; i < n; i++)
		write_u8(&m->names, (uint8_t)(library.at[i] >= 'A' && library.at[i] <= 'Z' ? library.at[i] | 0x20 : library.at[i]));
	write_u8(&m->names, '.');
	if (!function.len)
		write_fmt(&m->names, "ord%u", ordinal);
	for (size_t i = 0; i < function.len; i++)
		write_u8(&m->names, (uint8_t)(function.at[i] >= 'A' && function.at[i] <= 'Z' ? function.at[i] | 0x20 : function.at[i]));
}

/* The names of one library's functions, from its lookup table. */
static void functions_look(struct imports *m, struct bytes library, uint32_t table)
{
	const struct pe *p = m->pe;
	size_t width = p->wide ? 8 : 4;
	for (unsigned i = 0; m->functions < FUNCTIONS_MAX; i++) {
		uint64_t entry = pe_get(p, pe_offset(p, table + (uint32_t)(i * width)), width);
		if (!entry)
			return;
		m->functions++;
		if (entry >> (8 * width - 1)) {
			name_add(m, library, (struct bytes){0}, (unsigned)(entry & 0xffff));
			continue;
		}
		struct bytes name = pe_text(p, pe_offset(p, (uint32_t)entry + 2), NAME_MAX_BYTES);
		name_add(m, library, name, 0);
		if (notable(name) && m->told++ < NOTABLE_TOLD_MAX)
			analysis_fact(m->analysis, "pe.import", "%.*s %.*s", (int)library.len, (const char *)library.at, (int)name.len,
				      (const char *)name.at);
	}
	analysis_limit(m->analysis, "pe.imports");
}

static void imports_look(struct analysis *a, const struct pe *p)
{
	struct pe_directory d = pe_directory(p, PE_IMPORTS);
	uint8_t *room = arena_alloc(analysis_arena(a), IMPORTS_TEXT_MAX);
	struct imports m = {.analysis = a, .pe = p, .names = writer_of(room, room ? IMPORTS_TEXT_MAX : 0)};
	if (!d.address || !room)
		return;
	for (unsigned i = 0; i < LIBRARIES_MAX; i++) {
		uint64_t at = pe_offset(p, d.address + 20 * i);
		uint32_t lookup = (uint32_t)pe_get(p, at, 4), name = (uint32_t)pe_get(p, at + 12, 4), bound = (uint32_t)pe_get(p, at + 16, 4);
		if (!name || at == UINT64_MAX)
			break;
		struct bytes library = pe_text(p, pe_offset(p, name), NAME_MAX_BYTES);
		if (!library.len)
			break;
		analysis_fact(a, "pe.library", "%.*s", (int)library.len, (const char *)library.at);
		functions_look(&m, library, lookup ? lookup : bound);
	}
	uint8_t digest[16];
	char text[33] = "";
	if (m.names.bad || !m.functions || !EVP_Digest(room, writer_used(&m.names), digest, NULL, EVP_md5(), NULL))
		return;
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	analysis_fact(a, "pe.imphash", "%s", text);
}

static void exports_look(struct analysis *a, const struct pe *p)
{
	struct pe_directory d = pe_directory(p, PE_EXPORTS);
	uint64_t at = d.address ? pe_offset(p, d.address) : UINT64_MAX;
	if (at == UINT64_MAX)
		return;
	struct bytes name = pe_text(p, pe_offset(p, (uint32_t)pe_get(p, at + 12, 4)), NAME_MAX_BYTES);
	analysis_fact(a, "pe.export-name", "%.*s", (int)name.len, (const char *)name.at);
	uint32_t count = (uint32_t)pe_get(p, at + 24, 4), names = (uint32_t)pe_get(p, at + 32, 4);
	for (uint32_t i = 0; i < count && i < NOTABLE_TOLD_MAX; i++) {
		struct bytes function = pe_text(p, pe_offset(p, (uint32_t)pe_get(p, pe_offset(p, names + 4 * i), 4)), NAME_MAX_BYTES);
		if (function.len)
			analysis_fact(a, "pe.export", "%.*s", (int)function.len, (const char *)function.at);
	}
}

/* Where the compiler left the path of its debug file ("RSDS", a GUID, an age, a path): names of people and projects. */
static void debug_look(struct analysis *a, const struct pe *p)
{
	struct pe_directory d = pe_directory(p, PE_DEBUG);
	for (uint32_t i = 0; i + 28 <= d.size && i < 28 * 8; i += 28) {
		uint64_t at = pe_offset(p, d.address + i), file = pe_get(p, at + 24, 4);
		if (pe_get(p, at + 12, 4) != 2 || pe_get(p, file, 4) != 0x53445352)
			continue;
		struct bytes path = pe_text(p, file + 24, 260);
		analysis_fact(a, "pe.debug-path", "%.*s", (int)path.len, (const char *)path.at);
	}
}

/* Resources are a tree of three levels: type, name, language.  What is a program or an archive becomes a part. */
static void resources_walk(struct analysis *a, const struct pe *p, uint32_t base, uint32_t table, unsigned depth, unsigned *left)
{
	uint64_t at = pe_offset(p, base + table);
	uint64_t count = pe_get(p, at + 12, 2) + pe_get(p, at + 14, 2);
	for (uint64_t i = 0; at != UINT64_MAX && i < count && *left; i++) {
		uint32_t next = (uint32_t)pe_get(p, at + 16 + 8 * i + 4, 4);
		--*left;
		if (next & 0x80000000u) {
			if (depth < 3)
				resources_walk(a, p, base, next & 0x7fffffffu, depth + 1, left);
			continue;
		}
		uint64_t leaf = pe_offset(p, base + next);
		struct bytes b = pe_bytes(p, pe_offset(p, (uint32_t)pe_get(p, leaf, 4)), pe_get(p, leaf + 4, 4));
		const char *type = content_type(b);
		if (b.len > 64 && strcmp(type, "data") && strcmp(type, "text") && strcmp(type, "xml"))
			analysis_contains(a, "resource", b, false);
	}
	if (!*left)
		analysis_limit(a, "pe.resources");
}

/* Authenticode: WIN_CERTIFICATE, whose place is an offset in the file and no address. */
static void signature_look(struct analysis *a, const struct pe *p)
{
	struct pe_directory d = pe_directory(p, PE_SECURITY);
	uint64_t size = pe_get(p, d.address, 4);
	struct bytes b = size > 8 ? pe_bytes(p, d.address + 8, size - 8) : (struct bytes){0};
	if (!d.address)
		return;
	analysis_fact(a, "pe.signed", "%s", b.len && certificates_of_pkcs7(a, b) ? "yes" : "by something unreadable");
}

static void overlay_look(struct analysis *a, const struct pe *p)
{
	uint64_t end = p->headers_end;
	struct pe_directory signature = pe_directory(p, PE_SECURITY);
	for (unsigned i = 0; i < p->section_count; i++) {
		struct pe_section s = pe_section(p, i);
		if (pe_bytes(p, s.offset, s.size).len && (uint64_t)s.offset + s.size > end)
			end = (uint64_t)s.offset + s.size;
	}
	uint64_t stop = signature.address > end && signature.address < p->content.len ? signature.address : p->content.len;
	struct bytes b = end < stop ? pe_bytes(p, end, stop - end) : (struct bytes){0};
	if (!b.len || p->symbols)
		return; /* behind the sections of an unstripped program lie its symbols */
	analysis_fact(a, "pe.overlay", "%zu bytes at 0x%llx, %s", b.len, (unsigned long long)end, content_type(b));
	if (strcmp(content_type(b), "data"))
		analysis_contains(a, "overlay", b, false);
}

/* Names that programs of one maker keep each other out by. */
static void mutexes_look(struct analysis *a, const struct pe *p)
{
	static const char *const marks[] = {"Global\\", "Local\\"};
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		struct bytes rest = p->content;
		for (size_t at, told = 0; (at = bytes_find(rest, marks[i])) < rest.len && told < NOTABLE_TOLD_MAX; told++) {
			rest = (struct bytes){rest.at + at, rest.len - at};
			struct bytes name = pe_text(p, (uint64_t)(rest.at - p->content.at), NAME_MAX_BYTES);
			size_t n = strlen(marks[i]);
			if (name.len > n + 2 && !memchr(name.at, '%', name.len))
				analysis_indicator(a, &(struct indicator){
					.type = INDICATOR_MUTEX, .value = name, .how = "strings", .confidence = 60,
					.offset = (uint64_t)(rest.at - p->content.at)});
			rest = (struct bytes){rest.at + n, rest.len - n};
		}
	}
}

static void pe_analyse(struct analysis *a, const struct part *part)
{
	struct pe p;
	unsigned left = RESOURCES_MAX;
	if (!pe_open(&p, part->content)) {
		analysis_fact(a, "pe.damaged", "the file ends within its headers");
		return;
	}
	analysis_architecture(a, p.architecture);
	analysis_fact(a, "pe.kind", "%s, %s", p.flags & 0x2000 ? "library" : "program", pe_subsystem(&p));
	analysis_fact(a, "pe.entry", "0x%x", p.entry);
	analysis_fact(a, "pe.time", "%u", p.time);
	if (p.damaged)
		analysis_fact(a, "pe.damaged", "%s", p.damaged);
	if (pe_directory(&p, PE_CLR).address)
		analysis_fact(a, "pe.language", ".net");
	if (pe_directory(&p, PE_TLS).address && pe_get(&p, pe_offset(&p, pe_directory(&p, PE_TLS).address) + (p.wide ? 24 : 12), 4))
		analysis_fact(a, "pe.odd", "code that runs before its entry (TLS callbacks)");
	sections_look(a, &p);
	imports_look(a, &p);
	exports_look(a, &p);
	debug_look(a, &p);
	mutexes_look(a, &p);
	if (pe_directory(&p, PE_RESOURCES).address)
		resources_walk(a, &p, pe_directory(&p, PE_RESOURCES).address, 0, 0, &left);
	signature_look(a, &p);
	overlay_look(a, &p);
}

static const char *const pe_types[] = {"pe", NULL};
static const struct analyser pe = {
	.name = "pe",
	.summary = "Windows programs and libraries, their imports, resources and signatures",
	.reference = "Microsoft, PE Format; imphash as pefile computes it",
	.phase = 0,
	.types = pe_types,
	.analyse = pe_analyse,
};
ANALYSER(pe);
