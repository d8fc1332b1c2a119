/* Topic "exchange.serve": heads and bodies come in, endpoints are found, callers are known or refused. */
#include "share/serve/room_inner.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/log.h"
#include "share/keys.h"
#include "share/serve/serve_room_inner.h"
#include <stdlib.h>

#define CREDENTIALS_MAX 1024

struct exchange *serving_exchange(const struct serving *s) { return s->serve->exchange; }
const struct arrivals *serving_arrivals(const struct serving *s) { return feeding_arrivals(s->serve->feeding, s->collection); }
struct object_hint *serving_hint(const struct serving *s, uint64_t key) { return &s->serve->hints[key & (OBJECT_HINTS - 1)]; }
const char *serving_producer(const struct serving *s) { return s->serve->producer; }

/* What a view counted is of one selection: it is not used for another. */
void room_release_view(struct serving *s)
{
	for (size_t i = 0; s->view && i < VIEWS_MAX; i++) {
		struct made_view *made = &s->serve->views[i];
		if (made->view != s->view)
			continue;
		made->users--;
		if (view_counts(made->view)) {
			view_close(made->view);
			*made = (struct made_view){0};
		}
	}
	s->view = NULL;
}

void room_forget(struct serving *s)
{
	struct serve *room = s->serve;
	if (s->done)
		s->done(s);
	if (s->request)
		bus_answer(s->request, ERR_GONE, (struct bytes){0}, false);
	room_release_view(s);
	for (size_t i = 0; i < SERVINGS_MAX; i++)
		if (room->servings[i] == s)
			room->servings[i] = NULL;
	buffer_done(&s->body);
	buffer_done(&s->out);
	arena_done(&s->arena);
	free(s);
}

/* A free place; that of a body which never came counts as free. */
static struct serving **place(struct serve *room)
{
	uint64_t now_us = clock_mono_us();
	for (size_t i = 0; i < SERVINGS_MAX; i++) {
		struct serving *s = room->servings[i];
		if (s && !s->request && s->take_body && now_us - s->heard_us > SERVING_IDLE_US)
			room_forget(s);
		if (!room->servings[i])
			return &room->servings[i];
	}
	return NULL;
}

static struct serving *find(struct serve *room, uint64_t number)
{
	for (size_t i = 0; i < SERVINGS_MAX; i++)
		if (room->servings[i] && room->servings[i]->number == number)
			return room->servings[i];
	return NULL;
}

static struct made_view *oldest_view(struct serve *room)
{
	struct made_view *oldest = NULL;
	for (size_t i = 0; i < VIEWS_MAX; i++)
		if (!room->views[i].users && (!oldest || room->views[i].used_us < oldest->used_us))
			oldest = &room->views[i];
	return oldest;
}

struct view *room_view(struct serve *room, const struct caller *caller, const struct grant *grant, struct fault *fault)
{
	struct made_view *made = NULL;
	for (size_t i = 0; i < VIEWS_MAX && !made; i++)
		if (room->views[i].view && room->views[i].organisation == caller->organisation_number &&
		    !strcmp(room->views[i].policy, grant->policy) && !view_counts(room->views[i].view))
			made = &room->views[i];
	if (!made) {
		struct view_about about = {.config = room->exchange->process->config, .policy = grant->policy};
		struct view *view;
		made = oldest_view(room);
		if (!made)
			return fault_set(fault, ERR_FULL, "too many at once"), NULL;
		keys_derive(room->exchange->keys, caller->organisation, grant->policy, about.key);
		if (view_open(&view, &about, fault))
			return NULL;
		view_close(made->view);
		*made = (struct made_view){.organisation = caller->organisation_number, .view = view};
		snprintf(made->policy, sizeof made->policy, "%s", grant->policy);
	}
	made->used_us = clock_mono_us();
	made->users++;
	return made->view;
}

static const char *part_end(const char *at, const char *end)
{
	while (at < end && *at != '/')
		at++;
	return at;
}

