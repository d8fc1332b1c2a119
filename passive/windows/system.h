/*
 * Editions of Windows, and Samba beside them: what each service of one machine says of it.
 *
 * SMB, RDP, RPC and LDAP of one address name the same computer and build, so all ask here.
 */
#pragma once
#include "passive/windows/ntlm.h"

struct windows_system {
	const char *name;   /* in personas */
	const char *lanman; /* "Windows 7 Professional 6.1", of SMB 1's session set-up */
	const char *native; /* "Windows 7 Professional 7601 Service Pack 1" */
	uint8_t major, minor;
	uint16_t build;
	uint16_t dialect_max; /* of SMB 2 and 3 */
	bool server, samba, smb1;
};

extern const struct windows_system windows_systems[];
extern const char *const windows_system_names[]; /* choices of an option, in the same order */

/*
 * Fills in the names.  `computer` and `domain` are templates of the persona or NULL: then the
 * computer has the persona's host name, or one as setup makes them, and is of no domain.
 */
void windows_host(struct session *, const struct windows_system *, const char *computer,
		  const char *domain, struct ntlm_host *out);
/* When it started: some days ago, the same for all services of an address. */
uint64_t windows_boot_us(const struct session *);
/* A number that differs from device to device, and with `purpose`. */
uint64_t windows_number(const struct session *, uint64_t purpose);
