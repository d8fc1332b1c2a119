#include "share/intake/intake_inner.h"
#include "event/indicator.h"
#include "share/reading/refang_inner.h"
#include "share/intake/unpack_inner.h"
#include "base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#define XXH_STATIC_LINKING_ONLY /* the state on the stack */
#include <xxhash.h>

#define SOURCE_MAX 127
#define ARENA_MAX (256u << 20)
#define WHY_MAX 300
#define RECENT 64 /* a link and its text say the same */
#define TEXT_CONFIDENCE 60   /* of what merely stands in a text */
#define BROKEN_CONFIDENCE 90 /* of what its writer broke, so that nobody follows it */

struct intake {
	const struct format *format;
	char source[SOURCE_MAX + 1];
	struct intake_hooks hooks;
	struct intake_counts counts;
	struct unpack *unpack;
	struct buffer pending; /* the line, or the document, as far as it came */
	int file;              /* or the file; -1: there is none */
	bool skipping;         /* within a line that is too long */
	struct arena arena;
	void *state; /* the format's own */
	char map[INTAKE_MAP_MAX], file_name[INTAKE_FILE_MAX];
	uint64_t recent[RECENT];
	size_t recent_count;
};

const struct format *format_find(struct bytes name)
{
	FORMATS_EACH(it)
		if (bytes_equal_text(name, (*it)->name))
			return *it;
	return NULL;
}

static int unnamed_file(int directory)
{
	return directory ? openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : memfd_create("intake", MFD_CLOEXEC);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

int intake_open(struct intake **out, const struct format *format, const char *source, const struct intake_hooks *hooks,
		struct fault *fault)
{
	struct intake *in = calloc(1, sizeof *in);
	if (!in || unpack_open(&in->unpack)) {
		free(in);
		return fault_set(fault, ERR_MEMORY, "no memory to read a file");
	}
	in->format = format;
	in->hooks = *hooks;
	snprintf(in->source, sizeof in->source, "%s", source);
	snprintf(in->map, sizeof in->map, "%s", hooks->map ? hooks->map : "");
	snprintf(in->file_name, sizeof in->file_name, "%s", hooks->file ? base_name(hooks->file) : "");
	in->pending = BUFFER(format->shape == FORMAT_LINES ? FORMAT_LINE_MAX : FORMAT_DOCUMENT_MAX);
	in->arena = ARENA(ARENA_MAX);
	in->state = format->state_size ? calloc(1, format->state_size) : NULL;
	in->file = format->shape == FORMAT_FILE ? unnamed_file(hooks->directory) : -1;
	if (format->state_size && !in->state) {
		intake_close(in);
		return fault_set(fault, ERR_MEMORY, "no memory to read a file");
	}
	if (format->shape == FORMAT_FILE && in->file < 0) {
		intake_close(in);
		return fault_set(fault, ERR_SYSTEM, "no file could be made to unpack into: %s", strerror(errno));
	}
	*out = in;
	return 0;
}

void intake_close(struct intake *in)
{
	if (!in)
		return;
	unpack_close(in->unpack);
	if (in->file >= 0)
		close(in->file);
	buffer_done(&in->pending);
	arena_done(&in->arena);
	free(in->state);
	free(in);
}

const struct intake_counts *intake_counts(const struct intake *in) { return &in->counts; }
struct arena *intake_arena(struct intake *in) { return &in->arena; }
void *intake_state(struct intake *in) { return in->state; }
const char *intake_map(const struct intake *in) { return in->map; }
const char *intake_file(const struct intake *in) { return in->file_name; }

void intake_bad(struct intake *in, const char *fmt, ...)
{
	char why[WHY_MAX];
	va_list args;
	if (in->counts.bad++ >= INTAKE_COMPLAINTS_MAX || !in->hooks.bad)
		return;
	va_start(args, fmt);
	vsnprintf(why, sizeof why, fmt, args);
	va_end(args);
	in->hooks.bad(in->hooks.arg, in->format->shape == FORMAT_LINES ? in->counts.lines : 0, why);
}

/* What one source says of one value on one page is one record, however often it is read. */
static uint64_t digest_of(const struct intake *in, const struct record *r)
{
	XXH3_state_t state;
	/* What happened again at another time is another observation; a name that is listed again is not. */
	const struct bytes time = {(const uint8_t *)&r->time_us, r->kind ? sizeof r->time_us : 0};
	const struct bytes named = bytes_of_text(r->kind ? r->kind : ""), none = {0};
	const struct bytes parts[] = {bytes_of_text(in->format->name), bytes_of_text(in->source), bytes_of_text(r->type),
				      r->id.len ? none : r->value, r->link, r->id, r->version, named, r->id.len ? none : time};
	XXH3_64bits_reset(&state);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		uint64_t len = parts[i].len;
		XXH3_64bits_update(&state, &len, sizeof len);
		XXH3_64bits_update(&state, parts[i].at, parts[i].len);
	}
	return XXH3_64bits_digest(&state);
}

