/* A visit as a whole: which looks are taken, and what they add up to. */
#include "active/visit/browser/look_inner.h"
#include "active/visit/site_inner.h"
#include "active/visit/view_inner.h"
#include <stdlib.h>

#define TEXT_MAX 600
#define MORE_FROM 15 /* points from which on other visitors come, too */

const char *visit_hop_kind_name(enum visit_hop_kind kind)
{
	static const char *const names[HOP_KINDS] = {"start", "http", "meta", "script", "form", "link", "window", "frame"};
	return kind < HOP_KINDS ? names[kind] : "unknown";
}

const struct visit_findings *visit_findings(const struct view *v) { return &v->findings; }

void visit_free(struct view *v)
{
	if (!v)
		return;
	arena_done(&v->arena);
	free(v);
}

static const char *text_of(struct view *v, const char *fmt, va_list ap)
{
	char text[TEXT_MAX];
	vsnprintf(text, sizeof text, fmt, ap);
	/* What was cut within a letter is no UTF-8 any more. */
	size_t n = strlen(text);
	while (n && !bytes_is_utf8((struct bytes){(const uint8_t *)text, n}))
		n--;
	const char *copy = arena_text(&v->arena, (struct bytes){(const uint8_t *)text, n});
	return copy ? copy : "";
}

void view_reason(struct view *v, unsigned look, const char *name, unsigned points, const char *fmt, ...)
{
	struct visit_findings *f = &v->findings;
	for (size_t i = 0; i < f->reason_count; i++)
		if (v->reasons[i].look == look && !strcmp(v->reasons[i].name, name)) {
			if (points <= v->reasons[i].points)
				return;
			va_list ap;
			va_start(ap, fmt);
			v->reasons[i].points = points;
			v->reasons[i].detail = text_of(v, fmt, ap);
			va_end(ap);
			return;
		}
	if (f->reason_count == VIEW_REASONS_MAX)
		return;
	va_list ap;
	va_start(ap, fmt);
	v->reasons[f->reason_count++] = (struct visit_reason){name, points, look, text_of(v, fmt, ap)};
	va_end(ap);
}

void view_difference(struct view *v, const char *what, unsigned one, unsigned other, const char *fmt, ...)
{
	struct visit_findings *f = &v->findings;
	if (f->difference_count == VIEW_DIFFERENCES_MAX)
		return;
	va_list ap;
	va_start(ap, fmt);
	v->differences[f->difference_count++] = (struct visit_difference){what, one, other, text_of(v, fmt, ap)};
	va_end(ap);
}

/* Its address is the proxy's to the browser; whoever served the proxy knows the real one. */
static void take_connections(struct view *v, struct visit_look *look, struct visit_request *requests,
			     const struct visit_plan *plan, unsigned number)
{
	struct visit_connection *all = plan->connections ? arena_alloc(&v->arena, VISIT_CONNECTIONS_MAX * sizeof *all) : NULL;
	if (!all)
		return;
	look->connections = all;
	look->connection_count = plan->connections(plan->arg, number, all, VISIT_CONNECTIONS_MAX);
	for (size_t i = 0; i < look->request_count; i++) {
		const struct bytes url = bytes_of_text(requests[i].url), host = site_host(url);
		for (size_t c = 0; c < look->connection_count; c++)
			if (bytes_equal_nocase(host, all[c].host) && site_port(url) == all[c].port && all[c].address[0]) {
				char text[64];
				snprintf(text, sizeof text, strchr(all[c].address, ':') ? "[%s]:%u" : "%s:%u", all[c].address, all[c].port);
				const char *copy = arena_text(&v->arena, bytes_of_text(text));
				requests[i].address = copy ? copy : "";
			}
	}
}

static int take_look(struct view *v, struct box_keeper *keeper, const struct visit_plan *plan,
		     const struct visit_personality *who, struct fault *fault)
{
	struct visit_findings *f = &v->findings;
	const unsigned number = (unsigned)f->look_count;
	struct looking *l = calloc(1, sizeof *l);
	if (!l)
		return fault_set(fault, ERR_MEMORY, "no memory for a look");
	v->looks[number] = (struct visit_look){.personality = who};
	*l = (struct looking){.arena = &v->arena, .plan = plan, .out = &v->looks[number]};
	const int bad = look_at(l, keeper, number, fault);
	if (!bad) {
		take_connections(v, &v->looks[number], l->requests, plan, number);
		f->looks[f->look_count++] = &v->looks[number];
		view_judge_look(v, number);
	}
	free(l);
	return bad;
}

