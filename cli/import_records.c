#include "cli/import_records.h"
#include "bus/client.h"
#include "bus/parent.h"
#include "event/event.h"
#include "event/indicator.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_MS 60000
#define BEGIN_BYTES_MAX 4096
#define ANSWER_MAX (64u << 10)

struct sending { /* one file on its way */
	const char *state, *name;
	uint64_t id, sent, size;
	uint8_t part[IMPORT_PART_MAX + 16];
};

static bool keep_part(void *arg, struct bytes part) { return buffer_append(arg, part.at, part.len) == 0; }

static int step(struct sending *s, enum import_step step, struct bytes b, struct buffer *answer, struct fault *fault)
{
	struct writer w = writer_of(s->part, sizeof s->part);
	write_u64(&w, s->id);
	write_u8(&w, (uint8_t)step);
	write_span(&w, b);
	return client_request(s->state, "exchange", TOPIC_IMPORT, writer_bytes(&w), keep_part, answer, WAIT_MS, fault);
}

static int begin(struct sending *s, const struct arguments *a, const struct format *format, struct fault *fault)
{
	const char *source = arguments_flag(a, "source"), *tlp = arguments_flag(a, "tlp"), *pap = arguments_flag(a, "pap");
	struct buffer answer = BUFFER(ANSWER_MAX);
	const char *map = arguments_flag(a, "map");
	const char *slash = strrchr(s->name, '/'), *file = strchr(s->name, '\n') ? "" : slash ? slash + 1 : s->name;
	char text[BEGIN_BYTES_MAX];
	int n = snprintf(text, sizeof text, "%s\n%s\n%s\n%s\n%s\n%s", format->name, source ? source : "", tlp ? tlp : "",
			 pap ? pap : "", map ? map : "", file);
	if (n >= (int)sizeof text || (source && strchr(source, '\n')) || (map && strchr(map, '\n')))
		return fault_set(fault, ERR_BAD, "the name of the source or the map is too long, or has more than one line");
	int bad = step(s, IMPORT_BEGIN, bytes_of_text(text), &answer, fault);
	struct reader r = reader_of_bytes(buffer_bytes(&answer));
	if (!bad)
		s->id = read_u64(&r);
	buffer_done(&answer);
	return bad;
}

static void show_progress(const struct sending *s)
{
	if (isatty(2) && s->size)
		fprintf(stderr, "\r%s: %llu of %llu KiB ", s->name, (unsigned long long)(s->sent >> 10),
			(unsigned long long)(s->size >> 10));
}

static int send_all(struct sending *s, int fd, struct fault *fault)
{
	static uint8_t piece[IMPORT_PART_MAX];
	struct buffer answer = BUFFER(ANSWER_MAX);
	ssize_t n = 0;
	int bad = 0;
	while (!bad && (n = read(fd, piece, sizeof piece)) > 0) {
		bad = step(s, IMPORT_PART, (struct bytes){piece, (size_t)n}, &answer, fault);
		s->sent += (uint64_t)n;
		show_progress(s);
	}
	buffer_done(&answer);
	return n < 0 ? fault_set(fault, ERR_SYSTEM, "%s", strerror(errno)) : bad;
}

static unsigned long long count(const json_t *result, const char *key)
{
	return (unsigned long long)json_integer_value(json_object_get(result, key));
}

static void print_result(const char *name, const json_t *result)
{
	size_t i;
	json_t *complaint;
	json_array_foreach(json_object_get(result, "complaints"), i, complaint)
		fprintf(stderr, "%s:%llu: %s\n", name, count(complaint, "line"),
			json_string_value(json_object_get(complaint, "why")));
	printf("%s: %llu records, %llu networks, %llu seen before, %llu unreadable, %llu refused\n", name,
	       count(result, "records"), count(result, "networks"), count(result, "repeated"), count(result, "bad"),
	       count(result, "refused"));
	if (count(result, "waiting"))
		fprintf(stderr, "%s: %llu KiB are on their way to the store\n", name, (count(result, "waiting") >> 10) + 1);
}

static int end(struct sending *s, bool as_json, struct fault *fault)
{
	struct buffer answer = BUFFER(ANSWER_MAX);
	int bad = step(s, IMPORT_END, (struct bytes){0}, &answer, fault);
	struct bytes b = buffer_bytes(&answer);
	json_t *result = bad ? NULL : json_loadb((const char *)b.at, b.len, 0, NULL);
	if (result && as_json)
		printf("%.*s\n", (int)b.len, (const char *)b.at);
	else if (result)
		print_result(s->name, result);
	json_decref(result);
	buffer_done(&answer);
	return bad;
}

