#include "cli/rights.h"
#include "base/address.h"
#include "share/access.h"
#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#define HEX_DIGITS (2 * DIGEST_BYTES)

json_t *rights_request(const char *word)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *user = sudo ? NULL : getpwuid(getuid());
	return json_pack("{s:s, s:s}", "do", word, "by", sudo ? sudo : user ? user->pw_name : "");
}

bool rights_member(json_t *request, const char *command, const char *word)
{
	const char *slash = strchr(word, '/');
	if (!slash || slash == word || !slash[1] || strchr(slash + 1, '/')) {
		command_fail(2, "%s: \"%s\" is no ORGANISATION/USER, csirt/feed would be right", command, word);
		return false;
	}
	json_object_set_new(request, "organisation", json_stringn(word, (size_t)(slash - word)));
	json_object_set_new(request, "user", json_string(slash + 1));
	return true;
}

/* Digits, two by two, with or without colons, as OpenSSL prints fingerprints. */
static bool fingerprint_read(const char *text, char hex[HEX_DIGITS + 1])
{
	size_t n = 0;
	for (; *text; text++) {
		if (*text == ':' && n % 2 == 0)
			continue;
		if (!isxdigit((unsigned char)*text) || n == HEX_DIGITS)
			return false;
		hex[n++] = (char)tolower((unsigned char)*text);
	}
	hex[n] = '\0';
	return n == HEX_DIGITS;
}

static bool certificate_read(const char *path, char hex[HEX_DIGITS + 1])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	FILE *file = fopen(path, "re");
	X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	const bool read = certificate && X509_digest(certificate, EVP_sha256(), digest, &len) && len == DIGEST_BYTES;
	for (size_t i = 0; read && i < DIGEST_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	X509_free(certificate);
	if (file)
		fclose(file);
	return read;
}

static bool seconds_read(const char *text, json_int_t *out)
{
	static const struct {
		const char *unit;
		json_int_t seconds;
	} units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 7 * 86400}};
	char *end;
	const unsigned long n = strtoul(text, &end, 10);
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (end > text && isdigit((unsigned char)*text) && n <= 1000000000 && !strcmp(end, units[i].unit)) {
			*out = (json_int_t)n * units[i].seconds;
			return true;
		}
	return false;
}

static bool flag_wrong(const char *command, const struct rights_flag *f, const char *value, const char *right)
{
	command_fail(2, "%s: --%s: \"%s\" is not %s", command, f->name, value, right);
	return false;
}

static bool flag_add(json_t *request, const struct arguments *a, const char *command, const struct rights_flag *f, const char *value)
{
	char hex[HEX_DIGITS + 1];
	json_int_t seconds;
	uint64_t number;
	json_t *list;
	switch (f->type) {
	case RIGHTS_TEXT:
		json_object_set_new(request, f->key, json_string(value));
		return true;
	case RIGHTS_NUMBER:
		if (!bytes_number(bytes_of_text(value), 1000000, &number))
			return flag_wrong(command, f, value, "a number up to 1000000");
		json_object_set_new(request, f->key, json_integer((json_int_t)number));
		return true;
	case RIGHTS_SECONDS:
		if (!seconds_read(value, &seconds))
			return flag_wrong(command, f, value, "a duration such as 12h or 30d");
		json_object_set_new(request, f->key, json_integer(seconds));
		return true;
	case RIGHTS_LIST:
		list = json_array();
		for (size_t i = 0; (value = arguments_flag_nth(a, f->name, i)); i++)
			json_array_append_new(list, json_string(value));
		json_object_set_new(request, f->key, list);
		return true;
	case RIGHTS_CERTIFICATE:
		if (!fingerprint_read(value, hex) && !certificate_read(value, hex))
			return flag_wrong(command, f, value, "a certificate's file in PEM nor a SHA-256 fingerprint");
		json_object_set_new(request, f->key, json_string(hex));
		return true;
	}
	return false;
}

bool rights_flags(json_t *request, const struct arguments *a, const char *command, const struct rights_flag *flags)
{
	for (const struct rights_flag *f = flags; f->name; f++) {
		const char *value = arguments_flag(a, f->name);
		if (value && !flag_add(request, a, command, f, value))
			return false;
	}
	return true;
}

int rights_do(struct desk *d, const char *command, json_t *request, rights_row *print)
{
	json_t *row = desk_ask_role(d, command, "exchange", TOPIC_ACCESS, request);
	if (!row)
		return 1;
	if (d->json)
		json_print_row(row);
	else
		print(row);
	json_decref(row);
	return 0;
}

int rights_list(struct desk *d, const char *command, json_t *request, rights_row *print)
{
	json_int_t from = 0;
	for (json_t *answer, *row; from >= 0; json_decref(answer)) {
		size_t i;
		json_object_set_new(request, "from", json_integer(from));
		answer = desk_ask_role(d, command, "exchange", TOPIC_ACCESS, json_incref(request));
		if (!answer)
			break;
		json_array_foreach(json_object_get(answer, "rows"), i, row)
			d->json ? json_print_row(row) : print(row);
		const json_t *next = json_object_get(answer, "next");
		from = next ? json_integer_value(next) : -1;
	}
	json_decref(request);
	return from < 0 ? 0 : 1;
}
