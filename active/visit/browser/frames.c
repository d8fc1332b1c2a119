/* Frames, and the tree of how one page led to the next: HTTP, meta refresh, scripts, forms, windows. */
#include "active/visit/browser/look_inner.h"
#include "active/visit/site_inner.h"
#include "base/clock.h"

#define SCHEDULED_S_MAX 60.0

unsigned look_frame_find(struct looking *l, const char *id)
{
	for (size_t i = 0; i < l->out->frame_count; i++)
		if (!strcmp(l->seen_frames[i].id, id))
			return (unsigned)i;
	/* A worker's requests name no frame, and the page's own frame comes first. */
	if (!*id)
		return 0;
	if (l->out->frame_count == VISIT_FRAMES_MAX) {
		look_limit(l, "frames");
		return 0;
	}
	const size_t i = l->out->frame_count++;
	l->seen_frames[i] = (struct seen_frame){.next = i ? HOP_FRAME : HOP_START};
	snprintf(l->seen_frames[i].id, sizeof l->seen_frames[i].id, "%s", id);
	l->frames[i] = (struct visit_frame){.url = "", .id = look_text(l, id, strlen(id))};
	return (unsigned)i;
}

static size_t add_hop(struct looking *l, const struct visit_hop *hop)
{
	if (l->out->hop_count == VISIT_HOPS_MAX) {
		look_limit(l, "redirects");
		return VISIT_HOPS_MAX - 1;
	}
	const size_t i = l->out->hop_count++;
	l->hops[i] = *hop;
	l->hops[i].at_ms = (clock_mono_us() - l->begun_us) / 1000;
	return i;
}

void look_hop(struct looking *l, unsigned frame, const char *url, unsigned status)
{
	struct seen_frame *f = &l->seen_frames[frame];
	if (!l->out->frame_count)
		return;
	struct visit_hop hop = {.kind = status ? HOP_HTTP : f->next, .frame = frame, .status = status,
				.url = look_text(l, url, strlen(url))};
	hop.from = f->asked || !frame ? f->hop : l->seen_frames[l->frames[frame].parent].hop;
	if (!l->out->hop_count)
		hop.kind = HOP_START;
	else
		hop.crosses = !site_same(bytes_of_text(l->hops[hop.from].url), bytes_of_text(hop.url));
	f->hop = (unsigned)add_hop(l, &hop);
	f->asked = true;
	/* What nobody announces is a script's doing, or the browser's own. */
	f->next = HOP_SCRIPT;
}

static enum visit_hop_kind kind_of(const char *reason)
{
	static const struct { const char *reason; enum visit_hop_kind kind; } kinds[] = {
		{"metaTagRefresh", HOP_META}, {"httpHeaderRefresh", HOP_META}, {"scriptInitiated", HOP_SCRIPT},
		{"formSubmissionGet", HOP_FORM}, {"formSubmissionPost", HOP_FORM}, {"anchorClick", HOP_LINK},
		{"initialFrameNavigation", HOP_FRAME}, {"reload", HOP_SCRIPT},
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(kinds[i].reason, reason))
			return kinds[i].kind;
	return HOP_SCRIPT;
}

static void take_announced(struct looking *l, const json_t *params)
{
	const unsigned frame = look_frame_find(l, devtools_text(params, "frameId"));
	const double delay_s = devtools_number(params, "delay");
	l->seen_frames[frame].next = kind_of(devtools_text(params, "reason"));
	if (delay_s > 0 && delay_s < SCHEDULED_S_MAX) {
		const uint64_t at_us = clock_mono_us() + (uint64_t)(delay_s * 1e6);
		if (at_us > l->timer_us)
			l->timer_us = at_us;
	}
	look_active(l);
}

static void take_navigated(struct looking *l, const json_t *params)
{
	const unsigned i = look_frame_find(l, devtools_text(params, "frame.id"));
	l->frames[i].url = look_text_at(l, params, "frame.url");
	l->seen_frames[i].gone = false;
}

