#include "bait/ledger.h"
#include "base/clock.h"
#include "base/random.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD "kansoku bait 1 "
#define HEAD_BYTES (sizeof HEAD - 1 + 2 * BAIT_SECRET_BYTES + 1)
#define LINE_MAX_BYTES 512
#define CHUNK 65536

static const char *const kind_names[LEDGER_KINDS] = {"place", "account", "sample"};

const char *bait_ledger_kind_name(enum bait_kind kind)
{
	return kind_names[kind];
}

static void hex_write(const uint8_t *bytes, size_t n, char *text)
{
	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

void bait_run_write(const struct bait_run *r, char text[LEDGER_TEXT_MAX + 1])
{
	char event[33], root[33];
	hex_write(r->event, sizeof r->event, event);
	hex_write(r->root, sizeof r->root, root);
	snprintf(text, LEDGER_TEXT_MAX + 1, "%s %s %s %s %llu", r->sha256, r->run, event, root, (unsigned long long)r->depth);
}

static void head_write(struct writer *w)
{
	write_text(w, HEAD);
	for (size_t i = 0; i < BAIT_SECRET_BYTES / 8; i++)
		write_fmt(w, "%016llx", (unsigned long long)random_secret());
	write_text(w, "\n");
}

int bait_ledger_create(const char *state, struct fault *fault)
{
	char path[4096];
	uint8_t head[HEAD_BYTES + 1];
	struct stat st;
	mkdir(state, 0711); /* as kansoku run makes it */
	snprintf(path, sizeof path, "%s/" LEDGER_FOLDER, state);
	if (mkdir(path, 0700) && errno != EEXIST)
		return fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	snprintf(path, sizeof path, "%s/" LEDGER_FOLDER "/" LEDGER_FILE, state);
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool bad = fd < 0 || flock(fd, LOCK_EX) || fstat(fd, &st);
	if (!bad && st.st_size == 0) {
		struct writer w = writer_of(head, sizeof head);
		head_write(&w);
		bad = write(fd, head, HEAD_BYTES) != (ssize_t)HEAD_BYTES || fsync(fd);
	}
	if (!bad)
		bad = flock(fd, LOCK_UN);
	if (!bad)
		return fd;
	fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ERR_SYSTEM;
}

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_read(const char *text, uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit((uint8_t)text[2 * i]), low = hex_digit((uint8_t)text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

bool bait_run_read(const char *text, struct bait_run *out)
{
	struct bait_run r = {0};
	char event[33], root[33];
	unsigned long long depth;
	if (sscanf(text, "%64[0-9a-f] %15s %32[0-9a-f] %32[0-9a-f] %llu", r.sha256, r.run, event, root, &depth) != 5 ||
	    strlen(r.sha256) != 64 || strlen(event) != 32 || strlen(root) != 32)
		return false;
	r.depth = depth;
	*out = r;
	return hex_read(event, out->event, sizeof out->event) && hex_read(root, out->root, sizeof out->root);
}

static bool head_read(struct bytes line, struct bait_secret *out)
{
	uint8_t secret[BAIT_SECRET_BYTES];
	if (line.len != HEAD_BYTES - 1 || !bytes_start_with(line, HEAD))
		return false;
	const uint8_t *digits = line.at + sizeof HEAD - 1;
	for (size_t i = 0; i < sizeof secret; i++) {
		int high = hex_digit(digits[2 * i]), low = hex_digit(digits[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		secret[i] = (uint8_t)(high << 4 | low);
	}
	*out = bait_secret_of(secret);
	return true;
}

static struct bytes part(struct bytes *line)
{
	const uint8_t *tab = line->len ? memchr(line->at, '\t', line->len) : NULL;
	struct bytes b = {line->at, tab ? (size_t)(tab - line->at) : line->len};
	size_t skip = b.len + (tab != NULL);
	line->at += skip;
	line->len -= skip;
	return b;
}

static bool entry_read(struct bytes line, uint32_t number, struct bait_entry *e)
{
	uint64_t n;
	struct bytes number_text = part(&line), time_text = part(&line), kind = part(&line), by = part(&line),
		     user = part(&line);
	*e = (struct bait_entry){.number = number, .kind = LEDGER_KINDS};
	for (int i = 0; i < LEDGER_KINDS; i++)
		if (bytes_equal_text(kind, kind_names[i]))
			e->kind = (enum bait_kind)i;
	return e->kind != LEDGER_KINDS && bytes_number(number_text, LEDGER_ENTRIES_MAX, &n) && n == number &&
	       bytes_number(time_text, UINT32_MAX, &e->time_s) && bytes_copy_text(by, e->by, sizeof e->by) &&
	       bytes_copy_text(user, e->user, sizeof e->user) && bytes_copy_text(line, e->text, sizeof e->text);
}

static int entry_keep(struct bait_ledger *l, const struct bait_entry *e)
{
	if (l->count == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct bait_entry *grown = realloc(l->entries, room * sizeof *grown);
		if (!grown)
			return ERR_MEMORY;
		l->entries = grown;
		l->room = room;
	}
	l->entries[l->count++] = *e;
	return 0;
}

int bait_ledger_take(struct bait_ledger *l, struct bytes text)
{
	const uint8_t *end;
	while (text.len && (end = memchr(text.at, '\n', text.len)) != NULL) {
		struct bytes line = {text.at, (size_t)(end - text.at)};
		struct bait_entry e;
		if (l->read == 0 && !head_read(line, &l->secret))
			return ERR_BAD;
		if (l->read && (l->count == LEDGER_ENTRIES_MAX || !entry_read(line, (uint32_t)l->count + 1, &e)))
			return ERR_BAD;
		if (l->read && entry_keep(l, &e))
			return ERR_MEMORY;
		l->read += line.len + 1;
		text.at += line.len + 1;
		text.len -= line.len + 1;
	}
	return 0;
}

static int bait_ledger_read_on(struct bait_ledger *l)
{
	uint8_t *chunk = malloc(CHUNK);
	int bad = chunk ? 0 : ERR_MEMORY;
	while (!bad) {
		ssize_t n = pread(l->fd, chunk, CHUNK, (off_t)l->read);
		uint64_t before = l->read;
		if (n <= 0)
			break;
		bad = bait_ledger_take(l, (struct bytes){chunk, (size_t)n});
		if (l->read == before)
			break; /* a line that is not whole yet */
	}
	free(chunk);
	return bad;
}

int bait_ledger_open(struct bait_ledger *l, int fd, struct fault *fault)
{
	*l = (struct bait_ledger){.fd = fd};
	int bad = bait_ledger_read_on(l);
	if (!bad && !l->read)
		bad = ERR_BAD;
	if (bad)
		fault_set(fault, bad, LEDGER_FOLDER "/" LEDGER_FILE ": line %zu is not one of a ledger of bait; "
			  "the file from a backup would be right", l->count + 1 + (l->read != 0));
	if (bad)
		bait_ledger_done(l);
	return bad;
}

void bait_ledger_refresh(struct bait_ledger *l)
{
	struct stat st;
	if (l->fd >= 0 && !fstat(l->fd, &st) && (uint64_t)st.st_size > l->read)
		bait_ledger_read_on(l);
}

void bait_ledger_done(struct bait_ledger *l)
{
	free(l->entries);
	*l = (struct bait_ledger){.fd = -1};
}

const struct bait_entry *bait_ledger_entry(const struct bait_ledger *l, uint32_t number)
{
	return number && number <= l->count ? &l->entries[number - 1] : NULL;
}

/* What would end a field or a line becomes a blank. */
static void plain(char *text)
{
	for (; *text; text++)
		if ((uint8_t)*text < ' ' || *text == 127)
			*text = ' ';
}

int bait_ledger_add(struct bait_ledger *l, struct bait_entry *e, struct fault *fault)
{
	char line[LINE_MAX_BYTES];
	struct writer w = writer_of(line, sizeof line);
	if (flock(l->fd, LOCK_EX))
		return fault_set(fault, ERR_SYSTEM, "the ledger of bait cannot be locked: %s", strerror(errno));
	int bad = bait_ledger_read_on(l);
	if (!bad && l->count == LEDGER_ENTRIES_MAX)
		bad = ERR_FULL;
	e->number = (uint32_t)l->count + 1;
	e->time_s = clock_utc_us() / 1000000;
	plain(e->by);
	plain(e->user);
	plain(e->text);
	write_fmt(&w, "%u\t%llu\t%s\t%s\t%s\t%s\n", e->number, (unsigned long long)e->time_s, kind_names[e->kind],
		  e->by, e->user, e->text);
	bad = bad ? bad : w.bad ? ERR_FULL : entry_keep(l, e);
	if (!bad && (write(l->fd, line, writer_used(&w)) != (ssize_t)writer_used(&w) || fsync(l->fd)))
		bad = ERR_SYSTEM;
	if (!bad)
		l->read += writer_used(&w);
	flock(l->fd, LOCK_UN);
	return bad ? fault_set(fault, bad, "the ledger of bait takes no more: %s",
			       bad == ERR_SYSTEM ? strerror(errno) : error_name(bad)) : 0;
}
