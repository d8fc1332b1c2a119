/* A session and the device that it looks at: what earlier ones left there, and what it leaves. */
#include "passive/device/bait/bait.h"
#include "passive/room/session_inner.h"
#include <stdlib.h>

#define STAT_ROOM 4096
#define STAT_MAX (512u << 10)
#define FILLED_SPARE 1024 /* that names of a file may be longer than what they stand for */

/* Whose files they are. */
static const struct persona *owner_of_files(const struct session *s)
{
	return s->persona && s->persona->root ? s->persona : &persona_plain;
}

static void device_enter(struct session *s)
{
	struct stage *g = s->stage;
	s->device = devices_enter(g->devices, &s->peer, &s->local, owner_of_files(s), g->utc_us);
	s->files = s->device ? &s->device->files : NULL;
}

struct bytes session_recall(struct session *s, const char *name)
{
	struct devices *d = s->stage->devices;
	if (!s->device && !s->files && d && s->transport == TRANSPORT_TCP) {
		const struct device *v = devices_known(d, &s->peer, &s->local, owner_of_files(s));
		if (v && (v->sessions || v->len))
			device_enter(s);
	}
	return s->device ? device_recall(s->device, name) : (struct bytes){0};
}

bool session_remember(struct session *s, const char *name, struct bytes b)
{
	struct devices *d = s->stage->devices;
	if (!s->device && !s->files && d && s->transport == TRANSPORT_TCP)
		device_enter(s);
	return s->device && devices_remember(d, s->device, name, b);
}

bool session_files(struct session *s, struct vfs *out, const struct persona **persona)
{
	const struct persona *p = owner_of_files(s);
	struct stage *g = s->stage;
	if (!s->files && g->devices) {
		device_enter(s);
	} else if (!s->files) {
		s->files = arena_alloc(&s->arena, sizeof *s->files);
		if (s->files)
			vfs_overlay_start(s->files, &s->arena);
	}
	if (!s->files)
		return false;
	if (s->device)
		devices_touch(g->devices, s->device);
	vfs_start_on(out, p->root, s->files, &s->arena);
	out->now_s = (uint32_t)(g->utc_us / 1000000);
	if (persona)
		*persona = p;
	return true;
}

int session_content(struct session *s, struct vfs_node node, struct arena *into, struct bytes *out)
{
	struct vfs_status status;
	struct bytes text = {0};
	vfs_stat(node, &status);
	int error = vfs_content(node, into, &text);
	if (error || status.kind != VFS_FILE || !(status.flags & VFS_MADE)) {
		*out = error ? *out : text;
		return error;
	}
	size_t room = text.len + FILLED_SPARE;
	uint8_t *at = arena_alloc(into, room);
	if (!at)
		return -ENOMEM;
	struct persona_look look;
	struct writer w = writer_of(at, room);
	persona_look(owner_of_files(s), session_device_seed(s), &s->local, s->stage->utc_us, &look);
	persona_expand(&look, text, &w);
	*out = writer_bytes(&w);
	return 0;
}

void session_stat(struct session *s, struct vfs_node node, struct vfs_status *out)
{
	uint8_t room[STAT_ROOM];
	struct arena scratch = arena_over(room, sizeof room, STAT_MAX);
	struct bait *b = s->stage->bait;
	size_t shown = b ? b->shown_count : 0;
	struct bytes content;
	vfs_stat(node, out);
	if (out->kind == VFS_FILE && out->flags & VFS_MADE && session_content(s, node, &scratch, &content) == 0)
		out->size = (uint32_t)content.len;
	if (b) /* its size alone shows no bait */
		b->shown_count = shown;
	arena_done(&scratch);
}

static void session_snapshot(struct session *s)
{
	struct buffer tar = BUFFER(SESSION_CAPTURE_MAX);
	if (device_wants_snapshot(s->stage->devices, s->device) && vfs_tar(s->files, &tar) == 0)
		session_capture(s, buffer_bytes(&tar), BYTES("device.tar"), (struct bytes){0}, "snapshot");
	buffer_done(&tar);
}

void session_judge(struct session *s)
{
	struct devices *d = s->stage->devices;
	struct session_verdict *v = &s->verdict;
	struct vfs unused;
	v->judged = s->typist && typist_judge(s->typist, &v->typist);
	free(s->typist);
	s->typist = NULL;
	bool human = v->judged && !strcmp(typist_name(v->typist.score), "human");
	if (human && d && !s->device)
		session_files(s, &unused, NULL);
	if (!s->device)
		return;
	if (human)
		device_judge(s->device, v->typist.score);
	session_snapshot(s);
	v->visits = s->device->visits;
	v->human = s->device->human;
	devices_leave(d, s->device, s->stage->utc_us);
	s->device = NULL;
}