static bool is_recent(struct intake *in, uint64_t digest)
{
	for (size_t i = 0; i < RECENT; i++)
		if (in->recent[i] == digest)
			return true;
	in->recent[in->recent_count++ % RECENT] = digest;
	return false;
}

static struct bytes cut(struct bytes b, size_t max) { return (struct bytes){b.at, b.len < max ? b.len : max}; }

void intake_record(struct intake *in, const struct record *given)
{
	struct record r = *given;
	if (!r.value.len || r.value.len > RECORD_VALUE_MAX) {
		intake_bad(in, "a value has %zu bytes, 1 to %d would be right", r.value.len, RECORD_VALUE_MAX);
		return;
	}
	r.original = cut(r.original, RECORD_TEXT_MAX);
	r.title = cut(r.title, RECORD_TEXT_MAX);
	r.link = cut(r.link, RECORD_VALUE_MAX);
	r.author = cut(r.author, RECORD_VALUE_MAX);
	r.labels = cut(r.labels, RECORD_TEXT_MAX);
	r.id = cut(r.id, RECORD_VALUE_MAX);
	uint64_t digest = digest_of(in, &r);
	if (is_recent(in, digest) || (in->hooks.seen && in->hooks.seen(in->hooks.arg, digest))) {
		in->counts.repeated++;
		return;
	}
	if (in->hooks.record(in->hooks.arg, &r))
		in->counts.records++;
	else
		in->counts.refused++;
}

void intake_network(struct intake *in, const struct network *n)
{
	bool in_order = memcmp(n->first.b, n->last.b, sizeof n->first.b) <= 0;
	if (!in_order || address_is_v4(&n->first) != address_is_v4(&n->last)) {
		intake_bad(in, "a range ends before it begins, or in another family");
		return;
	}
	in->counts.networks++;
	if (in->hooks.network)
		in->hooks.network(in->hooks.arg, n);
}

void intake_as(struct intake *in, uint32_t as, struct bytes name, const char country[3])
{
	in->counts.networks++;
	if (in->hooks.as)
		in->hooks.as(in->hooks.arg, as, cut(name, RECORD_VALUE_MAX), country);
}

struct text_intake {
	struct intake *intake;
	const struct record *like;
	const char *text; /* as it stood there */
	size_t count;
};

/* What a page links to on its own host is its own, not what it warns of. */
static bool is_own_host(const struct record *like, struct bytes value)
{
	size_t begin = bytes_find(like->link, "://"), end;
	if (begin + 3 >= like->link.len)
		return false;
	for (end = begin += 3; end < like->link.len && !strchr("/:?#", like->link.at[end]);)
		end++;
	struct bytes host = {like->link.at + begin, end - begin};
	return host.len && memmem(value.at, value.len, host.at, host.len);
}

static void take_found(struct intake *in, const struct indicator *found, struct record *r)
{
	r->has_address = indicator_address(found, &r->address, &r->port);
	intake_record(in, r);
}

