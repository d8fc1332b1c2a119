/*
 * How a device speaks TLS and what its certificate says: the map `tls` of a persona, or of one of
 * its services.
 */
#pragma once
#include "base/options.h"

enum tls_key { TLS_RSA_1024, TLS_RSA_2048, TLS_RSA_4096, TLS_EC, TLS_KEYS };
enum tls_form { TLS_FORM_CA, TLS_FORM_SERVER, TLS_FORM_PLAIN };

struct tls_terms {
	const char *subject, *issuer;
	struct option_list names; /* of const char *, "DNS:..." and "IP:..." */
	const char *since;
	uint64_t since_s; /* of 1970; read from `since`, 0: none */
	uint64_t days, serial_bytes;
	int key, hash, form;
	int version_min, version_max; /* indexes of SSL 3 and later: tls_version_number() */
	const char *ciphers;
	bool server_order, tickets;
};

extern const struct option tls_options[];

/* A node that is NULL: all defaults.  Says in the fault what OpenSSL would not take. */
int tls_terms_read(const struct yaml_node *, const char *file, const char *path, struct arena *,
                   struct tls_terms *, struct fault *);
int tls_version_number(int index);