/* Part by part; a slash at the end of what was asked does not count. */
static bool path_matches(struct serving *s, const char *pattern, struct bytes path)
{
	const char *url = (const char *)path.at, *url_end = url + path.len, *pattern_end = pattern + strlen(pattern);
	s->parameter_count = 0;
	if (path.len > 1 && url_end[-1] == '/')
		url_end--;
	while (pattern < pattern_end || url < url_end) {
		const char *pe = part_end(pattern, pattern_end), *ue = part_end(url, url_end);
		size_t pn = (size_t)(pe - pattern), un = (size_t)(ue - url);
		if (pn > 2 && *pattern == '{' && un && s->parameter_count < SERVING_PARAMETERS_MAX)
			s->parameters[s->parameter_count++] = (struct serve_pair){{(const uint8_t *)pattern + 1, pn - 2},
										  {(const uint8_t *)url, un}};
		else if (pn != un || memcmp(pattern, url, pn))
			return false;
		if ((pe < pattern_end) != (ue < url_end))
			return false;
		pattern = pe + (pe < pattern_end);
		url = ue + (ue < url_end);
	}
	return true;
}

static const struct endpoint *endpoint_find(struct serving *s, bool *other_method)
{
	struct bytes method = bytes_equal_text(s->head.method, "HEAD") ? BYTES("GET") : s->head.method;
	*other_method = false;
	ENDPOINTS_EACH(it) {
		if (!path_matches(s, (*it)->path, s->head.path))
			continue;
		if (bytes_equal_text(method, (*it)->method))
			return *it;
		*other_method = true;
	}
	return NULL;
}

/* "Basic BASE64(user:password)" (RFC 7617), "Bearer TOKEN" (RFC 6750), or X-API-Key as DNSDB has it. */
static void read_claim(const struct serving *s, struct access_claim *claim, uint8_t room[CREDENTIALS_MAX])
{
	struct bytes text = s->head.authorization, scheme = bytes_word(&text);
	struct writer w = writer_of(room, CREDENTIALS_MAX);
	*claim = (struct access_claim){.certificate = s->head.has_certificate ? s->head.certificate : NULL,
				       .from = s->head.from, .now_us = s->now_us};
	text = bytes_trim(text);
	if (bytes_equal_nocase(scheme, "bearer")) {
		claim->token = text;
	} else if (bytes_equal_nocase(scheme, "basic") && text.len < CREDENTIALS_MAX && base64_decode_whole(text, &w)) {
		struct bytes both = writer_bytes(&w);
		size_t colon = bytes_find(both, ":");
		claim->user = (struct bytes){both.at, colon};
		claim->token = colon < both.len ? (struct bytes){both.at + colon + 1, both.len - colon - 1} : (struct bytes){0};
	} else if (s->head.api_key.len) {
		claim->token = s->head.api_key;
	}
}

static void answer_unknown(struct serving *s)
{
	serving_header(s, "WWW-Authenticate", "Basic realm=\"kansoku\", charset=\"UTF-8\"");
	serving_header(s, "WWW-Authenticate", "Bearer realm=\"kansoku\"");
	serving_fail(s, 401, "who you are is not known");
}

static void serve_one(struct serving *s)
{
	uint8_t room[CREDENTIALS_MAX];
	struct access_claim claim;
	bool other_method;
	read_claim(s, &claim, room);
	if (access_authenticate(serving_exchange(s)->access, &claim, &s->caller)) {
		answer_unknown(s);
		return;
	}
	s->endpoint = endpoint_find(s, &other_method);
	if (s->endpoint)
		s->endpoint->serve(s);
	else
		serving_fail(s, other_method ? 405 : 404, other_method ? "this path takes another method" : "there is nothing here that you may see");
}

static void refuse_at_once(struct bus_request *request)
{
	uint8_t room[256];
	struct writer w = writer_of(room, sizeof room);
	serve_answer_write(&(struct serve_answer_head){.status = 503, .headers = {{BYTES("Retry-After"), BYTES("5")}}, .header_count = 1}, &w);
	bus_answer(request, 0, writer_bytes(&w), false);
}