static int import_file(struct sending *s, const struct arguments *a, const struct format *format, struct fault *fault)
{
	struct stat st;
	int fd = !strcmp(s->name, "-") ? STDIN_FILENO : open(s->name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fault_set(fault, ERR_SYSTEM, "%s", strerror(errno));
	s->size = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	int bad = begin(s, a, format, fault);
	bad = bad ? bad : send_all(s, fd, fault);
	if (isatty(2) && s->size)
		fputc('\n', stderr);
	bad = bad ? bad : end(s, arguments_flag(a, "json") != NULL, fault);
	if (fd != STDIN_FILENO)
		close(fd);
	return bad;
}

int import_records(const struct arguments *a, const struct format *format)
{
	static struct config config;
	static struct sending s;
	char state[256];
	struct fault fault = {0};
	int failed = 0;
	if (command_config(a, &config, &fault))
		return command_fail(1, "import: %s", fault.text);
	if (run_state_path(&config, state, sizeof state))
		return command_fail(1, "import: run.state: the path is too long");
	for (size_t i = 1; i < arguments_count(a); i++) {
		fault = (struct fault){0};
		s = (struct sending){.state = state, .name = arguments_word(a, i)};
		int bad = import_file(&s, a, format, &fault);
		if (bad == ERR_GONE && !s.id)
			return command_fail(1, "import: kansoku is not running; start it, or see what would come in with --dry");
		if (bad)
			failed = command_fail(1, "import: %s: %s", s.name, fault.text);
	}
	return failed;
}

struct dry {
	const char *name;
	bool json;
	unsigned long long bad;
};

static void print_text(const char *name, struct bytes b)
{
	static uint8_t room[6 * RECORD_TEXT_MAX + 16];
	struct writer w = writer_of(room, sizeof room);
	if (!b.len)
		return;
	write_json_string(&w, b);
	printf(",\"%s\":%.*s", name, (int)writer_used(&w), (const char *)room);
}

static void print_field(const struct record_field *f)
{
	const struct field_definition *d = field_definition(f->field);
	char text[ADDRESS_TEXT_MAX + TIME_TEXT_MAX];
	if (d->type == FIELD_ADDRESS)
		print_text(d->name, bytes_of_text(address_format(&f->address, text)));
	else if (d->type == FIELD_TIME)
		print_text(d->name, bytes_of_text(time_format(f->number, text)));
	else if (d->type == FIELD_TEXT || d->type == FIELD_BYTES)
		print_text(d->name, f->bytes);
	else
		printf(",\"%s\":%llu", d->name, (unsigned long long)f->number);
}

static void dry_record(void *arg, const struct record *r)
{
	const struct dry *dry = arg;
	char time[TIME_TEXT_MAX], address[ADDRESS_TEXT_MAX];
	if (!dry->json) {
		printf("%-9s %3u  %.*s\n", r->type, r->confidence, (int)r->value.len, (const char *)r->value.at);
		return;
	}
	printf("{\"type\":\"%s\",\"confidence\":%u", r->type, r->confidence);
	print_text("value", r->value);
	if (r->has_address)
		print_text("src", bytes_of_text(address_format(&r->address, address)));
	if (r->port)
		printf(",\"dport\":%u", r->port);
	print_text("role", bytes_of_text(r->role ? r->role : ""));
	print_text("time", bytes_of_text(r->time_us ? time_format(r->time_us, time) : ""));
	print_text("link", r->link);
	print_text("title", r->title);
	print_text("author", r->author);
	print_text("labels", r->labels);
	print_text("kind", bytes_of_text(r->kind ? r->kind : ""));
	print_text("id", r->id);
	for (size_t i = 0; i < r->field_count; i++)
		print_field(&r->fields[i]);
	puts("}");
}

static void dry_network(void *arg, const struct network *n)
{
	const struct dry *dry = arg;
	char first[ADDRESS_TEXT_MAX], last[ADDRESS_TEXT_MAX];
	address_format(&n->first, first);
	address_format(&n->last, last);
	if (!dry->json) {
		printf("network   %s-%s %u %s %.*s\n", first, last, n->as, n->country, (int)n->name.len, (const char *)n->name.at);
		return;
	}
	printf("{\"first\":\"%s\",\"last\":\"%s\",\"as\":%u", first, last, n->as);
	print_text("country", bytes_of_text(n->country));
	print_text("name", n->name);
	print_text("labels", n->labels);
	puts("}");
}

static void dry_as(void *arg, uint32_t as, struct bytes name, const char *country)
{
	const struct dry *dry = arg;
	if (!dry->json) {
		printf("as        %u %s %.*s\n", as, country, (int)name.len, (const char *)name.at);
		return;
	}
	printf("{\"as\":%u", as);
	print_text("country", bytes_of_text(country));
	print_text("name", name);
	puts("}");
}

static void dry_bad(void *arg, uint64_t line, const char *why)
{
	struct dry *dry = arg;
	dry->bad++;
	fprintf(stderr, "%s:%llu: %s\n", dry->name, (unsigned long long)line, why);
}

int import_dry(const struct arguments *a, const struct format *format)
{
	int failed = 0;
	for (size_t i = 1; i < arguments_count(a); i++) {
		struct dry dry = {arguments_word(a, i), arguments_flag(a, "json") != NULL, 0};
		const struct share_reading reading = {.arg = &dry, .map = arguments_flag(a, "map"), .file = dry.name,
						      .record = dry_record, .bad = dry_bad, .network = dry_network,
						      .as = dry_as};
		struct fault fault = {0};
		int fd = !strcmp(dry.name, "-") ? STDIN_FILENO : open(dry.name, O_RDONLY | O_CLOEXEC);
		int bad = fd < 0 ? fault_set(&fault, ERR_SYSTEM, "%s", strerror(errno))
				 : share_read(format, fd, &reading, &fault);
		if (fd > STDIN_FILENO)
			close(fd);
		if (bad)
			failed = command_fail(1, "import: %s: %s", dry.name, fault.text);
	}
	return failed;
}