static void on_found(void *arg, const struct indicator *found)
{
	struct text_intake *text = arg;
	struct record r = *text->like;
	text->count++;
	r.type = indicator_type_name(found->type);
	r.role = found->role == FOR_UNKNOWN ? NULL : indicator_role_name(found->role);
	r.value = found->value;
	/* Nobody breaks the address of a friend: what was broken on purpose is meant. */
	const char *value = arena_text(&text->intake->arena, found->value);
	r.confidence = value && !strcasestr(text->text, value) ? BROKEN_CONFIDENCE : found->confidence;
	if (r.confidence == BROKEN_CONFIDENCE || !is_own_host(text->like, found->value))
		take_found(text->intake, found, &r);
}

size_t intake_text(struct intake *in, const struct record *like, struct bytes text)
{
	struct text_intake arg = {in, like, arena_text(&in->arena, text), 0};
	struct bytes whole = refang(text, &in->arena);
	if (!whole.at || !arg.text) {
		intake_bad(in, "there was no memory for a text of %zu bytes", text.len);
		return 0;
	}
	indicators_find(whole, UINT64_MAX, "text", like->confidence ? like->confidence : TEXT_CONFIDENCE, on_found, &arg);
	return arg.count;
}

static void take_line(struct intake *in, struct bytes line)
{
	in->counts.lines++;
	if (line.len && line.at[line.len - 1] == '\r')
		line.len--;
	if (bytes_trim(line).len)
		in->format->line(in, line);
	arena_done(&in->arena);
}

static int take_lines(struct intake *in, struct bytes b)
{
	while (b.len) {
		const uint8_t *end = memchr(b.at, '\n', b.len);
		size_t n = end ? (size_t)(end - b.at) : b.len;
		size_t rest = end ? n + 1 : n;
		if (!in->skipping && buffer_append(&in->pending, b.at, n)) {
			in->skipping = true;
			in->counts.lines++;
			intake_bad(in, "the line is longer than %u bytes", FORMAT_LINE_MAX);
		}
		if (end && !in->skipping)
			take_line(in, buffer_bytes(&in->pending));
		if (end) {
			buffer_consume(&in->pending, buffer_len(&in->pending));
			in->skipping = false;
		}
		b = (struct bytes){b.at + rest, b.len - rest};
	}
	return 0;
}

static int keep_in_file(struct intake *in, struct bytes b, struct fault *fault)
{
	if (in->counts.unpacked > FORMAT_FILE_MAX)
		return fault_set(fault, ERR_FULL, "the file is larger than %llu bytes", (unsigned long long)FORMAT_FILE_MAX);
	while (b.len) {
		ssize_t n = write(in->file, b.at, b.len);
		if (n <= 0)
			return fault_set(fault, ERR_SYSTEM, "it cannot be unpacked: %s", strerror(errno));
		b = (struct bytes){b.at + n, b.len - (size_t)n};
	}
	return 0;
}

static int on_unpacked(void *arg, struct bytes b, struct fault *fault)
{
	struct intake *in = arg;
	in->counts.unpacked += b.len;
	if (in->format->shape == FORMAT_LINES)
		return take_lines(in, b);
	if (in->format->shape == FORMAT_FILE)
		return keep_in_file(in, b, fault);
	if (buffer_append(&in->pending, b.at, b.len))
		return fault_set(fault, ERR_FULL, "the document is larger than %u bytes", FORMAT_DOCUMENT_MAX);
	return 0;
}

int intake_feed(struct intake *in, struct bytes b, struct fault *fault)
{
	in->counts.bytes += b.len;
	return unpack_feed(in->unpack, b, on_unpacked, in, fault);
}

int intake_end(struct intake *in, struct fault *fault)
{
	int bad = unpack_end(in->unpack, on_unpacked, in, fault);
	struct bytes rest = buffer_bytes(&in->pending);
	if (in->format->shape == FORMAT_LINES && rest.len && !in->skipping)
		take_line(in, rest);
	if (in->format->shape == FORMAT_LINES && !bad && in->format->end)
		in->format->end(in);
	else if (in->format->shape == FORMAT_DOCUMENT && !bad)
		in->format->document(in, rest);
	else if (in->format->shape == FORMAT_FILE && !bad && lseek(in->file, 0, SEEK_SET) == 0)
		in->format->file(in, in->file);
	buffer_consume(&in->pending, buffer_len(&in->pending));
	return bad;
}
