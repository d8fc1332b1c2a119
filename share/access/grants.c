/* Grants: one for each organisation and collection, set as a whole. */
#include "share/access/change_inner.h"
#include <string.h>

static int known(struct change *c, const struct grant *g)
{
	const struct access_about *about = &c->access->about;
	if (about->has_collection && !about->has_collection(about->arg, g->collection))
		return fault_set(c->fault, ERR_MISSING, "there is no collection \"%s\"; `kansoku describe collections` lists them",
				 g->collection);
	if (about->has_policy && !about->has_policy(about->arg, g->policy))
		return fault_set(c->fault, ERR_MISSING, "there is no policy \"%s\" in exchange.policies", g->policy);
	return 0;
}

static int grant_set(struct change *c)
{
	struct access *a = c->access;
	const struct organisation *o = change_organisation(c);
	struct held_grant h = {.grant = {.rights = ACCESS_READ, .tlp_max = TLP_AMBER, .policy = "default"}};
	int bad = o ? change_name(c, "collection", h.grant.collection) : ERR_MISSING;
	if (bad)
		return bad;
	struct held_grant *old = access_grant(a, o->number, h.grant.collection);
	bad = grant_fill(c->request, &h.grant, c->now_us, c->fault);
	bad = bad ? bad : known(c, &h.grant);
	bad = bad || old ? bad : access_room((void **)&a->grants, a->grant_count, GRANTS_MAX, sizeof h, "grants", c->fault);
	bad = bad ? bad : change_note(c, o->name, NULL, NULL, h.grant.collection);
	if (bad)
		return bad;
	h.organisation = o->number;
	snprintf(h.grant.organisation, sizeof h.grant.organisation, "%s", o->name);
	if (!old)
		old = &a->grants[a->grant_count++];
	*old = h;
	c->answer = grant_json(&h);
	return change_keep(c);
}

static int grant_remove(struct change *c)
{
	struct access *a = c->access;
	const struct organisation *o = change_organisation(c);
	const char *collection = change_text(c, "collection");
	struct held_grant *h = o ? access_grant(a, o->number, collection) : NULL;
	if (o && !h)
		return fault_set(c->fault, ERR_MISSING, "%s has no grant for \"%.70s\"", o->name, collection);
	int bad = h ? change_note(c, o->name, NULL, NULL, h->grant.collection) : ERR_MISSING;
	if (bad)
		return bad;
	c->answer = grant_json(h);
	memmove(h, h + 1, (size_t)(a->grants + --a->grant_count - h) * sizeof *h);
	return change_keep(c);
}

static json_t *grant_row(struct change *c, size_t at)
{
	const struct held_grant *h = &c->access->grants[at];
	const struct organisation *o = access_organisation(c->access, change_text(c, "organisation"));
	return !*change_text(c, "organisation") || (o && o->number == h->organisation) ? grant_json(h) : NULL;
}

static int grant_list(struct change *c) { return change_list(c, c->access->grant_count, grant_row); }

const struct change_word grant_words[] = {
	{"grant.set", grant_set}, {"grant.remove", grant_remove}, {"grant.list", grant_list}, {0},
};
