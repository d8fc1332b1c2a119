#include "passive/device/tls/terms.h"
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <time.h>

#define AT(member) offsetof(struct tls_terms, member)
#define NAME_TYPE_MAX 32

static const char *const keys[] = {"rsa1024", "rsa2048", "rsa4096", "ec", NULL};
static const char *const hashes[] = {"sha256", "sha1", NULL};
static const char *const forms[] = {"ca", "server", "plain", NULL};
static const char *const versions[] = {"tls1.0", "tls1.1", "tls1.2", "tls1.3", NULL};

const struct option tls_options[] = {
        {.name = "subject",
         .type = OPTION_TEXT,
         .offset = AT(subject),
         .fallback = "/CN=%{hostname}",
         .summary = "of the certificate, as openssl req -subj takes it: /C=CN/O=Maker/CN=%{address}"},
        {.name = "issuer",
         .type = OPTION_TEXT,
         .offset = AT(issuer),
         .summary = "of the certificate; absent: it is signed by itself"},
        {.name = "names",
         .type = OPTION_LIST,
         .element = OPTION_TEXT,
         .offset = AT(names),
         .summary = "other names in the certificate: \"DNS:%{hostname}\", \"IP:%{address}\""},
        {.name = "since",
         .type = OPTION_TEXT,
         .offset = AT(since),
         .summary = "day from which it is valid, 2010-01-01, seconds after midnight by address as of a "
                    "device at its first start; absent: it is renewed whenever it expires"},
        {.name = "days",
         .type = OPTION_NUMBER,
         .offset = AT(days),
         .fallback = "3650",
         .min = 1,
         .max = 36500,
         .summary = "how long it is valid"},
        {.name = "serial_bytes",
         .type = OPTION_NUMBER,
         .offset = AT(serial_bytes),
         .fallback = "20",
         .max = 20,
         .summary = "length of its serial number, drawn by address; 0: the number is 0"},
        {.name = "key",
         .type = OPTION_CHOICE,
         .offset = AT(key),
         .choices = keys,
         .fallback = "rsa2048",
         .summary = "of the certificate; those of RSA are shared by some addresses"},
        {.name = "hash",
         .type = OPTION_CHOICE,
         .offset = AT(hash),
         .choices = hashes,
         .fallback = "sha256",
         .summary = "of its signature"},
        {.name = "form",
         .type = OPTION_CHOICE,
         .offset = AT(form),
         .choices = forms,
         .fallback = "ca",
         .summary = "its extensions: those of openssl req -x509, those of a server's certificate of "
                    "Windows, or none"},
        {.name = "min",
         .type = OPTION_CHOICE,
         .offset = AT(version_min),
         .choices = versions,
         .fallback = "tls1.0",
         .summary = "oldest version spoken"},
        {.name = "max",
         .type = OPTION_CHOICE,
         .offset = AT(version_max),
         .choices = versions,
         .fallback = "tls1.2",
         .summary = "newest version spoken"},
        {.name = "ciphers",
         .type = OPTION_TEXT,
         .offset = AT(ciphers),
         .fallback = "HIGH:!aNULL:!PSK:!SRP:!ARIA:!CAMELLIA:!AESCCM",
         .summary = "of versions before 1.3, as OpenSSL names them"},
        {.name = "server_order",
         .type = OPTION_BOOL,
         .offset = AT(server_order),
         .fallback = "false",
         .summary = "whether its order of ciphers decides, and not the client's"},
        {.name = "tickets",
         .type = OPTION_BOOL,
         .offset = AT(tickets),
         .fallback = "true",
         .summary = "whether sessions may be taken up again by ticket; none is kept here"},
        {0},
};

int tls_version_number(int index)
{
	static const int numbers[] = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
	return numbers[index];
}

static bool name_ok(const char *text)
{
	while (text && *text) {
		char type[NAME_TYPE_MAX];
		size_t n = strcspn(text, "=");
		if (*text != '/' || n < 2 || n > sizeof type || text[n] != '=')
			return false;
		snprintf(type, n, "%s", text + 1);
		if (OBJ_txt2nid(type) == NID_undef)
			return false;
		text += n + strcspn(text + n, "/");
	}
	return true;
}

static bool ciphers_ok(const char *text)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	bool ok = context && SSL_CTX_set_cipher_list(context, text) == 1;
	SSL_CTX_free(context);
	return ok;
}

int tls_terms_read(const struct yaml_node *n, const char *file, const char *path, struct arena *arena,
                   struct tls_terms *t, struct fault *fault)
{
	unsigned line = n ? n->line : 0;
	struct tm day = {0};
	int bad = options_bind(tls_options, n, file, path, arena, t, fault);
	if (bad)
		return bad;
	if (!name_ok(t->subject) || !name_ok(t->issuer))
		return fault_set(fault, ERR_BAD, "%s:%u: %s: a name such as /C=US/O=Maker/CN=%%{hostname} would be right",
		                 file, line, path);
	if (!ciphers_ok(t->ciphers))
		return fault_set(fault, ERR_BAD, "%s:%u: %s.ciphers: OpenSSL knows none of these; see openssl ciphers",
		                 file, line, path);
	if (t->version_min > t->version_max)
		return fault_set(fault, ERR_BAD, "%s:%u: %s: min is newer than max", file, line, path);
	if (t->since && (!strptime(t->since, "%Y-%m-%d", &day) || day.tm_year < 70))
		return fault_set(fault, ERR_BAD, "%s:%u: %s.since: a day such as 2010-01-01 would be right", file,
		                 line, path);
	t->since_s = t->since ? (uint64_t)timegm(&day) : 0;
	return 0;
}
