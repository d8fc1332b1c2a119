#include "cli/exports.h"
#include "bus/client.h"
#include "share/share.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_MS (24u * 60 * 60 * 1000)
#define PATH_BYTES 4096
#define END_MAX (64u << 10)

struct taking {
	int fd;
	uint64_t bytes;
	EVP_MD_CTX *digest;
	struct buffer end;
	struct fault fault;
};

static bool write_all(struct taking *t, struct bytes b)
{
	while (b.len) {
		ssize_t n = write(t->fd, b.at, b.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			fault_set(&t->fault, ERR_SYSTEM, "the export cannot be written: %s", strerror(errno));
			return false;
		}
		b = (struct bytes){b.at + n, b.len - (size_t)n};
	}
	return true;
}

static bool take_part(void *arg, struct bytes part)
{
	struct taking *t = arg;
	struct bytes rest = {part.at + 1, part.len - 1};
	if (*part.at == EXPORT_END)
		return buffer_append(&t->end, rest.at, rest.len) == 0;
	t->bytes += rest.len;
	return EVP_DigestUpdate(t->digest, rest.at, rest.len) && write_all(t, rest);
}

static bool digest_fits(struct taking *t, const json_t *about)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
	unsigned n = 0;
	if (!EVP_DigestFinal_ex(t->digest, digest, &n))
		return false;
	for (unsigned i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return !strcmp(hex, json_text_of(about, "sha256")) && (json_int_t)t->bytes == json_number_of(about, "bytes");
}

static int take_all(struct taking *t, const char *state, const char *question, json_t **about, struct fault *fault)
{
	int bad = client_request(state, "exchange", TOPIC_EXPORT, bytes_of_text(question), take_part, t, WAIT_MS, fault);
	struct bytes end = buffer_bytes(&t->end);
	if (t->fault.text[0])
		return fault_set(fault, ERR_SYSTEM, "%s", t->fault.text);
	if (bad)
		return bad;
	json_t *said = json_loadb((const char *)end.at, end.len, 0, NULL);
	if (!said || !digest_fits(t, said)) {
		json_decref(said);
		return fault_set(fault, ERR_BAD, "what came is not what was sent: its digest differs");
	}
	*about = said;
	return 0;
}

static int open_part(const char *path, char part[PATH_BYTES], struct fault *fault)
{
	struct stat st;
	*part = '\0';
	if (!path)
		return STDOUT_FILENO;
	/* A device or a pipe is written to and never replaced. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		int there = open(path, O_WRONLY | O_CLOEXEC);
		return there < 0 ? fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno)) : there;
	}
	if ((size_t)snprintf(part, PATH_BYTES, "%s.part", path) >= PATH_BYTES)
		return fault_set(fault, ERR_BAD, "%s: the path is too long", path);
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return fd < 0 ? fault_set(fault, ERR_SYSTEM, "%s: %s", part, strerror(errno)) : fd;
}

static int close_part(int fd, const char *path, const char *part, int bad, struct fault *fault)
{
	if (!path)
		return bad;
	if (!bad && *part && fsync(fd))
		bad = fault_set(fault, ERR_SYSTEM, "%s: %s", part, strerror(errno));
	close(fd);
	if (!*part)
		return bad;
	if (!bad && rename(part, path))
		bad = fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	if (bad)
		unlink(part);
	return bad;
}

int export_take(const char *state, json_t *question, const char *path, json_t **about, struct fault *fault)
{
	char part[PATH_BYTES], *text = json_dumps(question, JSON_COMPACT);
	struct taking t = {.fd = open_part(path, part, fault), .digest = EVP_MD_CTX_new(), .end = BUFFER(END_MAX)};
	json_decref(question);
	int bad = t.fd < 0 ? t.fd : 0;
	if (!bad && (!text || !t.digest || !EVP_DigestInit_ex(t.digest, EVP_sha256(), NULL)))
		bad = fault_set(fault, ERR_MEMORY, "no memory");
	bad = bad ? bad : take_all(&t, state, text, about, fault);
	if (t.fd >= 0)
		bad = close_part(t.fd, path, part, bad, fault);
	EVP_MD_CTX_free(t.digest);
	buffer_done(&t.end);
	free(text);
	return bad;
}

void export_say(const json_t *about)
{
	long long passed = json_number_of(about, "passed_over"), withheld = json_number_of(about, "withheld");
	fprintf(stderr, "%lld events as %s, %lld bytes, TLP:%s, policy %s", json_number_of(about, "objects"),
		json_text_of(about, "format"), json_number_of(about, "bytes"), json_text_of(about, "marking"),
		json_text_of(about, "policy"));
	if (passed)
		fprintf(stderr, "; %lld more are nothing that this format says", passed);
	if (withheld)
		fprintf(stderr, "; %lld are marked above what may be seen", withheld);
	fputc('\n', stderr);
}
