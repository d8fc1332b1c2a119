/*
 * EVAL, of which only constants are worked out.
 *
 * Debian's and Ubuntu's Redis once let a script load io out of its sandbox (CVE-2022-0543): what
 * such a script hands to io.popen or os.execute goes to the device's shell and is answered.
 */
#include "passive/services/redis/redis.h"
#include <openssl/sha.h>

#define OUTPUT_MAX 4096
#define COMMAND_MAX 2048

/* A quoted string of Lua behind `at`, escapes undone; false: none stands there. */
static bool lua_string(struct bytes text, size_t at, struct writer *out)
{
	while (at < text.len && (text.at[at] == ' ' || text.at[at] == '('))
		at++;
	if (at >= text.len || (text.at[at] != '"' && text.at[at] != '\''))
		return false;
	uint8_t quote = text.at[at++];
	for (; at < text.len && text.at[at] != quote && writer_left(out); at++) {
		if (text.at[at] == '\\' && at + 1 < text.len)
			at++;
		write_u8(out, text.at[at]);
	}
	return at < text.len;
}

static bool lua_command(const struct redis_call *c, struct bytes script)
{
	static const char *const calls[] = {"popen", "execute"};
	char line[COMMAND_MAX];
	uint8_t output[OUTPUT_MAX];
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		struct writer w = writer_of(line, sizeof line), out = writer_of(output, sizeof output);
		size_t at = bytes_find(script, calls[i]);
		if (at == script.len || !lua_string(script, at + strlen(calls[i]), &w))
			continue;
		struct event *e = session_report(c->session, EVENT_COMMAND_SENT);
		event_set_bytes(e, FIELD_COMMAND_LINE, writer_bytes(&w));
		command_run(c->session, &c->redis->shell, writer_bytes(&w), &out);
		reply_bulk(c, i == 0 ? writer_bytes(&out) : BYTES(""));
		return true;
	}
	return false;
}

static void answer_script(const struct redis_call *c, struct bytes script)
{
	char text[256];
	struct writer w = writer_of(text, sizeof text);
	struct bytes rest = bytes_trim(script);
	int64_t n;
	if (lua_command(c, script))
		return;
	if (!bytes_start_with(rest, "return")) {
		reply_nil(c);
		return;
	}
	rest = bytes_trim((struct bytes){rest.at + 6, rest.len - 6});
	if (rest.len && rest.at[rest.len - 1] == ';')
		rest = bytes_trim((struct bytes){rest.at, rest.len - 1});
	if (redis_number(rest, &n))
		reply_number(c, n);
	else if (lua_string(rest, 0, &w))
		reply_bulk(c, writer_bytes(&w));
	else if (bytes_equal_text(rest, "_VERSION"))
		reply_text(c, "Lua 5.1");
	else if (bytes_equal_text(rest, "redis.REDIS_VERSION"))
		reply_text(c, c->redis->device->version);
	else if (bytes_equal_text(rest, "true"))
		reply_number(c, 1);
	else
		reply_nil(c);
}

/* Kept by its digest for EVALSHA; the text itself is in the event. */
static void keep_script(struct redis *r, struct bytes script)
{
	uint8_t digest[SHA_DIGEST_LENGTH];
	SHA1(script.at, script.len, digest);
	for (size_t i = 0; i < r->script_count; i++)
		if (!memcmp(r->scripts[i], digest, sizeof digest))
			return;
	memcpy(r->scripts[r->script_count % REDIS_SCRIPTS_MAX], digest, sizeof digest);
	if (r->script_count < REDIS_SCRIPTS_MAX)
		r->script_count++;
}

void redis_eval(const struct redis_call *c)
{
	int64_t keys;
	if (!redis_number(c->arguments[2], &keys))
		reply_error(c, "ERR value is not an integer or out of range");
	else if (keys < 0)
		reply_error(c, "ERR Number of keys can't be negative");
	else if ((uint64_t)keys > c->count - 3)
		reply_error(c, "ERR Number of keys can't be greater than number of args");
	else {
		keep_script(c->redis, c->arguments[1]);
		answer_script(c, c->arguments[1]);
	}
}

static void digest_text(const uint8_t digest[SHA_DIGEST_LENGTH], char text[2 * SHA_DIGEST_LENGTH + 1])
{
	for (size_t i = 0; i < SHA_DIGEST_LENGTH; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

static bool script_there(const struct redis *r, struct bytes name)
{
	char text[2 * SHA_DIGEST_LENGTH + 1];
	for (size_t i = 0; i < r->script_count; i++) {
		digest_text(r->scripts[i], text);
		if (bytes_equal_nocase(name, text))
			return true;
	}
	return false;
}

void redis_evalsha(const struct redis_call *c)
{
	if (script_there(c->redis, c->arguments[1]))
		reply_nil(c);
	else
		reply_error(c, "NOSCRIPT No matching script. Please use EVAL.");
}

void redis_script(const struct redis_call *c)
{
	uint8_t digest[SHA_DIGEST_LENGTH];
	char text[2 * SHA_DIGEST_LENGTH + 1];
	if (bytes_equal_nocase(c->arguments[1], "load") && c->count == 3) {
		keep_script(c->redis, c->arguments[2]);
		SHA1(c->arguments[2].at, c->arguments[2].len, digest);
		digest_text(digest, text);
		reply_text(c, text);
	} else if (bytes_equal_nocase(c->arguments[1], "exists") && c->count > 2) {
		reply_array(c, c->count - 2);
		for (size_t a = 2; a < c->count; a++)
			reply_number(c, script_there(c->redis, c->arguments[a]));
	} else if (bytes_equal_nocase(c->arguments[1], "flush")) {
		c->redis->script_count = 0;
		reply_status(c, "OK");
	} else {
		reply_error(c, "ERR unknown subcommand '%.*s'. Try SCRIPT HELP.",
			    (int)(c->arguments[1].len < 128 ? c->arguments[1].len : 128),
			    (const char *)c->arguments[1].at);
	}
}
