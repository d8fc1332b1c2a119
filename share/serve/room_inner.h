/* What serve.c and serving.c share: requests in hand, views that were made, hints and statuses. */
#pragma once
#include "share/serve/serving_inner.h"

#define VIEWS_MAX 32

struct status {
	uint32_t organisation;
	char id[UUID_TEXT_MAX];
	char *json;
	size_t len;
};

struct made_view { /* views hold caches of prefixes, so they are kept */
	uint32_t organisation;
	char policy[ACCESS_NAME_MAX + 1];
	uint64_t used_us;
	struct view *view;
	unsigned users;
};

struct serve {
	struct exchange *exchange;
	struct feeding *feeding;
	struct serving *servings[SERVINGS_MAX];
	uint64_t last_number;
	struct made_view views[VIEWS_MAX];
	struct object_hint *hints;
	struct status statuses[STATUSES_MAX];
	size_t status_count;
	const char *producer, *contact;
};

struct view *room_view(struct serve *, const struct caller *, const struct grant *, struct fault *);
void room_release_view(struct serving *);
void room_forget(struct serving *);
