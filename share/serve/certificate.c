/* Who is at the other end of a TLS connection, by its certificate. */
#include "share/serve/partners_inner.h"
#include <gnutls/gnutls.h>

bool guest_certificate(struct MHD_Connection *connection, uint8_t digest[SERVE_DIGEST])
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	unsigned count = 0, verdict = 0;
	size_t n = SERVE_DIGEST;
	if (!info || !info->tls_session)
		return false;
	gnutls_session_t session = info->tls_session;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
	if (!chain || !count || gnutls_certificate_verify_peers2(session, &verdict) || verdict)
		return false;
	return gnutls_fingerprint(GNUTLS_DIG_SHA256, &chain[0], digest, &n) == 0 && n == SERVE_DIGEST;
}
