/*
 * The servers that an SSH decoy can claim to be, as data: what each says, in which order, and
 * how it ends a conversation.  The lists are those of the versions named, as measured or as
 * their sources and published scans have them.
 */
#pragma once
#include "base/bytes.h"

enum ssh_family {
	SSH_OPENSSH,     /* from 7.9 on */
	SSH_OPENSSH_OLD, /* before */
	SSH_DROPBEAR,
};

struct ssh_software {
	const char *name;   /* as a persona's option has it */
	const char *banner; /* unless the persona says another */
	enum ssh_family family;
	const char *kex, *host_keys, *ciphers, *macs, *compressions;
	const char *signatures; /* server-sig-algs (RFC 8308); NULL: no EXT_INFO is sent */
	bool hostbound;         /* EXT_INFO names publickey-hostbound@openssh.com */
	bool announces_keys;    /* hostkeys-00@openssh.com after a log-in */
	const char *methods;    /* of authentication, when the persona says nothing */
	uint16_t rsa_bits;
	uint16_t refusal_ms_min, refusal_ms_max; /* until a wrong password is refused */
	uint8_t tries_max;
	uint32_t window, window_more; /* of a session: at its opening, and once it runs something */
	uint32_t packet_max;
};

/* In the order of ssh_software_names, which is for OPTION_CHOICE. */
extern const struct ssh_software ssh_softwares[];
extern const char *const ssh_software_names[];
