/* One request: what is said of it, whether it may run, transactions, and what hangs up. */
#include "passive/services/redis/redis.h"

#define UNKNOWN_ARGUMENTS_MAX 128 /* bytes of arguments that an error repeats */

static const struct redis_command *find_command(const struct redis *r, struct bytes name)
{
	const struct redis_command *const tables[] = {redis_key_commands, redis_server_commands};
	for (size_t t = 0; t < 2; t++)
		for (const struct redis_command *at = tables[t]; at->name; at++)
			if (bytes_equal_nocase(name, at->name)) {
				bool late = (!redis_since(r, 6, 0) && (!strcmp(at->name, "hello") ||
								       !strcmp(at->name, "acl"))) ||
					    (!redis_since(r, 7, 0) && !strcmp(at->name, "function"));
				return late ? NULL : at;
			}
	return NULL;
}

static bool plain_word(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] <= ' ' || b.at[i] == '"' || b.at[i] == '\\' || b.at[i] > 126)
			return false;
	return b.len > 0;
}

/* The command as redis-cli would take it: what is not one plain word stands in quotes. */
static void report_command(const struct redis_call *c, bool found)
{
	uint8_t line[REDIS_LINE_MAX];
	struct writer w = writer_of(line, sizeof line - 2);
	for (size_t a = 0; a < c->count && writer_left(&w) > 2; a++) {
		struct bytes b = c->arguments[a];
		bool plain = plain_word(b);
		if (a)
			write_u8(&w, ' ');
		if (!plain)
			write_u8(&w, '"');
		if (b.len > writer_left(&w))
			b.len = writer_left(&w);
		write_span(&w, b);
		if (!plain && writer_left(&w))
			write_u8(&w, '"');
	}
	struct event *e = session_report(c->session, EVENT_COMMAND_SENT);
	event_set_bytes(e, FIELD_COMMAND_LINE, writer_bytes(&w));
	event_set_bool(e, FIELD_COMMAND_FOUND, found);
}

static void answer_unknown(const struct redis_call *c)
{
	char arguments[2 * UNKNOWN_ARGUMENTS_MAX + 512];
	struct writer w = writer_of(arguments, sizeof arguments - 1);
	bool seven = redis_since(c->redis, 7, 0);
	size_t used = 0;
	for (size_t a = 1; a < c->count && used < UNKNOWN_ARGUMENTS_MAX && !w.bad; a++) {
		size_t before = writer_used(&w), left = UNKNOWN_ARGUMENTS_MAX - used;
		struct bytes b = c->arguments[a];
		b.len = b.len < left ? b.len : left;
		const uint8_t *nul = memchr(b.at, 0, b.len);
		b.len = nul ? (size_t)(nul - b.at) : b.len; /* printed with %.*s */
		write_text(&w, seven ? "'" : "`");
		write_span(&w, b);
		write_text(&w, seven ? "' " : "`, ");
		used += writer_used(&w) - before;
	}
	*w.at = '\0';
	struct bytes name = c->arguments[0];
	name.len = name.len < 128 ? name.len : 128;
	if (seven)
		reply_error(c, "ERR unknown command '%.*s', with args beginning with: %s", (int)name.len,
			    (const char *)name.at, arguments);
	else if (redis_since(c->redis, 5, 0))
		reply_error(c, "ERR unknown command `%.*s`, with args beginning with: %s", (int)name.len,
			    (const char *)name.at, arguments);
	else
		reply_error(c, "ERR unknown command '%.*s'", (int)name.len, (const char *)name.at);
}

/* The container commands of 7.0 say which of their own was meant. */
static void answer_arity(const struct redis_call *c, const struct redis_command *command)
{
	reply_error(c, "ERR wrong number of arguments for '%s' command", command->name);
}

/* What libraries loaded by MODULE LOAD in attacks offer: system.exec, system.rev and the like. */
static bool run_loaded(const struct redis_call *c)
{
	uint8_t output[4096];
	struct writer w = writer_of(output, sizeof output);
	struct redis *r = c->redis;
	if (!r->loaded.len || !memchr(c->arguments[0].at, '.', c->arguments[0].len))
		return false;
	if (c->count > 1 && bytes_find_nocase(c->arguments[0], "rev") == c->arguments[0].len)
		command_run(c->session, &r->shell, c->arguments[1], &w);
	reply_bulk(c, writer_bytes(&w));
	return true;
}