static void take_attached(struct looking *l, const json_t *params)
{
	const size_t before = l->out->frame_count;
	const unsigned parent = look_frame_find(l, devtools_text(params, "parentFrameId"));
	const unsigned i = look_frame_find(l, devtools_text(params, "frameId"));
	if (i < before)
		return;
	l->frames[i].parent = parent;
	/* Chromium tells who made it only where a script did. */
	l->frames[i].by_script = devtools_at(params, "stack") != NULL;
}

/* A window of its own is told and closed: what it shows is asked for again by whoever cares. */
static void take_window(struct looking *l, const json_t *params)
{
	l->out->measures.windows++;
	add_hop(l, &(struct visit_hop){.kind = HOP_WINDOW, .from = l->seen_frames[0].hop, .url = look_text_at(l, params, "url"),
				       .crosses = l->out->hop_count && !site_same(bytes_of_text(l->hops[0].url),
						bytes_of_text(devtools_text(params, "url")))});
}

static void take_dialog(struct looking *l, const char *session, const json_t *params)
{
	l->out->measures.dialogs++;
	(void)params;
	devtools_call(l->devtools, session, "Page.handleJavaScriptDialog",
		      json_pack("{s:b}", "accept", l->out->measures.dialogs < 20), NULL, 0);
	look_active(l);
}

static void take_target(struct looking *l, const char *parent, const json_t *params)
{
	const char *session = devtools_text(params, "sessionId"), *kind = devtools_text(params, "targetInfo.type");
	/* What we attached to ourselves is told by the browser, not by the page. */
	if (!*parent)
		return;
	if (!strcmp(kind, "page")) {
		devtools_call(l->devtools, "", "Target.closeTarget",
			      json_pack("{s:s}", "targetId", devtools_text(params, "targetInfo.targetId")), NULL, 0);
		return;
	}
	if (strstr(kind, "worker"))
		l->out->measures.workers++;
	devtools_call(l->devtools, session, "Network.enable", NULL, NULL, 0);
	devtools_call(l->devtools, session, "Debugger.enable", NULL, NULL, 0);
	devtools_call(l->devtools, session, "Debugger.setSkipAllPauses", json_pack("{s:b}", "skip", 1), NULL, 0);
	devtools_call(l->devtools, session, "Runtime.runIfWaitingForDebugger", NULL, NULL, 0);
}

bool look_take_frames(struct looking *l, const char *session, const char *method, const json_t *params)
{
	if (!strcmp(method, "Page.frameRequestedNavigation") || !strcmp(method, "Page.frameScheduledNavigation"))
		take_announced(l, params);
	else if (!strcmp(method, "Page.frameStartedNavigating")) {
		if (look_frame_find(l, devtools_text(params, "frameId")) == 0 &&
		    !strcmp(devtools_text(params, "navigationType"), "differentDocument"))
			l->loaded = false;
	} else if (!strcmp(method, "Page.frameNavigated"))
		take_navigated(l, params);
	else if (!strcmp(method, "Page.frameAttached"))
		take_attached(l, params);
	else if (!strcmp(method, "Page.frameDetached"))
		l->seen_frames[look_frame_find(l, devtools_text(params, "frameId"))].gone =
			strcmp(devtools_text(params, "reason"), "swap") != 0;
	else if (!strcmp(method, "Page.loadEventFired") || !strcmp(method, "Page.frameStoppedLoading")) {
		if (!strcmp(method, "Page.loadEventFired") || look_frame_find(l, devtools_text(params, "frameId")) == 0)
			l->loaded = true;
		look_active(l);
	} else if (!strcmp(method, "Page.windowOpen"))
		take_window(l, params);
	else if (!strcmp(method, "Page.javascriptDialogOpening"))
		take_dialog(l, session, params);
	else if (!strcmp(method, "Target.attachedToTarget"))
		take_target(l, session, params);
	else if (!strcmp(method, "Inspector.targetCrashed") || !strcmp(method, "Target.targetCrashed"))
		l->crashed = true;
	else
		return false;
	return true;
}
