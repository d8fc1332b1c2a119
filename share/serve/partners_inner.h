/*
 * The process "partners": HTTP and TLS towards those who share with us, and nothing else.
 *
 *   partners: {listen: 203.0.113.7, port: 8443, certificate: /etc/kansoku/partners.pem, key: /etc/kansoku/partners.key,
 *              clients: /etc/kansoku/partners-ca.pem}
 *
 * It has no files and cannot connect.  Each request goes to the exchange (serve_inner.h), and what comes back goes out.
 */
#pragma once
#include "bus/process.h"
#include "share/serve/serve_inner.h"
#include <microhttpd.h>

#define PARTNERS_HELD_MAX (256u << 20) /* bytes of requests and answers that are held for all together */

struct partners_options {
	struct address listen;
	uint64_t port;
	const char *certificate, *key, *clients;
};

struct partners {
	struct process *process;
	const struct partners_options *options;
	struct MHD_Daemon *daemon;
	char *certificate, *key, *clients; /* PEM; NULL: none */
	uv_poll_t poll;
	uv_timer_t timer;
	uv_prepare_t prepare;
	size_t held;
};

/* guest.c: the callbacks of the daemon. */
enum MHD_Result guest_handle(void *partners, struct MHD_Connection *, const char *url, const char *method,
			     const char *version, const char *upload, size_t *upload_size, void **state);
void guest_completed(void *partners, struct MHD_Connection *, void **state, enum MHD_RequestTerminationCode);

/* certificate.c: SHA-256 of the client's certificate, when there is one and its chain holds. */
bool guest_certificate(struct MHD_Connection *, uint8_t digest[SERVE_DIGEST]);