static void queue_command(const struct redis_call *c)
{
	struct redis *r = c->redis;
	struct arena *arena = session_arena(c->session);
	struct redis_queued *q = r->queued < REDIS_QUEUED_MAX ? arena_alloc(arena, sizeof *q) : NULL;
	bool kept = q && (q->arguments = arena_alloc(arena, c->count * sizeof *q->arguments));
	for (size_t a = 0; kept && a < c->count; a++) {
		q->arguments[a] = arena_copy(arena, c->arguments[a]);
		kept = q->arguments[a].at || !c->arguments[a].len;
	}
	if (!kept) {
		r->multi_broken = true;
		reply_error(c, "OOM command not allowed when used memory > 'maxmemory'.");
		return;
	}
	q->count = c->count;
	*r->queue_end = q;
	r->queue_end = &q->next;
	r->queued++;
	reply_status(c, "QUEUED");
}

static void transaction_end(struct redis *r)
{
	r->in_multi = r->multi_broken = false;
	r->queue = NULL;
	r->queued = 0;
}

static void transaction_run(const struct redis_call *c)
{
	struct redis *r = c->redis;
	struct redis_queued *q = r->queue;
	if (r->multi_broken) {
		transaction_end(r);
		reply_error(c, "EXECABORT Transaction discarded because of previous errors.");
		return;
	}
	reply_array(c, r->queued);
	transaction_end(r);
	for (; q; q = q->next) {
		const struct redis_call inner = {c->session, r, q->arguments, q->count};
		find_command(r, q->arguments[0])->run(&inner);
	}
}

/* MULTI, EXEC and DISCARD; false: it is another. */
static bool run_transaction(const struct redis_call *c)
{
	struct redis *r = c->redis;
	bool exec = bytes_equal_nocase(c->arguments[0], "exec");
	if (bytes_equal_nocase(c->arguments[0], "multi")) {
		if (r->in_multi) {
			reply_error(c, "ERR MULTI calls can not be nested");
			return true;
		}
		r->in_multi = true;
		r->queue = NULL;
		r->queue_end = &r->queue;
		reply_status(c, "OK");
		return true;
	}
	if (!exec && !bytes_equal_nocase(c->arguments[0], "discard"))
		return false;
	if (!r->in_multi) {
		reply_error(c, "ERR %s without MULTI", exec ? "EXEC" : "DISCARD");
	} else if (exec) {
		transaction_run(c);
	} else {
		transaction_end(r);
		reply_status(c, "OK");
	}
	return true;
}

static bool run_permitted(const struct redis_call *c, const struct redis_command *command)
{
	struct redis *r = c->redis;
	int n = (int)c->count;
	if (!command) {
		if (r->let_in && run_loaded(c))
			return true;
		answer_unknown(c);
		r->multi_broken = r->in_multi;
		return true;
	}
	if (command->arity > 0 ? n != command->arity : n < -command->arity) {
		answer_arity(c, command);
		r->multi_broken = r->in_multi;
		return true;
	}
	if (!r->let_in && !command->early) {
		reply_error(c, "NOAUTH Authentication required.");
		return true;
	}
	if (r->in_multi)
		queue_command(c);
	else
		command->run(c);
	return true;
}

/* Redis hangs up without a word on what a browser would send (security warning in its log). */
static bool from_browser(struct bytes name)
{
	return bytes_equal_nocase(name, "post") || bytes_equal_nocase(name, "host:");
}

bool redis_run(const struct redis_call *c)
{
	struct redis *r = c->redis;
	struct bytes name = c->arguments[0];
	const struct redis_command *command = find_command(r, name);
	static const char *const others[] = {"quit", "multi", "exec", "discard", "shutdown"};
	bool known = command;
	r->commands++;
	for (size_t i = 0; i < sizeof others / sizeof *others && !known; i++)
		known = bytes_equal_nocase(name, others[i]);
	if (!command || strcmp(command->name, "auth")) /* that one is a log-in */
		report_command(c, known || r->loaded.len);
	if (from_browser(name))
		return false;
	if (bytes_equal_nocase(name, "quit")) {
		reply_status(c, "OK");
		return false;
	}
	if (r->let_in && run_transaction(c))
		return true;
	if (r->let_in && bytes_equal_nocase(name, "shutdown")) {
		if (c->count == 1 || bytes_equal_nocase(c->arguments[1], "nosave"))
			return false;
		reply_error(c, "ERR syntax error");
		return true;
	}
	return run_permitted(c, command);
}

void redis_plant(const struct redis_call *c)
{
	const struct redis_planted *planted = c->redis->device->keys.items;
	for (size_t i = 0; i < c->redis->device->keys.count; i++) {
		char text[1024];
		session_expand(c->session, planted[i].value, text, sizeof text);
		struct redis_key *k =
			redis_key_make(c->session, c->redis, bytes_of_text(planted[i].key));
		if (k)
			redis_key_set(c->session, k, bytes_of_text(text));
	}
}
