/*
 * Requests to change rights, files of rights, audits, and what callers show, from any bytes: a line each, of which the
 * first letter says which.
 *
 * Whatever was asked: nobody is let in by bytes that were not handed out, and what is kept can be read again.
 */
#include "share/access.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define NOW_US (UINT64_C(1767225600) * 1000000)
#define KEPT "access.json"

struct tables {
	int directory;
	struct audit *audit;
	struct access *access;
};

static void tables_open(struct tables *t)
{
	const struct access_about about = {.directory = t->directory, .audit = t->audit};
	struct fault fault = {0};
	if (access_open(&t->access, &about, &fault))
		abort();
}

static void knock(struct tables *t, struct bytes token)
{
	const size_t colon = bytes_find(token, ":");
	const struct bytes rest = {token.at + colon, token.len - colon};
	const struct access_claim claim = {.user = {token.at, colon}, .token = rest.len ? (struct bytes){rest.at + 1, rest.len - 1} : rest,
					   .now_us = NOW_US};
	struct caller caller;
	if (access_authenticate(t->access, &claim, &caller) != ERR_DENIED)
		abort();
}

static void obey(struct tables *t, struct bytes request)
{
	static char room[ACCESS_ANSWER_MAX];
	struct fault fault = {0};
	struct writer w = writer_of(room, sizeof room);
	int bad = access_obey(t->access, request, NOW_US, &w, &fault);
	if (w.bad || !bad != !fault.text[0] || (!bad && (w.at == w.start || *w.start != '{')))
		abort();
}

static void verify(struct bytes text)
{
	struct audit_head head = {0};
	struct fault fault = {0};
	const int fd = memfd_create("audit", MFD_CLOEXEC);
	if (fd < 0 || write(fd, text.at, text.len) != (ssize_t)text.len || lseek(fd, 0, SEEK_SET))
		abort();
	audit_verify(fd, &head, NULL, NULL, &fault);
	close(fd);
}

/* Rights from a file that is not ours: refused, or read and kept anew. */
static void load(struct tables *t, struct bytes text)
{
	const struct access_about about = {.directory = t->directory, .audit = t->audit};
	struct fault fault = {0};
	const int fd = openat(t->directory, KEPT, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text.at, text.len) != (ssize_t)text.len)
		abort();
	close(fd);
	access_close(t->access);
	t->access = NULL;
	if (access_open(&t->access, &about, &fault)) {
		unlinkat(t->directory, KEPT, 0);
		tables_open(t);
	}
}

static void line_take(struct tables *t, struct bytes line)
{
	const struct bytes rest = {line.at + 1, line.len ? line.len - 1 : 0};
	switch (line.len ? *line.at : 0) {
	case '{':
		obey(t, line);
		break;
	case 'f':
		load(t, rest);
		break;
	case 'a':
		verify(rest);
		break;
	default:
		knock(t, line);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static char folder[] = "/dev/shm/kansoku-fuzz-XXXXXX";
	static struct tables t = {.directory = -1};
	struct fault fault = {0};
	struct bytes left = {bytes, n};
	if (t.directory < 0 && (!mkdtemp(folder) || (t.directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0))
		abort();
	if (audit_open(&t.audit, t.directory, &fault))
		abort();
	tables_open(&t);
	while (left.len) {
		const size_t end = bytes_find(left, "\n"), taken = end + (end < left.len);
		line_take(&t, (struct bytes){left.at, end});
		left = (struct bytes){left.at + taken, left.len - taken};
	}
	access_close(t.access);
	tables_open(&t);
	access_close(t.access);
	audit_close(t.audit);
	unlinkat(t.directory, KEPT, 0);
	unlinkat(t.directory, AUDIT_FILE, 0);
	return 0;
}
