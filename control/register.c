#include "control/register_inner.h"
#include "event/event.h"
#include "base/random.h"
#include "bus/parent.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE "opt-out-key"
#define LINE_MAX_BYTES (REGISTER_REASON_MAX + 256)
#define SIGNATURE_BYTES 16

static const char *const how_names[REGISTER_HOWS] = {"page", "link", "api", "command"};

const char *register_how_name(enum register_how how) { return how_names[how < REGISTER_HOWS ? how : 0]; }

void register_reason(struct bytes said, char out[REGISTER_REASON_MAX + 1])
{
	size_t n = 0;
	said = bytes_trim(said);
	for (size_t i = 0; i < said.len && n < REGISTER_REASON_MAX; i++)
		out[n++] = said.at[i] < ' ' || said.at[i] == 0x7f ? ' ' : (char)said.at[i];
	/* A character that was cut in half goes whole. */
	while (n && n < said.len && (said.at[n] & 0xc0) == 0x80)
		n--;
	out[n] = '\0';
	bool whole = bytes_is_utf8((struct bytes){(uint8_t *)out, n});
	for (size_t i = 0; !whole && i < n; i++)
		if ((uint8_t)out[i] & 0x80)
			out[i] = '?';
}

static int entries_add(struct optout_register *r, const struct register_entry *e)
{
	if (r->count == REGISTER_MAX)
		return ERR_FULL;
	if (r->count == r->room) {
		size_t room = r->room ? 2 * r->room : 64;
		struct register_entry *larger = realloc(r->entries, room * sizeof *larger);
		if (!larger)
			return ERR_MEMORY;
		r->entries = larger;
		r->room = room;
	}
	char *reason = strdup(e->reason ? e->reason : "");
	if (!reason || prefix_set_add(&r->set, &e->prefix)) {
		free(reason);
		return ERR_MEMORY;
	}
	r->entries[r->count] = *e;
	r->entries[r->count++].reason = reason;
	return 0;
}

static bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->bits == b->bits && address_equal(&a->base, &b->base);
}

/* What is wider says it, too. */
static bool prefix_within(const struct prefix *inner, const struct prefix *outer)
{
	return outer->bits <= inner->bits && prefix_holds(outer, &inner->base);
}

static void waiting_drop(struct optout_register *r, size_t i)
{
	free((void *)(uintptr_t)r->waiting[i].reason);
	r->waiting_count--;
	memmove(&r->waiting[i], &r->waiting[i + 1], (r->waiting_count - i) * sizeof r->waiting[0]);
}

static void waiting_settle(struct optout_register *r, const struct prefix *p)
{
	for (size_t i = r->waiting_count; i-- > 0;)
		if (prefix_within(&r->waiting[i].prefix, p))
			waiting_drop(r, i);
}

static int waiting_add(struct optout_register *r, const struct register_entry *e)
{
	for (size_t i = 0; i < r->waiting_count; i++)
		if (prefix_equal(&r->waiting[i].prefix, &e->prefix))
			return 0;
	if (r->waiting_count == REGISTER_WAITING_MAX)
		return ERR_FULL;
	char *reason = strdup(e->reason ? e->reason : "");
	if (!reason)
		return ERR_MEMORY;
	r->waiting[r->waiting_count] = *e;
	r->waiting[r->waiting_count++].reason = reason;
	return 0;
}

static struct bytes next_word(struct bytes *rest)
{
	*rest = bytes_trim(*rest);
	size_t n = 0;
	while (n < rest->len && rest->at[n] != ' ')
		n++;
	struct bytes word = {rest->at, n};
	*rest = bytes_trim((struct bytes){rest->at + n, rest->len - n});
	return word;
}

/* Behind the prefix: `# TIME HOW REASON`; a line that the operator wrote may lack all of it. */
static void read_remark(struct bytes rest, bool request, struct register_entry *e, char reason[REGISTER_REASON_MAX + 1])
{
	next_word(&rest); /* the # */
	if (!time_parse(next_word(&rest), &e->time_us))
		e->time_us = 0;
	struct bytes how = next_word(&rest);
	for (int i = 0; i < REGISTER_HOWS; i++)
		if (bytes_equal_text(how, how_names[i]))
			e->how = (enum register_how)i;
	if (request && !address_parse(next_word(&rest), &e->asker))
		e->asker = (struct address){0};
	register_reason(rest, reason);
	e->reason = reason;
}