static unsigned points_of(const struct view *v)
{
	unsigned points = 0;
	for (size_t i = 0; i < v->findings.reason_count; i++)
		points += v->reasons[i].points;
	return points;
}

static bool is_stopped(const struct visit_plan *plan) { return plan->stop && plan->stop(plan->arg); }

/* Two visitors always, since one alone cannot tell what the other would be shown; the rest where it is worth it. */
static int take_usual(struct view *v, struct box_keeper *keeper, const struct visit_plan *plan, struct fault *fault)
{
	static const char *const more[] = {"telephone", "old", "full"};
	int bad = take_look(v, keeper, plan, visit_personality_find("desktop"), fault);
	if (bad || plan->brief || v->looks[0].failed)
		return bad;
	bad = take_look(v, keeper, plan, visit_personality_find("searcher"), fault);
	if (bad)
		return bad;
	view_compare(v, 0, 1);
	if (points_of(v) < MORE_FROM)
		return 0;
	for (size_t i = 0; !bad && i < sizeof more / sizeof *more && !is_stopped(plan); i++) {
		const struct visit_personality *who = visit_personality_find(more[i]);
		if (!plan->tools->programs[who->browser])
			continue;
		bad = take_look(v, keeper, plan, who, fault);
		if (!bad)
			view_compare(v, 0, (unsigned)v->findings.look_count - 1);
	}
	if (bad || !v->findings.difference_count || is_stopped(plan))
		return bad;
	/* The first visitor comes once more: who shows it something new shows each address its attack once. */
	const size_t before = v->findings.difference_count;
	bad = take_look(v, keeper, plan, visit_personality_find("desktop"), fault);
	if (!bad)
		view_compare(v, 0, (unsigned)v->findings.look_count - 1);
	if (!bad && v->findings.difference_count > before)
		view_reason(v, (unsigned)v->findings.look_count - 1, "once", 10, "the same visitor is shown another page when it returns");
	return bad;
}

static int take_named(struct view *v, struct box_keeper *keeper, const struct visit_plan *plan, struct fault *fault)
{
	for (size_t i = 0; i < plan->personality_count && i < VISIT_LOOKS_MAX && !is_stopped(plan); i++) {
		const int bad = take_look(v, keeper, plan, plan->personalities[i], fault);
		if (bad)
			return bad;
		if (i)
			view_compare(v, 0, (unsigned)i);
	}
	return 0;
}

static void sum_up(struct view *v, const char *url)
{
	struct visit_findings *f = &v->findings;
	char limits[256] = "";
	for (size_t i = 0; i < f->look_count; i++)
		if (*v->looks[i].limits && strlen(limits) + strlen(v->looks[i].limits) + 2 < sizeof limits && !strstr(limits, v->looks[i].limits))
			snprintf(limits + strlen(limits), sizeof limits - strlen(limits), "%s%s", *limits ? " " : "", v->looks[i].limits);
	const char *copy = arena_text(&v->arena, bytes_of_text(url)), *words = arena_text(&v->arena, bytes_of_text(limits));
	f->url = copy ? copy : "";
	f->limits = words ? words : "";
	f->final = f->look_count ? v->looks[0].final : "";
	f->title = f->look_count ? v->looks[0].title : "";
	f->reasons = v->reasons;
	f->differences = v->differences;
	view_conclude(v);
}

int visit_run(struct view **out, struct box_keeper *keeper, const struct visit_plan *plan, struct fault *fault)
{
	const struct bytes url = bytes_of_text(plan->url);
	if (url.len > VISIT_PAGE_URL_MAX || !bytes_is_utf8(url) || !site_host(url).len ||
	    (!bytes_start_with(url, "http://") && !bytes_start_with(url, "https://")))
		return fault_set(fault, ERR_BAD, "\"%.100s\" is no address of a page: http://HOST/... is wanted", plan->url);
	struct view *v = calloc(1, sizeof *v);
	if (!v)
		return fault_set(fault, ERR_MEMORY, "no memory for a visit");
	v->arena = ARENA(VISIT_MEMORY_MAX);
	const int bad = plan->personality_count ? take_named(v, keeper, plan, fault) : take_usual(v, keeper, plan, fault);
	if (bad && !v->findings.look_count) {
		visit_free(v);
		return bad;
	}
	sum_up(v, plan->url);
	*out = v;
	return 0;
}
