#include "lab/certificates_inner.h"
#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <stdlib.h>

#define NAME_TEXT_MAX 400

static void name_text(const X509_NAME *name, char text[NAME_TEXT_MAX])
{
	BIO *bio = BIO_new(BIO_s_mem());
	text[0] = 0;
	if (!bio)
		return;
	if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
		int n = BIO_read(bio, text, NAME_TEXT_MAX - 1);
		text[n > 0 ? n : 0] = 0;
	}
	BIO_free(bio);
}

static void time_text(const ASN1_TIME *time, char text[32])
{
	struct tm tm;
	text[0] = 0;
	if (ASN1_TIME_to_tm(time, &tm))
		strftime(text, 32, "%Y-%m-%d", &tm);
}

static void certificate_tell(struct analysis *a, X509 *certificate)
{
	char subject[NAME_TEXT_MAX], issuer[NAME_TEXT_MAX], from[32], until[32], serial[80] = "", text[128];
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	name_text(X509_get_subject_name(certificate), subject);
	name_text(X509_get_issuer_name(certificate), issuer);
	time_text(X509_get0_notBefore(certificate), from);
	time_text(X509_get0_notAfter(certificate), until);
	const ASN1_INTEGER *number = X509_get0_serialNumber(certificate);
	const uint8_t *bytes = ASN1_STRING_get0_data(number);
	for (int i = 0; i < ASN1_STRING_length(number) && i < 32; i++)
		snprintf(serial + 2 * i, 3, "%02x", bytes[i]);
	analysis_fact(a, "certificate", "%s, by %s, %s to %s, serial %s", subject, strcmp(subject, issuer) ? issuer : "itself", from,
		      until, serial);
	if (!X509_digest(certificate, EVP_sha256(), digest, &len))
		return;
	struct writer w = writer_of(text, sizeof text);
	write_text(&w, "certificate sha256 ");
	for (unsigned i = 0; i < len; i++)
		write_fmt(&w, "%02x", digest[i]);
	analysis_indicator(a, &(struct indicator){.type = INDICATOR_KEY, .value = writer_bytes(&w), .how = "signature",
						  .confidence = 60, .offset = UINT64_MAX});
}

bool certificate_look(struct analysis *a, struct bytes der)
{
	const uint8_t *at = der.at;
	X509 *certificate = der.len ? d2i_X509(NULL, &at, (long)der.len) : NULL;
	if (certificate)
		certificate_tell(a, certificate);
	X509_free(certificate);
	ERR_clear_error();
	return certificate != NULL;
}

size_t certificates_of_pkcs7(struct analysis *a, struct bytes der)
{
	const uint8_t *at = der.at;
	PKCS7 *signature = der.len ? d2i_PKCS7(NULL, &at, (long)der.len) : NULL;
	size_t count = 0;
	if (signature && PKCS7_type_is_signed(signature) && signature->d.sign) {
		STACK_OF(X509) *all = signature->d.sign->cert;
		for (int i = 0; i < sk_X509_num(all) && count < CERTIFICATES_MAX; i++, count++)
			certificate_tell(a, sk_X509_value(all, i));
	}
	PKCS7_free(signature);
	ERR_clear_error();
	return count;
}