static int read_line_of(struct optout_register *r, struct bytes line)
{
	char reason[REGISTER_REASON_MAX + 1];
	struct register_entry e = {.how = REGISTER_COMMAND};
	line = bytes_trim(line);
	bool request = line.len > 1 && line.at[0] == '#' && line.at[1] == '?';
	bool declined = line.len > 1 && line.at[0] == '#' && line.at[1] == '!';
	if (line.len == 0 || (line.at[0] == '#' && !request && !declined))
		return 0;
	if (request || declined)
		line = (struct bytes){line.at + 2, line.len - 2};
	if (!prefix_parse(next_word(&line), &e.prefix)) {
		r->bad_lines++;
		return 0;
	}
	read_remark(line, request, &e, reason);
	if (declined)
		waiting_settle(r, &e.prefix);
	else if (request)
		return waiting_add(r, &e) == ERR_MEMORY ? ERR_MEMORY : 0;
	else
		waiting_settle(r, &e.prefix);
	return declined ? 0 : entries_add(r, &e);
}

int register_read(struct optout_register *r, struct bytes text)
{
	int bad = 0;
	while (text.len && !bad) {
		const uint8_t *end = memchr(text.at, '\n', text.len);
		if (!end)
			break;
		size_t n = (size_t)(end - text.at);
		r->whole += n + 1;
		bad = read_line_of(r, (struct bytes){text.at, n});
		text = (struct bytes){text.at + n + 1, text.len - n - 1};
	}
	prefix_set_seal(&r->set);
	return bad;
}

static int read_key(struct optout_register *r, int directory)
{
	int fd = openat(directory, KEY_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return ERR_SYSTEM;
	ssize_t n = read(fd, r->key, sizeof r->key);
	if (n != (ssize_t)sizeof r->key) {
		for (size_t i = 0; i < sizeof r->key; i += 8) {
			uint64_t part = random_secret();
			memcpy(r->key + i, &part, 8);
		}
		bool kept = n >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, r->key, sizeof r->key, 0) == sizeof r->key;
		n = kept && fsync(fd) == 0 ? (ssize_t)sizeof r->key : -1;
	}
	close(fd);
	return n < 0 ? ERR_SYSTEM : 0;
}

/* What stands behind the lines that were taken in. */
static int read_appended(struct optout_register *r, uint64_t size)
{
	const size_t room = (size_t)(size - r->whole);
	const uint64_t begin = r->whole;
	uint8_t *text = malloc(room + 1);
	size_t len = 0;
	ssize_t n = 1;
	while (text && n > 0 && len < room) {
		n = pread(r->fd, text + len, room - len, (off_t)(begin + len));
		len += n > 0 ? (size_t)n : 0;
	}
	int bad = !text ? ERR_MEMORY : n < 0 ? ERR_SYSTEM : register_read(r, (struct bytes){text, len});
	free(text);
	return bad;
}

static int read_file(struct optout_register *r)
{
	struct stat st;
	if (fstat(r->fd, &st))
		return ERR_SYSTEM;
	if (st.st_size > REGISTER_BYTES_MAX)
		return ERR_FULL;
	if ((uint64_t)st.st_size < r->whole)
		r->whole = 0; /* somebody rewrote it: read as if it were new */
	return (uint64_t)st.st_size == r->whole ? 0 : read_appended(r, (uint64_t)st.st_size);
}

