/*
 * Editions of Windows, and Samba beside them: what each service of one machine says of it.
 *
 * SMB, RDP, RPC and LDAP of one address name the same computer and build, so all ask here.
 */
#pragma once
#include "passive/services/windows/ntlm.h"

struct windows_system {
	const char *name;   /* in personas */
	const char *lanman; /* "Windows 7 Professional 6.1", of SMB 1's session set-up */
	const char *native; /* "Windows 7 Professional 7601 Service Pack 1" */
	uint8_t major, minor;
	uint16_t build;
	uint16_t dialect_max; /* of SMB 2 and 3 */
	bool server, samba, smb1;
};


/* What a persona says of it, first in the device table of each of those services. */
struct windows_identity {
	int system; /* 0: that of the persona's smb; else 1 and up */
	const char *computer, *domain;
};
extern const char *const windows_identity_names[]; /* "as-smb", then the systems */

#define WINDOWS_IDENTITY_OPTIONS                                                                   \
	{.name = "system",                                                                         \
	 .type = OPTION_CHOICE,                                                                    \
	 .offset = offsetof(struct windows_identity, system),                                      \
	 .fallback = "as-smb",                                                                     \
	 .choices = windows_identity_names,                                                        \
	 .summary = "edition that it claims to be: decides dialects, names and builds"},           \
	{.name = "computer",                                                                       \
	 .type = OPTION_TEXT,                                                                      \
	 .offset = offsetof(struct windows_identity, computer),                                    \
	 .summary = "its name; the host name, or one as setup makes them, when absent"},           \
	{                                                                                          \
		.name = "domain", .type = OPTION_TEXT,                                             \
		.offset = offsetof(struct windows_identity, domain),                               \
		.summary = "DNS name of its domain; of a workgroup when absent"                    \
	}

/*
 * The edition, and its names.  Computer and domain are templates of the persona or NULL: then the
 * computer has the persona's host name, or one as setup makes them, and is of no domain.  What is
 * not said of this service stands in the persona's entry of smb; without that it is Windows 7.
 */
const struct windows_system *windows_host(struct session *, const struct windows_identity *,
					  struct ntlm_host *out);
/* When it started: some days ago, the same for all services of an address. */
uint64_t windows_boot_us(const struct session *);
/* A number that differs from device to device, and with `purpose`. */
uint64_t windows_number(const struct session *, uint64_t purpose);
