/* Downloads: asked for one after another, kept while somebody sends them. */
#include "lab/run/sink/serve.h"
#include <stdlib.h>

void download_leave(struct server *s, struct download *c)
{
	if (!c || --c->users)
		return;
	s->content_bytes -= c->bytes.len;
	free((void *)c->bytes.at);
	free(c);
}

static void download_give(struct server *s, struct caller *c, struct download *content)
{
	c->asks = false;
	if (s->asking == c)
		s->asking = NULL;
	download_leave(s, c->content);
	c->content = content;
	if (content)
		content->users++;
	talk_fetched(&c->talk, content != NULL, content ? content->bytes : (struct bytes){0});
}

/* The next one that waits. */
static void ask_next(struct server *s)
{
	for (size_t i = 0; i < s->count && !s->pending; i++) {
		struct caller *c = s->connections[i];
		if (!c->asks)
			continue;
		s->asking = c;
		s->pending = true;
		c->asked_ms = s->world.now_ms;
		if (message_send(s->control, 'D', c->talk.url, strlen(c->talk.url), NULL, 0))
			s->stopping = true;
	}
}

void download_ask(struct server *s, struct caller *c)
{
	if (!s->served) {
		download_give(s, c, NULL);
		return;
	}
	if (s->last && !strcmp(s->last->url, c->talk.url)) {
		download_give(s, c, s->last);
		return;
	}
	c->asks = true;
	c->asked_ms = s->world.now_ms;
	ask_next(s);
}

static struct download *download_copy(struct server *s, const char *url, uint64_t size)
{
	const uint8_t *shared = s->shared + SHARED_FINDINGS + SHARED_CAPTURE + SHARED_SECRETS;
	if (size > SHARED_DOWNLOAD || s->content_bytes + size > CONTENT_BYTES_MAX) {
		world_limit(&s->world, "sink.downloads");
		return NULL;
	}
	struct download *c = calloc(1, sizeof *c);
	uint8_t *bytes = malloc(size ? size : 1);
	if (!c || !bytes) {
		free(c);
		free(bytes);
		return NULL;
	}
	memcpy(bytes, shared, size);
	snprintf(c->url, sizeof c->url, "%s", url);
	c->bytes = (struct bytes){bytes, size};
	c->users = 1;
	s->content_bytes += size;
	return c;
}

static void download_give_and_say(struct server *s, struct caller *c, struct download *content)
{
	download_give(s, c, content);
	if (c->fd >= 0)
		caller_pump(s, c);
	else
		datagrams_say(s, c);
}

void download_give_up(struct server *s, struct caller *c)
{
	world_limit(&s->world, "sink.download-time");
	download_give_and_say(s, c, NULL);
}

void download_came(struct server *s, const struct sink_content *came)
{
	struct caller *c = s->asking;
	s->asking = NULL;
	s->pending = false;
	if (c) {
		struct download *content = came->found ? download_copy(s, c->talk.url, came->size) : NULL;
		if (content) {
			download_leave(s, s->last);
			s->last = content;
		}
		download_give_and_say(s, c, content);
	}
	ask_next(s);
}