static void begin(struct serve *room, struct bus_request *request, struct bytes payload)
{
	struct serving **at = place(room), *s = at ? calloc(1, sizeof *s) : NULL;
	if (!s) {
		refuse_at_once(request);
		return;
	}
	*at = s;
	s->serve = room;
	s->request = request;
	s->number = ++room->last_number;
	s->heard_us = clock_mono_us();
	s->now_us = clock_utc_us();
	s->arena = ARENA(SERVING_ARENA_MAX);
	s->body = BUFFER(SERVE_BODY_MAX);
	s->out = BUFFER(SERVE_ANSWER_MAX);
	struct bytes copy = arena_copy(&s->arena, payload);
	struct reader r = reader_of_bytes(copy);
	if (!copy.at || !serve_head_read(&r, &s->head))
		serving_fail(s, 400, "the request's head cannot be read");
	else
		serve_one(s);
}

static void go_on(struct serve *room, struct bus_request *request, enum serve_step step, struct reader *r)
{
	struct serving *s = find(room, read_u64(r));
	struct bytes part = read_rest(r);
	if (!s || s->request || !s->take_body) {
		bus_answer(request, ERR_GONE, (struct bytes){0}, false);
		return;
	}
	s->heard_us = clock_mono_us();
	if (step == SERVE_END) {
		s->request = request;
		s->take_body(s, buffer_bytes(&s->body));
		return;
	}
	bool kept = step == SERVE_PART && !buffer_append(&s->body, part.at, part.len);
	bus_answer(request, 0, (struct bytes){0}, false);
	if (!kept)
		room_forget(s);
}

static void on_serve(void *arg, struct bus_request *request, struct bytes payload)
{
	struct serve *room = arg;
	struct reader r = reader_of_bytes(payload);
	uint8_t step = read_u8(&r);
	/* Only who speaks with the partners says who they are. */
	if (strcmp(bus_peer_role(bus_request_peer(request)), "partners") || step > SERVE_FORGET)
		bus_answer(request, ERR_DENIED, (struct bytes){0}, false);
	else if (step == SERVE_ASK)
		begin(room, request, read_rest(&r));
	else
		go_on(room, request, (enum serve_step)step, &r);
}

static const char *operator_word(const struct config *c, const char *key)
{
	const struct yaml_node *o = c->root && c->root->type == YAML_MAP ? yaml_child(c->root, "operator") : NULL;
	const struct yaml_node *word = o && o->type == YAML_MAP ? yaml_child(o, key) : NULL;
	return word && word->type == YAML_SCALAR ? (const char *)word->text.at : NULL;
}

int serving_room_open(struct serve **out, struct exchange *x, struct fault *fault)
{
	struct serve *room = calloc(1, sizeof *room);
	if (!room || !(room->hints = calloc(OBJECT_HINTS, sizeof *room->hints))) {
		free(room);
		return fault_set(fault, ERR_MEMORY, "no memory for the partners' server");
	}
	room->exchange = x;
	room->producer = operator_word(x->process->config, "name");
	room->contact = operator_word(x->process->config, "contact");
	int bad = feeding_open(&room->feeding, x, &x->collections, fault);
	if (bad) {
		serving_room_close(room);
		return bad;
	}
	bus_on_request(x->process->bus, TOPIC_SERVE, on_serve, room);
	*out = room;
	return 0;
}

void serving_room_start(struct serve *room) { feeding_start(room->feeding); }
void serving_room_stop(struct serve *room) { feeding_stop(room->feeding); }

void serving_room_close(struct serve *room)
{
	if (!room)
		return;
	for (size_t i = 0; i < VIEWS_MAX; i++)
		view_close(room->views[i].view);
	for (size_t i = 0; i < STATUSES_MAX; i++)
		free(room->statuses[i].json);
	feeding_close(room->feeding);
	free(room->hints);
	free(room);
}

void status_keep(struct serve *room, uint32_t organisation, const char *id, struct bytes json)
{
	struct status *s = &room->statuses[room->status_count++ % STATUSES_MAX];
	free(s->json);
	*s = (struct status){.organisation = organisation, .json = malloc(json.len), .len = json.len};
	snprintf(s->id, sizeof s->id, "%s", id);
	if (s->json)
		memcpy(s->json, json.at, json.len);
}

struct bytes status_find(struct serve *room, uint32_t organisation, struct bytes id)
{
	for (size_t i = 0; i < STATUSES_MAX; i++) {
		const struct status *s = &room->statuses[i];
		if (s->json && s->organisation == organisation && bytes_equal_text(id, s->id))
			return (struct bytes){(const uint8_t *)s->json, s->len};
	}
	return (struct bytes){0};
}