int register_open(struct optout_register *r, const char *directory, struct fault *fault)
{
	*r = (struct optout_register){0};
	prefix_set_seal(&r->set);
	int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int bad = folder < 0 ? ERR_SYSTEM : read_key(r, folder);
	if (!bad)
		r->fd = openat(folder, REGISTER_FILE, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	r->kept = !bad && r->fd >= 0;
	bad = bad ? bad : r->kept ? read_file(r) : ERR_SYSTEM;
	if (bad)
		fault_set(fault, bad, "%s/" REGISTER_FILE ": %s; who asked to be left alone is not known", directory,
			  bad == ERR_SYSTEM ? strerror(errno) : error_name(bad));
	if (folder >= 0)
		close(folder);
	return bad;
}

int register_folder(const struct config *config, char *path, size_t n)
{
	char state[512];
	if (run_state_path(config, state, sizeof state))
		return ERR_FULL;
	return snprintf(path, n, "%s/control", state) < (int)n ? 0 : ERR_FULL;
}

static bool is_other_file(int a, int b)
{
	struct stat x, y;
	return fstat(a, &x) || fstat(b, &y) || x.st_dev != y.st_dev || x.st_ino != y.st_ino;
}

static int follow(struct optout_register *r, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : ERR_SYSTEM;
	if (r->kept && !is_other_file(r->fd, fd)) {
		close(fd);
		return read_file(r);
	}
	if (r->kept)
		close(r->fd);
	r->fd = fd;
	r->kept = true;
	r->whole = 0;
	return read_file(r);
}

int register_follow(struct optout_register *r, const struct config *config, struct fault *fault)
{
	char folder[600], path[640];
	const size_t before = r->count;
	if (register_folder(config, folder, sizeof folder))
		return fault_set(fault, ERR_BAD, "run.state: the path is too long");
	snprintf(path, sizeof path, "%s/" REGISTER_FILE, folder);
	const int bad = follow(r, path);
	if (bad)
		return fault_set(fault, bad, "%s: %s; who asked to be left alone is not known", path,
				 bad == ERR_SYSTEM ? strerror(errno) : error_name(bad));
	return r->count != before;
}

int register_peek(struct optout_register *r, const struct config *config, struct fault *fault)
{
	*r = (struct optout_register){0};
	prefix_set_seal(&r->set);
	const int bad = register_follow(r, config, fault);
	return bad < 0 ? bad : 0;
}

void register_close(struct optout_register *r)
{
	for (size_t i = 0; i < r->count; i++)
		free((void *)(uintptr_t)r->entries[i].reason);
	while (r->waiting_count)
		waiting_drop(r, r->waiting_count - 1);
	free(r->entries);
	prefix_set_done(&r->set);
	if (r->kept)
		close(r->fd);
	*r = (struct optout_register){0};
}

static int append(struct optout_register *r, const struct writer *line)
{
	struct bytes b = writer_bytes(line);
	if (!r->kept || line->bad || ftruncate(r->fd, (off_t)r->whole) || write(r->fd, b.at, b.len) != (ssize_t)b.len ||
	    fdatasync(r->fd))
		return ERR_SYSTEM;
	r->whole += b.len;
	return 0;
}

static int append_entry(struct optout_register *r, const char *mark, const struct register_entry *e)
{
	char room[LINE_MAX_BYTES], prefix[ADDRESS_TEXT_MAX], asker[ADDRESS_TEXT_MAX], time[TIME_TEXT_MAX];
	struct writer w = writer_of(room, sizeof room);
	write_fmt(&w, "%s%s # %s %s ", mark, prefix_format(&e->prefix, prefix), time_format(e->time_us, time),
		  register_how_name(e->how));
	if (*mark)
		write_fmt(&w, "%s ", address_format(&e->asker, asker));
	write_fmt(&w, "%s\n", e->reason ? e->reason : "");
	return append(r, &w);
}

int register_add(struct optout_register *r, const struct register_entry *e)
{
	for (size_t i = 0; i < r->count; i++)
		if (prefix_equal(&r->entries[i].prefix, &e->prefix))
			return 0; /* it stands already, with the reason of the first time */
	int bad = entries_add(r, e);
	if (bad)
		return bad;
	prefix_set_seal(&r->set);
	waiting_settle(r, &e->prefix);
	return append_entry(r, "", e);
}

int register_ask(struct optout_register *r, const struct register_entry *e)
{
	size_t before = r->waiting_count;
	int bad = waiting_add(r, e);
	return bad || r->waiting_count == before ? bad : append_entry(r, "#? ", e);
}

int register_decline(struct optout_register *r, const struct prefix *p)
{
	char room[ADDRESS_TEXT_MAX + 8], text[ADDRESS_TEXT_MAX];
	struct writer w = writer_of(room, sizeof room);
	for (size_t i = 0; i < r->waiting_count; i++) {
		if (!prefix_equal(&r->waiting[i].prefix, p))
			continue;
		waiting_drop(r, i);
		write_fmt(&w, "#! %s\n", prefix_format(p, text));
		return append(r, &w);
	}
	return ERR_MISSING;
}

const struct register_entry *register_find(const struct optout_register *r, const struct address *a)
{
	for (size_t i = r->count; i-- > 0;)
		if (prefix_holds(&r->entries[i].prefix, a))
			return &r->entries[i];
	return NULL;
}

bool register_sign(const struct optout_register *r, const struct prefix *p, uint64_t until_s, char hex[33])
{
	char text[ADDRESS_TEXT_MAX], message[ADDRESS_TEXT_MAX + 64];
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	int n = snprintf(message, sizeof message, "kansoku opt-out\n%s\n%llu\n", prefix_format(p, text),
			 (unsigned long long)until_s);
	if (!HMAC(EVP_sha256(), r->key, sizeof r->key, (const uint8_t *)message, (size_t)n, mac, &len))
		return false;
	for (size_t i = 0; i < SIGNATURE_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", mac[i]);
	return true;
}

bool register_is_signed(const struct optout_register *r, const struct prefix *p, uint64_t until_s, struct bytes hex)
{
	char right[33];
	return register_sign(r, p, until_s, right) && hex.len == 32 && CRYPTO_memcmp(hex.at, right, 32) == 0;
}
