/* What is only known when a page is over: its DOM, its picture, where its frames are, what is in the box. */
#include "active/visit/browser/look_inner.h"
#include "base/clock.h"
#include <stdlib.h>

#define DOM_MAX (4u << 20)
#define TEXT_MAX (256u << 10)
#define STEP_US 1500000u
#define WORLD "w"

static uint64_t sooner(uint64_t deadline_us, uint64_t in_us)
{
	const uint64_t at_us = clock_mono_us() + in_us;
	return at_us < deadline_us ? at_us : deadline_us;
}

/* A world of our own in a frame: the page's scripts cannot change what is asked there.  0: there is none. */
static int world_of(struct looking *l, const char *frame, uint64_t deadline_us)
{
	json_t *r = devtools_ask(l->devtools, l->session, "Page.createIsolatedWorld",
				 json_pack("{s:s,s:s}", "frameId", frame, "worldName", WORLD), sooner(deadline_us, STEP_US));
	const int id = devtools_count(r, "executionContextId");
	json_decref(r);
	return id;
}

static json_t *evaluate(struct looking *l, int world, const char *words, uint64_t deadline_us)
{
	return devtools_ask(l->devtools, l->session, "Runtime.evaluate",
			    json_pack("{s:s,s:i,s:b,s:i}", "expression", words, "contextId", world, "returnByValue", 1,
				      "timeout", 1000), sooner(deadline_us, STEP_US));
}

static struct bytes evaluated(struct looking *l, int world, const char *words, uint64_t deadline_us)
{
	json_t *r = evaluate(l, world, words, deadline_us);
	const char *text = devtools_text(r, "result.value");
	const struct bytes out = look_bytes(l, (struct bytes){(const uint8_t *)text, devtools_text_len(r, "result.value")});
	json_decref(r);
	return out;
}

static void gather_text(struct looking *l, uint64_t deadline_us)
{
	int world = world_of(l, l->seen_frames[0].id, deadline_us);
	char words[128];
	if (!world) {
		/* A script that never ends; where none runs this would end the next one, ours. */
		look_limit(l, "hung");
		devtools_call(l->devtools, l->session, "Runtime.terminateExecution", NULL, NULL, 0);
		world = world_of(l, l->seen_frames[0].id, deadline_us);
	}
	if (!world)
		return;
	snprintf(words, sizeof words, "document.documentElement ? document.documentElement.outerHTML.slice(0,%u) : ''", DOM_MAX);
	l->out->dom = evaluated(l, world, words, deadline_us);
	snprintf(words, sizeof words, "document.body ? document.body.innerText.slice(0,%u) : ''", TEXT_MAX);
	l->out->text = evaluated(l, world, words, deadline_us);
	const struct bytes title = evaluated(l, world, "document.title.slice(0,512)", deadline_us);
	l->out->title = look_text(l, (const char *)title.at, title.len);
	const struct bytes where = evaluated(l, world, "location.href.slice(0,4096)", deadline_us);
	if (where.len && !bytes_start_with(where, "chrome-error:"))
		l->out->final = look_text(l, (const char *)where.at, where.len);
}

/* How a frame is hidden, in the words of visit_frame; in the frame's parent, of its element. */
static const char measure[] =
	"function(){const e=this,r=e.getBoundingClientRect(),w=e.ownerDocument.defaultView;let h='';"
	"const tiny=e.clientWidth<=2||e.clientHeight<=2;"
	"for(let p=e;p&&p.nodeType===1;p=p.parentElement){const s=w.getComputedStyle(p);"
	"if(s.display==='none'||s.visibility==='hidden'||parseFloat(s.opacity)<0.02){h='style';break}"
	"if(s.overflow==='hidden'&&p!==e){const q=p.getBoundingClientRect();if(q.width<=2||q.height<=2){h='clipped';break}}}"
	"if(!h&&tiny)h='size';"
	"if(!h&&(r.right+w.scrollX<=0||r.bottom+w.scrollY<=0||r.left>20000||r.top>20000))h='outside';"
	"return [Math.round(r.width),Math.round(r.height),Math.round(r.left),Math.round(r.top),h]}";

static void measure_frame(struct looking *l, size_t i, int world, uint64_t deadline_us)
{
	json_t *owner = devtools_ask(l->devtools, l->session, "DOM.getFrameOwner",
				     json_pack("{s:s}", "frameId", l->seen_frames[i].id), sooner(deadline_us, STEP_US));
	const int node = devtools_count(owner, "backendNodeId");
	json_decref(owner);
	json_t *object = node ? devtools_ask(l->devtools, l->session, "DOM.resolveNode",
					     json_pack("{s:i,s:i}", "backendNodeId", node, "executionContextId", world),
					     sooner(deadline_us, STEP_US)) : NULL;
	const char *id = devtools_text(object, "object.objectId");
	json_t *r = *id ? devtools_ask(l->devtools, l->session, "Runtime.callFunctionOn",
				       json_pack("{s:s,s:s,s:b}", "functionDeclaration", measure, "objectId", id,
						 "returnByValue", 1), sooner(deadline_us, STEP_US)) : NULL;
	const json_t *values = devtools_at(r, "result.value");
	struct visit_frame *f = &l->frames[i];
	if (json_array_size(values) == 5) {
		f->width = devtools_bounded(json_number_value(json_array_get(values, 0)));
		f->height = devtools_bounded(json_number_value(json_array_get(values, 1)));
		f->left = devtools_bounded(json_number_value(json_array_get(values, 2)));
		f->top = devtools_bounded(json_number_value(json_array_get(values, 3)));
		const json_t *hidden = json_array_get(values, 4);
		if (json_string_length(hidden))
			f->hidden = look_text(l, json_string_value(hidden), json_string_length(hidden));
	}
	json_decref(r);
	json_decref(object);
}

