#include "share/asking/client_inner.h"
#include "base/log.h"
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#define KEY_TELLTALE 8 /* a key that short stands in any answer by chance */

const struct client *client_find(const char *name)
{
	CLIENTS_EACH(it)
		if (!strcmp((*it)->name, name))
			return *it;
	return NULL;
}

/* Another URL or other options are another source: what was kept of it says nothing of this one. */
static void name_state(struct client_call *call)
{
	const struct client_about *a = &call->about;
	const struct option_pair *pairs = a->options ? a->options->items : NULL;
	XXH3_state_t *state = XXH3_createState();
	if (!state) {
		call->about.directory = -1;
		return;
	}
	XXH3_64bits_reset(state);
	XXH3_64bits_update(state, a->source, strlen(a->source) + 1);
	XXH3_64bits_update(state, a->url, strlen(a->url) + 1);
	for (size_t i = 0; pairs && i < a->options->count; i++) {
		XXH3_64bits_update(state, pairs[i].name, strlen(pairs[i].name) + 1);
		XXH3_64bits_update(state, pairs[i].value.at, pairs[i].value.len);
	}
	snprintf(call->state_name, sizeof call->state_name, "client.%016llx", (unsigned long long)XXH3_64bits_digest(state));
	XXH3_freeState(state);
}

static void read_state(struct client_call *call)
{
	int fd = call->about.directory < 0 ? -1 : openat(call->about.directory, call->state_name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, call->state, sizeof call->state);
	call->state_len = n > 0 ? (size_t)n : 0;
	if (fd >= 0)
		close(fd);
}

int client_open(struct client_call *call, const struct client_about *about, struct fault *fault)
{
	*call = (struct client_call){.about = *about, .arena = ARENA(CLIENT_ARENA_MAX), .body = BUFFER(about->size_max)};
	name_state(call);
	read_state(call);
	if (uv_mutex_init(&call->lock))
		return fault_set(fault, ERR_MEMORY, "no memory for a client");
	if (uv_cond_init(&call->changed)) {
		uv_mutex_destroy(&call->lock);
		return fault_set(fault, ERR_MEMORY, "no memory for a client");
	}
	return 0;
}

void client_close(struct client_call *call)
{
	curl_easy_cleanup(call->curl);
	buffer_done(&call->body);
	arena_done(&call->arena);
	uv_cond_destroy(&call->changed);
	uv_mutex_destroy(&call->lock);
}

void client_stop(struct client_call *call)
{
	uv_mutex_lock(&call->lock);
	call->stopped = true;
	uv_cond_broadcast(&call->changed);
	uv_mutex_unlock(&call->lock);
}

const char *client_url(const struct client_call *call) { return call->about.url; }
struct bytes client_key(const struct client_call *call) { return call->about.key; }
struct bytes client_state(const struct client_call *call) { return (struct bytes){call->state, call->state_len}; }
struct arena *client_arena(struct client_call *call) { return &call->arena; }
const struct format *client_format(const struct client_call *call) { return call->about.format; }
bool client_stopped(const struct client_call *call) { return call->stopped; }

const char *client_option(const struct client_call *call, const char *name)
{
	const struct option_list *list = call->about.options;
	const struct option_pair *pairs = list ? list->items : NULL;
	for (size_t i = 0; pairs && i < list->count; i++)
		if (!strcmp(pairs[i].name, name))
			return arena_text(&((struct client_call *)(uintptr_t)call)->arena, pairs[i].value);
	return NULL;
}

uint64_t client_number(const struct client_call *call, const char *name, uint64_t fallback, uint64_t max)
{
	const char *text = client_option(call, name);
	uint64_t n;
	return text && bytes_number(bytes_of_text(text), max, &n) ? n : fallback;
}

bool client_key_parts(const struct client_call *call, struct bytes *first, struct bytes *second)
{
	struct bytes key = call->about.key;
	size_t at = bytes_find(key, ":");
	if (at == key.len)
		return false;
	*first = bytes_trim((struct bytes){key.at, at});
	*second = bytes_trim((struct bytes){key.at + at + 1, key.len - at - 1});
	return true;
}

const char *client_header(struct client_call *call, const char *before, struct bytes value)
{
	const size_t size = strlen(before) + value.len + 1;
	char *line = value.len && !memchr(value.at, '\n', value.len) && !memchr(value.at, '\r', value.len) ? arena_alloc(&call->arena, size) : NULL;
	if (line)
		snprintf(line, size, "%s%.*s", before, (int)value.len, (const char *)value.at);
	return line;
}

int client_keep(struct client_call *call, struct bytes state)
{
	char next[CLIENT_NAME_MAX + 8];
	if (state.len > CLIENT_STATE_MAX)
		return ERR_FULL;
	if (bytes_equal(state, client_state(call)))
		return 0;
	if (state.len)
		memmove(call->state, state.at, state.len);
	call->state_len = state.len;
	if (call->about.directory < 0)
		return 0;
	snprintf(next, sizeof next, "%s.next", call->state_name);
	int fd = openat(call->about.directory, next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return ERR_SYSTEM;
	bool kept = write(fd, call->state, call->state_len) == (ssize_t)call->state_len && fdatasync(fd) == 0;
	close(fd);
	return kept && renameat(call->about.directory, next, call->about.directory, call->state_name) == 0 ? 0 : ERR_SYSTEM;
}

/* Whole, or a part of it behind a colon: a server that sends our secret back wants it to be shown around. */
static bool tells_key(const struct client_call *call, struct bytes piece)
{
	struct bytes key = client_key(call), first, second = {0};
	if (client_key_parts(call, &first, &second) && second.len >= KEY_TELLTALE && memmem(piece.at, piece.len, second.at, second.len))
		return true;
	return key.len >= KEY_TELLTALE && memmem(piece.at, piece.len, key.at, key.len);
}

bool client_take(struct client_call *call, struct bytes piece, const char *file)
{
	if (!piece.len)
		return true;
	if (tells_key(call, piece)) {
		fault_set(&call->refused, ERR_BAD, "its answer repeats the key that it was asked with, and was not taken");
		return false;
	}
	uv_mutex_lock(&call->lock);
	call->piece = piece;
	call->file = file;
	call->wanted = false;
	call->waiting = !call->stopped && call->wake;
	if (call->waiting)
		uv_async_send(call->wake);
	while (call->waiting && !call->stopped)
		uv_cond_wait(&call->changed, &call->lock);
	call->waiting = false;
	bool wanted = call->wanted;
	uv_mutex_unlock(&call->lock);
	return wanted;
}

void client_standing(struct client_call *call)
{
	uv_mutex_lock(&call->lock);
	call->standing = true;
	if (call->wake)
		uv_async_send(call->wake);
	uv_mutex_unlock(&call->lock);
}

void client_say(const struct client_call *call, const char *fmt, ...)
{
	char text[400];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	log_info("exchange: %s: %s", call->about.source, text);
}
