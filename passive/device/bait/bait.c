#include "passive/device/bait/bait.h"
#include <stdlib.h>
#include <unistd.h>

#define MARK "%{bait."
#define ENTRIES_LOOKED 1024 /* the latest of the ledger */

int bait_open(struct bait *b, int ledger, int sights, struct fault *fault)
{
	*b = (struct bait){.ledger.fd = -1};
	int bad = bait_ledger_open(&b->ledger, ledger, fault);
	if (!bad && sights >= 0)
		b->sights = sights_open(sights);
	if (!bad && sights >= 0 && !b->sights)
		bad = fault_set(fault, ERR_MEMORY, "passive: no memory for who saw which bait");
	return bad;
}

void bait_done(struct bait *b)
{
	sights_close(b->sights);
	bait_ledger_done(&b->ledger);
	free(b->places);
	b->places = NULL;
	b->sights = NULL;
	b->place_count = 0;
}

static int place_add(struct bait *b, const struct persona *p, struct bytes text, struct bytes path)
{
	if (bytes_find(text, MARK) == text.len || b->place_count == BAIT_PLACES_MAX)
		return 0;
	if (!b->places)
		b->places = calloc(BAIT_PLACES_MAX, sizeof *b->places);
	if (!b->places)
		return ERR_MEMORY;
	struct bait_place *at = &b->places[b->place_count++];
	*at = (struct bait_place){.persona = p, .text = text};
	size_t n = path.len < SIGHT_PATH_MAX - 1 ? path.len : SIGHT_PATH_MAX - 1;
	memcpy(at->path, path.at, n);
	return 0;
}

static int survey_files(struct bait *b, const struct persona *p, const struct vfs_entry *e, struct writer path)
{
	int bad = 0;
	if (e->kind == VFS_FILE && e->flags & VFS_MADE)
		return place_add(b, p, e->content, writer_bytes(&path));
	for (size_t i = 0; i < e->child_count && !bad; i++) {
		struct writer below = path;
		write_text(&below, "/");
		write_text(&below, e->children[i].name);
		if (!below.bad)
			bad = survey_files(b, p, &e->children[i], below);
	}
	return bad;
}

int bait_survey(struct bait *b, const struct persona_set *set)
{
	char path[VFS_PATH_MAX];
	int bad = 0;
	for (size_t i = 0; i < set->count && !bad; i++) {
		const struct persona *p = set->items[i];
		if (p->root)
			bad = survey_files(b, p, p->root, writer_of(path, sizeof path));
		for (size_t k = 0; k < p->http.page_count && !bad; k++)
			bad = place_add(b, p, p->http.pages[k].body, bytes_of_text(p->http.pages[k].path));
	}
	return bad;
}

static const char *path_of(const struct bait *b, const struct persona *p, struct bytes text)
{
	for (size_t i = 0; i < b->place_count; i++) {
		const struct bait_place *at = &b->places[i];
		if (at->persona == p && text.at >= at->text.at && text.at < at->text.at + at->text.len)
			return at->path;
	}
	return "";
}

static void show(struct bait *b, const struct bait_token *t, enum bait_shape shape, struct bytes name,
		 const char *path)
{
	for (size_t i = 0; i < b->shown_count; i++)
		if (!memcmp(&b->shown[i].token, t, sizeof *t))
			return;
	if (b->shown_count == BAIT_QUEUE_MAX)
		return;
	struct bait_shown *s = &b->shown[b->shown_count++];
	*s = (struct bait_shown){.token = *t, .shape = shape};
	memcpy(s->name, name.at, name.len < SIGHT_NAME_MAX - 1 ? name.len : SIGHT_NAME_MAX - 1);
	snprintf(s->path, sizeof s->path, "%s", path);
}

bool bait_expand(struct bait *b, const struct persona *p, const struct address *device, struct bytes text,
		 struct bytes what, struct writer *w)
{
	static const struct bait_secret none;
	const struct bait_secret *k = b ? &b->ledger.secret : &none;
	size_t colon = bytes_find(what, ":");
	int shape = bait_shape_find((struct bytes){what.at, colon});
	if (shape < 0 || colon + 1 >= what.len)
		return false;
	struct bytes name = {what.at + colon + 1, what.len - colon - 1};
	struct bait_token t = bait_of_device(k, device, name);
	bait_write(k, &t, (enum bait_shape)shape, w);
	if (b)
		show(b, &t, (enum bait_shape)shape, name, path_of(b, p, text));
	return true;
}

static size_t candidate_add(const struct bait *b, const struct bait_token *t, struct bait_candidate *out, size_t n,
			    size_t max)
{
	if (n == max)
		return n;
	struct writer w = writer_of(out[n].password, sizeof out[n].password);
	bait_write(&b->ledger.secret, t, BAIT_PASSWORD, &w);
	return n + 1;
}

size_t bait_candidates(struct bait *b, const struct address *device, struct bytes user, struct bait_candidate *out,
		       size_t max)
{
	struct bait_token t = bait_of_device(&b->ledger.secret, device, user);
	struct sight s;
	/* Trying one is dear: only what somebody has read can be known. */
	bool read = b->sights && sights_find(b->sights, bait_id(&b->ledger.secret, &t), &s);
	size_t n = read ? candidate_add(b, &t, out, 0, max) : 0;
	bait_ledger_refresh(&b->ledger);
	for (size_t i = b->ledger.count, looked = 0; i-- && looked < ENTRIES_LOOKED && n <= max / 2; looked++)
		if (bytes_equal_text(user, b->ledger.entries[i].user))
			n = candidate_add(b, &(struct bait_token){BAIT_ENTRY, (uint32_t)i + 1, 0}, out, n, max);
	for (unsigned i = 0; b->sights && i < SIGHTS_RECENT; i++)
		if (sights_recent(b->sights, i, &s) && bytes_equal_text(user, s.name))
			n = candidate_add(b, &s.what, out, n, max);
	return n;
}

bool bait_opens(struct bait *b, const struct address *device, struct bytes user, struct bytes secret)
{
	struct bait_token t, own;
	enum bait_shape shape;
	if (!b || !user.len || !bait_read(&b->ledger.secret, secret, &t, &shape) || shape != BAIT_PASSWORD)
		return false;
	if (t.source != BAIT_ENTRY) {
		own = bait_of_device(&b->ledger.secret, device, user);
		return own.source == t.source && own.where == t.where && own.mark == t.mark;
	}
	bait_ledger_refresh(&b->ledger);
	const struct bait_entry *e = bait_ledger_entry(&b->ledger, t.where);
	return e && *e->user && bytes_equal_text(user, e->user);
}
