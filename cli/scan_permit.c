#include "cli/scan_permit.h"
#include "base/clock.h"
#include "bus/client.h"
#include "bus/parent.h"
#include <stdlib.h>

#define ANSWER_WAIT_MS 10000
#define KEEP_WAIT_MS 1000
#define KEEP_US ((uint64_t)SURVEY_KEEP_MS * 1000)
#define SILENCE_US ((uint64_t)SURVEY_SILENCE_MS * 1000)

struct scan_permit {
	struct survey_permit *offline; /* NULL: control gave a grant */
	struct survey_grant *grant;
	struct prefix_set excluded;    /* a copy of the grant's, so that it stays where it is */
	uint64_t revision;
	uint64_t asked_us, heard_us;   /* monotonic */
	const char *page;
	char state[256];
	int bad;                       /* of the parts that came */
	uint64_t taken;                /* hits that will be looked at */
};

static bool take_part(void *arg, struct bytes part)
{
	struct scan_permit *p = arg;
	const int bad = survey_grant_read(p->grant, part);
	p->bad = bad < 0 ? bad : p->bad;
	return bad >= 0;
}

static int copy_excluded(struct scan_permit *p)
{
	const struct prefix_set *from = survey_grant_excluded(p->grant);
	struct prefix_set set = {0};
	if (p->revision == survey_grant_revision(p->grant))
		return 0;
	for (size_t i = 0; i < from->count; i++)
		if (prefix_set_add(&set, &from->items[i])) {
			prefix_set_done(&set);
			return ERR_MEMORY;
		}
	prefix_set_seal(&set);
	prefix_set_done(&p->excluded);
	p->excluded = set;
	p->revision = survey_grant_revision(p->grant);
	return 0;
}

static int ask_control(struct scan_permit *p, const char *survey, struct fault *fault)
{
	int bad = client_request(p->state, "control", "survey.ask", bytes_of_text(survey), take_part, p, ANSWER_WAIT_MS,
				 fault);
	if (bad == 0)
		bad = p->bad ? p->bad : survey_grant_is_whole(p->grant) ? copy_excluded(p) : ERR_BAD;
	else
		return bad;
	p->asked_us = p->heard_us = clock_mono_us();
	return bad ? fault_set(fault, bad, "control's grant for %s cannot be read: %s", survey, error_name(bad)) : 0;
}

int scan_permit_open(struct scan_permit **out, const struct config *config, const char *survey, struct fault *fault)
{
	struct scan_permit *p = calloc(1, sizeof *p);
	if (!p)
		return fault_set(fault, ERR_MEMORY, "no memory for the permission");
	/* Also of a survey that control gives: what the operator's page is stands in the same file. */
	struct fault offline_fault = {0};
	int offline = control_survey_open(&p->offline, config, survey, &offline_fault);
	if (run_state_path(config, p->state, sizeof p->state))
		p->state[0] = '\0';
	int bad = survey_grant_open(&p->grant);
	if (!bad)
		bad = p->state[0] ? ask_control(p, survey, fault) : ERR_GONE;
	if (bad == ERR_GONE) {
		survey_grant_close(p->grant);
		p->grant = NULL;
		bad = offline;
		*fault = offline_fault;
	}
	if (bad) {
		scan_permit_close(p);
		return bad;
	}
	*out = p;
	return 0;
}

void scan_permit_close(struct scan_permit *p)
{
	if (!p)
		return;
	control_survey_close(p->offline);
	survey_grant_close(p->grant);
	prefix_set_done(&p->excluded);
	free(p);
}

bool scan_permit_is_of_control(const struct scan_permit *p) { return p->grant != NULL; }

const struct survey_lease *scan_permit_lease(const struct scan_permit *p)
{
	return p->grant ? survey_grant_lease(p->grant) : control_survey_lease(p->offline);
}

const struct prefix_set *scan_permit_targets(const struct scan_permit *p)
{
	return p->grant ? survey_grant_targets(p->grant) : control_survey_targets(p->offline);
}

const struct prefix_set *scan_permit_excluded(const struct scan_permit *p)
{
	return p->grant ? &p->excluded : control_survey_excluded(p->offline);
}

uint64_t scan_permit_ports_max(const struct scan_permit *p)
{
	return p->offline ? control_survey_ports_max(p->offline) : SURVEY_PORTS_MAX;
}

const char *scan_permit_page(const struct scan_permit *p)
{
	return p->offline ? control_survey_page(p->offline) : NULL;
}

const char *scan_permit_opt_out(const struct scan_permit *p)
{
	return p->grant ? NULL : control_survey_opt_out(p->offline);
}

int scan_permit_register(const struct scan_permit *p, char *path, size_t n)
{
	return p->grant ? ERR_GONE : control_survey_register(p->offline, path, n);
}

static int keep_asking(struct scan_permit *p, const struct survey_progress *progress, uint64_t now_us, struct fault *fault)
{
	uint8_t payload[SURVEY_PROGRESS_WIRE];
	struct writer w = writer_of(payload, sizeof payload);
	const char *why = "";
	survey_progress_write(progress, &w);
	p->bad = 0;
	int bad = client_request(p->state, "control", "survey.keep", writer_bytes(&w), take_part, p, KEEP_WAIT_MS, fault);
	if (bad == 0 && p->bad == 0 && copy_excluded(p) == 0)
		p->heard_us = now_us;
	if (!survey_grant_goes_on(p->grant, &why))
		return fault_set(fault, ERR_DENIED, "control: %s", why);
	if (now_us - p->heard_us > SILENCE_US)
		return fault_set(fault, ERR_DENIED, "control does not answer any more; without it nothing is sent");
	return 0;
}

int scan_permit_keep(struct scan_permit *p, const struct survey_progress *progress, struct fault *fault)
{
	const uint64_t now_us = clock_mono_us();
	if (now_us - p->asked_us < KEEP_US)
		return 0;
	p->asked_us = now_us;
	if (scan_permit_lease(p)->expires_us <= clock_utc_us())
		return fault_set(fault, ERR_DENIED, "the survey's time is over, or the hours in which it may be scanned");
	if (p->grant)
		return keep_asking(p, progress, now_us, fault);
	const int changed = control_survey_poll(p->offline, fault);
	return changed > 0 ? 0 : changed;
}

void scan_permit_end(struct scan_permit *p, const struct survey_progress *progress)
{
	if (p->grant)
		keep_asking(p, progress, clock_mono_us(), &(struct fault){0});
}

static bool take_count(void *arg, struct bytes part)
{
	struct scan_permit *p = arg;
	struct reader r = reader_of_bytes(part);
	p->taken = read_u64(&r);
	return true;
}

int64_t scan_permit_tell_hits(struct scan_permit *p, struct bytes hits)
{
	p->taken = 0;
	if (!p->grant || !hits.len)
		return 0;
	int bad = client_request(p->state, "control", "survey.hits", hits, take_count, p, KEEP_WAIT_MS, &(struct fault){0});
	return bad ? bad : (int64_t)p->taken;
}
