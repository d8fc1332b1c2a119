/* Changes of rights: what all of them share, and the words for organisations and their users. */
#include "share/access/change_inner.h"
#include <string.h>

#define PAGE_ROWS 200

const char *change_text(const struct change *c, const char *name)
{
	const char *text = json_string_value(json_object_get(c->request, name));
	return text ? text : "";
}

int change_name(struct change *c, const char *key, char out[ACCESS_NAME_MAX + 1])
{
	const char *text = change_text(c, key);
	const size_t len = strlen(text);
	if (!len || len > ACCESS_NAME_MAX || strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-") < len || strchr("._-", *text))
		return fault_set(c->fault, ERR_BAD, "%s: \"%.70s\" is no name: up to %d of a-z, 0-9, dot, underscore and hyphen, the "
				 "first a letter or digit", key, text, ACCESS_NAME_MAX);
	memcpy(out, text, len + 1);
	return 0;
}

struct organisation *change_organisation(struct change *c)
{
	const char *name = change_text(c, "organisation");
	struct organisation *o = access_organisation(c->access, name);
	if (!o)
		fault_set(c->fault, ERR_MISSING, "there is no organisation \"%.70s\"; `kansoku org list` has them", name);
	return o;
}

struct user *change_user(struct change *c, const struct organisation *o)
{
	const char *name = change_text(c, "user");
	struct user *u = access_user(c->access, o->number, name);
	if (!u)
		fault_set(c->fault, ERR_MISSING, "%s has no user \"%.70s\"; `kansoku user list` has them", o->name, name);
	return u;
}

int change_note(struct change *c, const char *organisation, const char *user, const char *token, const char *collection)
{
	const struct audit_entry e = {.action = c->word, .organisation = organisation, .user = user, .token = token,
				      .collection = collection, .filter = c->text};
	return audit_add(c->access->about.audit, &e)
		       ? fault_set(c->fault, ERR_SYSTEM, "the audit cannot be written, so nothing was changed")
		       : 0;
}

int change_keep(struct change *c)
{
	return access_keep(c->access, c->now_us)
		       ? fault_set(c->fault, ERR_SYSTEM, "it holds, but cannot be kept: after a restart it is as before")
		       : 0;
}

int change_list(struct change *c, size_t count, json_t *(*row)(struct change *, size_t at))
{
	json_t *rows = json_array();
	const json_int_t from = json_integer_value(json_object_get(c->request, "from"));
	size_t at = from > 0 ? (size_t)from : 0;
	for (; at < count && json_array_size(rows) < PAGE_ROWS; at++) {
		json_t *one = row(c, at);
		if (one)
			json_array_append_new(rows, one);
	}
	c->answer = json_pack("{s:o}", "rows", rows);
	if (at < count)
		json_object_set_new(c->answer, "next", json_integer((json_int_t)at));
	return 0;
}

static int remark(struct change *c, const char *key, char out[REMARK_MAX + 1])
{
	return !*change_text(c, key) || bytes_copy_text(bytes_of_text(change_text(c, key)), out, REMARK_MAX + 1)
		       ? 0
		       : fault_set(c->fault, ERR_BAD, "%s: more than %d bytes", key, REMARK_MAX);
}

static int organisation_add(struct change *c)
{
	struct access *a = c->access;
	struct organisation o = {.number = a->last_number + 1, .created_us = c->now_us};
	int bad = change_name(c, "organisation", o.name);
	if (!bad && access_organisation(a, o.name))
		bad = fault_set(c->fault, ERR_BAD, "the organisation \"%s\" is there already", o.name);
	bad = bad ? bad : remark(c, "title", o.title);
	bad = bad ? bad : remark(c, "contact", o.contact);
	bad = bad ? bad
		  : access_room((void **)&a->organisations, a->organisation_count, ORGANISATIONS_MAX, sizeof o, "organisations", c->fault);
	bad = bad ? bad : change_note(c, o.name, NULL, NULL, NULL);
	if (bad)
		return bad;
	a->organisations[a->organisation_count++] = o;
	a->last_number = o.number;
	c->answer = organisation_json(a, &o);
	return change_keep(c);
}

/* What belonged to it goes with it; its tokens stay as revoked ones, so that the audit's ids mean something. */
static void belongings_remove(struct access *a, uint32_t number, uint64_t now_us)
{
	size_t kept = 0;
	for (size_t i = 0; i < a->user_count; i++)
		if (a->users[i].organisation != number)
			a->users[kept++] = a->users[i];
	a->user_count = kept;
	kept = 0;
	for (size_t i = 0; i < a->grant_count; i++)
		if (a->grants[i].organisation != number)
			a->grants[kept++] = a->grants[i];
	a->grant_count = kept;
	for (size_t i = 0; i < a->token_count; i++)
		if (a->tokens[i].organisation == number && !a->tokens[i].revoked_us)
			a->tokens[i].revoked_us = now_us;
}

static int organisation_remove(struct change *c)
{
	struct access *a = c->access;
	struct organisation *o = change_organisation(c);
	int bad = o ? change_note(c, o->name, NULL, NULL, NULL) : ERR_MISSING;
	if (bad)
		return bad;
	belongings_remove(a, o->number, c->now_us);
	c->answer = organisation_json(a, o);
	memmove(o, o + 1, (size_t)(a->organisations + --a->organisation_count - o) * sizeof *o);
	return change_keep(c);
}

static int organisation_suspend(struct change *c)
{
	struct organisation *o = change_organisation(c);
	int bad = o ? change_note(c, o->name, NULL, NULL, NULL) : ERR_MISSING;
	if (bad)
		return bad;
	o->suspended = !strcmp(c->word, "org.suspend");
	c->answer = organisation_json(c->access, o);
	return change_keep(c);
}

static json_t *organisation_row(struct change *c, size_t at) { return organisation_json(c->access, &c->access->organisations[at]); }

static int organisation_list(struct change *c) { return change_list(c, c->access->organisation_count, organisation_row); }

static int user_add(struct change *c)
{
	struct access *a = c->access;
	const struct organisation *o = change_organisation(c);
	struct user u = {.organisation = o ? o->number : 0, .created_us = c->now_us};
	int bad = o ? change_name(c, "user", u.name) : ERR_MISSING;
	if (!bad && access_user(a, o->number, u.name))
		bad = fault_set(c->fault, ERR_BAD, "%s has a user \"%s\" already", o->name, u.name);
	bad = bad ? bad : remark(c, "remark", u.remark);
	bad = bad ? bad : access_room((void **)&a->users, a->user_count, USERS_MAX, sizeof u, "users", c->fault);
	bad = bad ? bad : change_note(c, o->name, u.name, NULL, NULL);
	if (bad)
		return bad;
	a->users[a->user_count++] = u;
	c->answer = user_json(a, &u);
	return change_keep(c);
}

static int user_remove(struct change *c)
{
	struct access *a = c->access;
	const struct organisation *o = change_organisation(c);
	struct user *u = o ? change_user(c, o) : NULL;
	int bad = u ? change_note(c, o->name, u->name, NULL, NULL) : ERR_MISSING;
	if (bad)
		return bad;
	/* Another may bear the name later: it must not find tokens waiting. */
	for (size_t i = 0; i < a->token_count; i++)
		if (a->tokens[i].organisation == o->number && !strcmp(a->tokens[i].user, u->name) && !a->tokens[i].revoked_us)
			a->tokens[i].revoked_us = c->now_us;
	c->answer = user_json(a, u);
	memmove(u, u + 1, (size_t)(a->users + --a->user_count - u) * sizeof *u);
	return change_keep(c);
}

static int user_suspend(struct change *c)
{
	const struct organisation *o = change_organisation(c);
	struct user *u = o ? change_user(c, o) : NULL;
	int bad = u ? change_note(c, o->name, u->name, NULL, NULL) : ERR_MISSING;
	if (bad)
		return bad;
	u->suspended = !strcmp(c->word, "user.suspend");
	c->answer = user_json(c->access, u);
	return change_keep(c);
}

static json_t *user_row(struct change *c, size_t at)
{
	const struct user *u = &c->access->users[at];
	const struct organisation *o = access_organisation(c->access, change_text(c, "organisation"));
	return !*change_text(c, "organisation") || (o && o->number == u->organisation) ? user_json(c->access, u) : NULL;
}

static int user_list(struct change *c) { return change_list(c, c->access->user_count, user_row); }

const struct change_word organisation_words[] = {
	{"org.add", organisation_add}, {"org.remove", organisation_remove}, {"org.suspend", organisation_suspend},
	{"org.resume", organisation_suspend}, {"org.list", organisation_list}, {"user.add", user_add}, {"user.remove", user_remove},
	{"user.suspend", user_suspend}, {"user.resume", user_suspend}, {"user.list", user_list}, {0},
};

static const struct change_word *word_find(const char *word)
{
	static const struct change_word *const tables[] = {organisation_words, token_words, grant_words};
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		for (const struct change_word *w = tables[i]; w->word; w++)
			if (!strcmp(w->word, word))
				return w;
	return NULL;
}

static int answer_write(json_t *answer, struct writer *w, struct fault *fault)
{
	const size_t left = writer_left(w), needed = json_dumpb(answer, (char *)w->at, left, JSON_COMPACT);
	if (!needed || needed > left)
		return fault_set(fault, ERR_FULL, "the answer is too long");
	w->at += needed;
	return 0;
}

int access_obey(struct access *a, struct bytes text, uint64_t now_us, struct writer *answer, struct fault *fault)
{
	json_t *request = json_loadb((const char *)text.at, text.len, JSON_REJECT_DUPLICATES, NULL);
	struct change c = {.access = a, .request = request, .text = text, .now_us = now_us, .fault = fault};
	const struct change_word *word = word_find(change_text(&c, "do"));
	c.word = word ? word->word : "";
	int bad = word ? word->apply(&c) : fault_set(fault, ERR_BAD, "\"%.40s\" is nothing that can be done to rights", change_text(&c, "do"));
	bad = bad ? bad : answer_write(c.answer, answer, fault);
	json_decref(c.answer);
	json_decref(request);
	return bad;
}
