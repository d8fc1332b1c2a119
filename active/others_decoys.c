#include "active/others_decoys.h"
#include "active/prober/asking_inner.h"
#include "active/identify/giveaway.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

FIELD(HONEYPOT_SCORE, "honeypot.score", NUMBER, 0, "0 to 100: how sure it is that the host is somebody's decoy");
FIELD(HONEYPOT_NAME, "honeypot.name", TEXT, 0, "which decoy, where a rule names one");
FIELD(HONEYPOT_REASONS, "honeypot.reasons", TEXT, 0, "what gave it away, the strongest first");
FIELD(HONEYPOT_PLAYS, "honeypot.plays", TEXT, 0, "class of device that it answers as");

#define FILE_NAME "decoys.yaml"

struct others_decoys {
	struct giveaways *rules;
	const struct prefix_set *hosting;
};

static int file_read(const char *path, struct buffer *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;
	if (fd < 0)
		return errno == ENOENT ? ERR_MISSING : ERR_SYSTEM;
	while (n > 0) {
		uint8_t *room = buffer_room(out, 1 << 16);
		n = room ? read(fd, room, 1 << 16) : -1;
		if (n > 0)
			buffer_grown(out, (size_t)n);
	}
	close(fd);
	return n < 0 ? ERR_FULL : 0;
}

static void take_file(struct others_decoys *o, const char *directory, struct fault *complaint)
{
	char path[4096];
	struct buffer text = BUFFER(GIVEAWAY_FILE_MAX + (1u << 16));
	struct fault fault = {{0}};
	size_t skipped;
	snprintf(path, sizeof path, "%s/" FILE_NAME, directory);
	int bad = file_read(path, &text);
	if (!bad)
		bad = giveaways_add(o->rules, buffer_bytes(&text), path, &skipped, &fault);
	else if (bad != ERR_MISSING)
		fault_set(&fault, bad, "%s: cannot be read, or is larger than %u bytes", path, GIVEAWAY_FILE_MAX);
	if (fault.text[0] && complaint && !complaint->text[0])
		*complaint = fault;
	buffer_done(&text);
}

int others_decoys_open(struct others_decoys **out, const char *const *directories, size_t count,
		       struct fault *complaint)
{
	struct others_decoys *o = calloc(1, sizeof *o);
	if (!o || giveaways_open(&o->rules)) {
		free(o);
		return ERR_MEMORY;
	}
	for (size_t i = 0; i < count; i++)
		take_file(o, directories[i], complaint);
	*out = o;
	return 0;
}

void others_decoys_close(struct others_decoys *o)
{
	if (!o)
		return;
	giveaways_close(o->rules);
	free(o);
}

void others_decoys_set_hosting(struct others_decoys *o, const struct prefix_set *hosting) { o->hosting = hosting; }

static void host_of(const struct others_decoys *o, const struct prober_story *story, struct giveaway_host *h)
{
	const struct signals *s = story->signals;
	*h = (struct giveaway_host){.hosting = o->hosting && prefix_set_holds(o->hosting, &story->lease->target)};
	for (size_t i = 0; i < s->count && h->signal_count < GIVEAWAY_SIGNALS_MAX; i++)
		h->signals[h->signal_count++] =
			(struct giveaway_signal){signal_key(s, i), signal_value(s, i), s->items[i].port};
	for (size_t i = 0; i < s->port_count && h->port_count < GIVEAWAY_PORTS_MAX; i++)
		h->ports[h->port_count++] = (struct giveaway_port){
			.port = s->ports[i].port, .open = s->ports[i].open, .window = s->ports[i].window,
			.ttl = s->ports[i].ttl, .linux_options = s->ports[i].linux_options,
		};
}

/* event_set_*() replace nothing, so a field that was set is changed where it stands. */
static void text_change(struct event *e, uint16_t field, const char *text)
{
	for (uint16_t i = 0; i < e->count; i++)
		if (e->values[i].field == field) {
			memmove(&e->values[i], &e->values[i + 1], (e->count - i - 1u) * sizeof e->values[0]);
			e->count--;
			break;
		}
	if (text)
		event_set_text(e, field, text);
}

/* It is counted as what it is, or, where that is not sure, as nothing; what it plays stays to be read. */
static void class_change(const struct giveaway_verdict *v, struct event *e)
{
	char plays[96], label[160];
	const bool sure = v->score >= GIVEAWAY_DECOY;
	bytes_copy_text(event_bytes(e, FIELD_DEVICE_LABEL), plays, sizeof plays);
	if (*plays)
		event_set_text(e, HONEYPOT_PLAYS, plays);
	snprintf(label, sizeof label, "%s%s%s", sure ? "Decoy" : "Suspected decoy", *v->name ? ": " : "", v->name);
	text_change(e, FIELD_DEVICE_LABEL, label);
	text_change(e, FIELD_DEVICE_CLASS, sure ? "Decoy" : NULL);
	if (!event_get(e, FIELD_CONFIDENCE))
		event_set_number(e, FIELD_CONFIDENCE, sure ? v->score : 0);
}

bool others_decoys_report(const struct others_decoys *o, const struct prober_story *story, struct event *e)
{
	struct giveaway_host host;
	struct giveaway_verdict v;
	host_of(o, story, &host);
	giveaways_judge(o->rules, &host, &v);
	if (!v.score)
		return false;
	event_set_number(e, HONEYPOT_SCORE, v.score);
	event_set_text(e, HONEYPOT_REASONS, v.reasons);
	if (*v.name)
		event_set_text(e, HONEYPOT_NAME, v.name);
	if (v.score >= GIVEAWAY_SUSPECTED)
		class_change(&v, e);
	return v.score >= GIVEAWAY_SUSPECTED;
}