static void gather_frames(struct looking *l, uint64_t deadline_us)
{
	int worlds[VISIT_FRAMES_MAX] = {0};
	for (size_t i = 1; i < l->out->frame_count && clock_mono_us() < deadline_us; i++) {
		const unsigned parent = l->frames[i].parent;
		if (l->seen_frames[i].gone) {
			/* Whoever is gone by the end was there for what it asked, not to be seen. */
			l->frames[i].hidden = l->seen_frames[i].asked ? "removed" : NULL;
			continue;
		}
		if (!worlds[parent])
			worlds[parent] = world_of(l, l->seen_frames[parent].id, deadline_us);
		if (worlds[parent])
			measure_frame(l, i, worlds[parent], deadline_us);
		if (!l->frames[i].hidden && l->frames[parent].hidden)
			l->frames[i].hidden = "inside";
	}
}

static void gather_picture(struct looking *l, uint64_t deadline_us)
{
	json_t *r = devtools_ask(l->devtools, l->session, "Page.captureScreenshot",
				 json_pack("{s:s,s:b}", "format", "png", "optimizeForSpeed", 1), sooner(deadline_us, 3000000));
	const json_t *picture = devtools_at(r, "data");
	if (picture) {
		json_t *body = json_pack("{s:O,s:b}", "data", (json_t *)picture, "is", 1);
		l->out->picture = look_body(l, body, "data", "is", VISIT_BODY_MAX);
		json_decref(body);
	}
	json_decref(r);
}

static void add_change(struct looking *l, const char *kind, struct bytes what, bool expected)
{
	if (l->out->change_count == VISIT_CHANGES_MAX) {
		look_limit(l, "changes");
		return;
	}
	l->changes[l->out->change_count++] = (struct visit_change){
		.kind = kind, .what = look_text(l, (const char *)what.at, what.len), .expected = expected};
}

static void take_file(struct looking *l, const struct inside_record *record)
{
	static const char folder[] = INSIDE_DOWNLOADS "/";
	if (!bytes_start_with(record->name, folder)) {
		const bool ours = bytes_start_with(record->name, INSIDE_PROFILE) || bytes_start_with(record->name, INSIDE_HOME "/.cache/") ||
				  bytes_find(record->name, "org.chromium.") < record->name.len ||
				  bytes_start_with(record->name, INSIDE_HOME "/.pki/") ||
				  bytes_start_with(record->name, INSIDE_HOME "/.config/");
		add_change(l, "file", record->name, ours);
		if (ours)
			return;
	}
	if (l->out->file_count == VISIT_FILES_MAX || !record->content.len)
		return;
	struct visit_file *f = &l->files[l->out->file_count];
	*f = (struct visit_file){.url = "", .how = "download", .mime = "", .content = look_bytes(l, record->content),
				 .name = look_text(l, (const char *)record->name.at, record->name.len)};
	if (!f->content.len)
		return;
	look_sha256(f->content, f->sha256);
	f->cut = record->size > record->content.len;
	l->out->file_count++;
	const struct bytes guid = {record->name.at + sizeof folder - 1,
				   record->name.len > sizeof folder - 1 ? record->name.len - sizeof folder + 1 : 0};
	for (size_t i = 0; i < l->download_count; i++) {
		const size_t n = strlen(l->downloads[i].guid);
		/* One that was cut off lies there as GUID.crdownload. */
		if (n && guid.len >= n && !memcmp(guid.at, l->downloads[i].guid, n)) {
			f->url = l->downloads[i].url;
			f->name = l->downloads[i].name;
			f->cut |= l->downloads[i].stopped || guid.len > n;
		}
	}
}

/* By the file that it runs, and the box's own first process. */
static bool is_browsers(struct bytes all)
{
	return bytes_find(all, "\t/usr/lib/chromium") < all.len || bytes_find(all, "\t/opt/google/chrome/") < all.len ||
	       bytes_find(all, "\t" INSIDE_PROGRAM) < all.len || bytes_start_with(all, "1\t");
}

/* /proc/net's own words: the proxy's side of 127.0.0.1:1080, and what waits to be forgotten, is always there. */
static bool is_usual_socket(struct bytes told)
{
	return bytes_find(told, "0100007F:0438") < told.len || bytes_find(told, "\t06") < told.len;
}

static void take_record(void *arg, const struct inside_record *record)
{
	struct looking *l = arg;
	if (record->kind == INSIDE_PROCESS)
		add_change(l, "process", record->name, is_browsers(record->name));
	else if (record->kind == INSIDE_SOCKET)
		add_change(l, "socket", record->name, is_usual_socket(record->name));
	else if (record->kind == INSIDE_ENDED)
		add_change(l, "crash", record->name, false);
	else
		take_file(l, record);
}

static void gather_rest(struct looking *l, uint64_t deadline_us)
{
	while (devtools_waiting(l->devtools) && clock_mono_us() < deadline_us)
		if (devtools_step(l->devtools, deadline_us) <= 0)
			break;
}

void look_gather(struct looking *l, struct browser *b, uint64_t deadline_us)
{
	devtools_call(l->devtools, l->session, "Page.stopLoading", NULL, NULL, 0);
	look_bodies_again(l);
	gather_rest(l, sooner(deadline_us, STEP_US));
	if (!l->crashed && l->out->frame_count) {
		gather_text(l, deadline_us);
		if (l->out->dom.len) {
			gather_frames(l, deadline_us);
			if (!l->plan->brief)
				gather_picture(l, deadline_us);
		}
	}
	gather_rest(l, sooner(deadline_us, STEP_US));
	if (browser_tell(b, sooner(deadline_us, 4000000), take_record, l))
		add_change(l, "silent", BYTES("the helper in the box does not answer"), false);
}
