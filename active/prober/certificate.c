/* What a certificate tells of its host: names, dates, key and digest (RFC 5280 4.1). */
#include "active/probe.h"
#include "active/prober/secure_inner.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <time.h>

#define NAME_TEXT_MAX 1024
#define NAMES_MAX 32 /* subject alternative names that are kept */

FIELD(TLS_SUBJECT, "tls.subject", BYTES, 0, "subject of the certificate, RFC 2253");
FIELD(TLS_ISSUER, "tls.issuer", BYTES, 0, "its issuer, RFC 2253");
FIELD(TLS_NAMES, "tls.names", BYTES, 0, "its alternative names, comma-separated");
FIELD(TLS_SHA256, "tls.sha256", TEXT, 0, "digest of the certificate, lower-case hex");
FIELD(TLS_NOT_BEFORE, "tls.not_before", TIME, 0, "start of its validity");
FIELD(TLS_NOT_AFTER, "tls.not_after", TIME, 0, "end of its validity");
FIELD(TLS_KEY, "tls.key", TEXT, 0, "kind and bits of its key");

/* Comma without space and no reversal of what stands in the certificate, as Recog's rules expect. */
static struct bytes name_text(const X509_NAME *name, BIO *out)
{
	(void)BIO_reset(out);
	X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
	char *at = NULL;
	long n = BIO_get_mem_data(out, &at);
	size_t len = n > 0 ? (size_t)n : 0;
	return (struct bytes){(const uint8_t *)at, len < NAME_TEXT_MAX ? len : NAME_TEXT_MAX};
}

static void names_write(X509 *x, struct writer *w)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	int n = names ? sk_GENERAL_NAME_num(names) : 0;
	for (int i = 0; i < n && i < NAMES_MAX; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
		if (g->type != GEN_DNS && g->type != GEN_URI && g->type != GEN_EMAIL)
			continue;
		struct bytes text = {ASN1_STRING_get0_data(g->d.ia5),
				     (size_t)ASN1_STRING_length(g->d.ia5)};
		if (writer_left(w) < text.len + 1)
			break;
		if (writer_used(w))
			write_u8(w, ',');
		write_span(w, text);
	}
	GENERAL_NAMES_free(names);
}

static void time_report(const ASN1_TIME *t, uint16_t field, struct event *answer)
{
	struct tm when;
	if (t && ASN1_TIME_to_tm(t, &when) == 1) {
		time_t seconds = timegm(&when);
		if (seconds >= 0)
			event_set_number(answer, field, (uint64_t)seconds * 1000000);
	}
}

static void digest_report(struct bytes der, struct event *answer)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
	if (EVP_Digest(der.at, der.len, digest, &n, EVP_sha256(), NULL) != 1)
		return;
	for (unsigned i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	event_set_text(answer, TLS_SHA256, hex);
}

static void key_report(X509 *x, struct event *answer)
{
	const EVP_PKEY *key = X509_get0_pubkey(x);
	const char *kind = key ? EVP_PKEY_get0_type_name(key) : NULL;
	char text[64];
	if (!kind)
		return;
	snprintf(text, sizeof text, "%s %d", kind, EVP_PKEY_get_bits(key));
	event_set_text(answer, TLS_KEY, text);
}

void certificate_report(struct bytes der, struct asking *a, struct event *answer)
{
	const uint8_t *at = der.at;
	X509 *x = der.len && der.len <= PROBE_ANSWER_MAX ? d2i_X509(NULL, &at, (long)der.len) : NULL;
	BIO *text = x ? BIO_new(BIO_s_mem()) : NULL;
	if (text) {
		struct bytes name = name_text(X509_get_subject_name(x), text);
		event_set_bytes(answer, TLS_SUBJECT, name);
		asking_signal(a, "x509.subject", name);
		name = name_text(X509_get_issuer_name(x), text);
		event_set_bytes(answer, TLS_ISSUER, name);
		asking_signal(a, "x509.issuer", name);
		uint8_t names[NAME_TEXT_MAX];
		struct writer w = writer_of(names, sizeof names);
		names_write(x, &w);
		if (writer_used(&w))
			event_set_bytes(answer, TLS_NAMES, writer_bytes(&w));
		time_report(X509_get0_notBefore(x), TLS_NOT_BEFORE, answer);
		time_report(X509_get0_notAfter(x), TLS_NOT_AFTER, answer);
		digest_report(der, answer);
		key_report(x, answer);
	}
	BIO_free(text);
	X509_free(x);
	ERR_clear_error();
}
