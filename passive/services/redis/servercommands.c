/* Commands on the connection, the server, replication and modules. */
#include "passive/services/redis/redis.h"
#include "base/random.h"

#define PATH_LENGTH_MAX 512

static bool named(const struct redis_call *c, size_t a, const char *name)
{
	return a < c->count && bytes_equal_nocase(c->arguments[a], name);
}

static void answer_syntax(const struct redis_call *c)
{
	reply_error(c, "ERR syntax error");
}

static void answer_subcommand(const struct redis_call *c)
{
	char upper[16] = {0};
	for (size_t i = 0; i < c->arguments[0].len && i < sizeof upper - 1; i++) {
		uint8_t b = c->arguments[0].at[i];
		upper[i] = (char)(b >= 'a' && b <= 'z' ? b - 32 : b);
	}
	if (c->count < 2)
		return;
	reply_error(c,
		    redis_since(c->redis, 7, 0)
			    ? "ERR unknown subcommand '%.*s'. Try %s HELP."
			    : "ERR Unknown subcommand or wrong number of arguments for '%.*s'. Try %s HELP.",
		    (int)(c->arguments[1].len < 128 ? c->arguments[1].len : 128),
		    (const char *)c->arguments[1].at, upper);
}

static void run_ping(const struct redis_call *c)
{
	if (c->count > 2)
		reply_error(c, "ERR wrong number of arguments for 'ping' command");
	else if (c->count == 2)
		reply_bulk(c, c->arguments[1]);
	else
		reply_status(c, "PONG");
}

static void run_echo(const struct redis_call *c)
{
	reply_bulk(c, c->arguments[1]);
}

static void run_ok(const struct redis_call *c)
{
	reply_status(c, "OK");
}

/* Whether the default account, or none at all, lets them in; reports the try. */
static bool check_password(const struct redis_call *c, struct bytes user, struct bytes secret)
{
	const char *password = c->redis->device->password;
	struct bytes wanted = redis_setting(c->redis, "requirepass");
	bool accepted = bytes_equal_text(user, "default") &&
			((!*password && !wanted.len) || bytes_equal(secret, wanted));
	session_login_decided(c->session, user, secret, (struct bytes){0}, accepted);
	c->redis->let_in |= accepted;
	return accepted;
}

static void answer_wrong(const struct redis_call *c)
{
	reply_error(c, redis_since(c->redis, 6, 0)
			       ? "WRONGPASS invalid username-password pair or user is disabled."
			       : "ERR invalid password");
}

static void run_auth(const struct redis_call *c)
{
	bool plain = c->count == 2, open = !redis_setting(c->redis, "requirepass").len;
	if (c->count > 3 || (!plain && !redis_since(c->redis, 6, 0))) {
		if (redis_since(c->redis, 6, 0))
			answer_syntax(c);
		else
			reply_error(c, "ERR wrong number of arguments for 'auth' command");
		return;
	}
	if (plain && open) {
		session_login_decided(c->session, (struct bytes){0}, c->arguments[1],
				      (struct bytes){0}, false);
		reply_error(c, redis_since(c->redis, 6, 0)
				       ? "ERR AUTH <password> called without any password configured for the default "
					 "user. Are you sure your configuration is correct?"
				       : "ERR Client sent AUTH, but no password is set");
		return;
	}
	if (check_password(c, plain ? BYTES("default") : c->arguments[1], c->arguments[plain ? 1 : 2]))
		reply_status(c, "OK");
	else
		answer_wrong(c);
}

static void answer_hello(const struct redis_call *c)
{
	reply_map(c, 7);
	reply_text(c, "server");
	reply_text(c, "redis");
	reply_text(c, "version");
	reply_text(c, c->redis->device->version);
	reply_text(c, "proto");
	reply_number(c, c->redis->protocol);
	reply_text(c, "id");
	reply_number(c, (int64_t)c->redis->id);
	reply_text(c, "mode");
	reply_text(c, "standalone");
	reply_text(c, "role");
	reply_text(c, c->redis->master_host.len ? "replica" : "master");
	reply_text(c, "modules");
	reply_array(c, 0);
}

static void run_hello(const struct redis_call *c)
{
	int64_t protocol = c->redis->protocol;
	if (c->count > 1 && !redis_number(c->arguments[1], &protocol)) {
		reply_error(c, "ERR Protocol version is not an integer or out of range");
		return;
	}
	if (protocol != 2 && protocol != 3) {
		reply_error(c, "NOPROTO unsupported protocol version");
		return;
	}
	for (size_t a = 2; a < c->count; a++) {
		if (named(c, a, "auth") && a + 2 < c->count) {
			if (!check_password(c, c->arguments[a + 1], c->arguments[a + 2])) {
				answer_wrong(c);
				return;
			}
			a += 2;
		} else if (named(c, a, "setname") && a + 1 < c->count) {
			a++;
		} else {
			reply_error(c, "ERR Syntax error in HELLO option '%.*s'",
				    (int)(c->arguments[a].len < 128 ? c->arguments[a].len : 128),
				    (const char *)c->arguments[a].at);
			return;
		}
	}
	if (!c->redis->let_in) {
		reply_error(c, "NOAUTH HELLO must be called with the client already authenticated, otherwise "
			       "the HELLO AUTH <user> <pass> option can be used to authenticate the client "
			       "and select the RESP protocol version at the same time");
		return;
	}
	c->redis->protocol = (uint8_t)protocol;
	answer_hello(c);
}

static void run_select(const struct redis_call *c)
{
	int64_t n;
	if (!redis_number(c->arguments[1], &n))
		reply_error(c, redis_since(c->redis, 6, 2) ? "ERR value is not an integer or out of range"
							   : "ERR invalid DB index");
	else if (n < 0 || n >= REDIS_DATABASES)
		reply_error(c, "ERR DB index is out of range");
	else {
		c->redis->database = (uint8_t)n;
		reply_status(c, "OK");
	}
}

static void client_list(const struct redis_call *c)
{
	char peer[ADDRESS_TEXT_MAX], local[ADDRESS_TEXT_MAX];
	uint8_t text[1024];
	struct writer w = writer_of(text, sizeof text);
	const struct redis *r = c->redis;
	address_format(session_peer(c->session), peer);
	address_format(session_local(c->session), local);
	unsigned age = (unsigned)(session_age_us(c->session) / 1000000);
	write_fmt(&w, "id=%llu addr=%s:%u ", (unsigned long long)r->id, peer,
		  (unsigned)(32768 + random_mix(session_device_seed(c->session) ^ r->id) % 28000));
	if (redis_since(r, 6, 2))
		write_fmt(&w, "laddr=%s:%u ", local, session_local_port(c->session));
	write_fmt(&w, "fd=8 name=%.*s age=%u idle=0 flags=N db=%u sub=0 psub=0 ", (int)r->client_name.len,
		  (const char *)r->client_name.at, age, r->database);
	if (redis_since(r, 7, 0))
		write_fmt(&w,
			  "ssub=0 multi=-1 qbuf=26 qbuf-free=20448 argv-mem=10 multi-mem=0 rbs=1024 rbp=0 obl=0 "
			  "oll=0 omem=0 tot-mem=22298 events=r cmd=client|list user=default redir=-1 resp=%u\n",
			  r->protocol);
	else
		write_text(&w, "multi=-1 qbuf=26 qbuf-free=32742 obl=0 oll=0 omem=0 events=r cmd=client\n");
	reply_verbatim(c, writer_bytes(&w));
}

static void run_client(const struct redis_call *c)
{
	struct redis *r = c->redis;
	if (named(c, 1, "list"))
		client_list(c);
	else if (named(c, 1, "id"))
		reply_number(c, (int64_t)r->id);
	else if (named(c, 1, "setname") && c->count == 3) {
		struct bytes name = c->arguments[2];
		name.len = name.len < 128 ? name.len : 128;
		r->client_name = arena_copy(session_arena(c->session), name);
		if (!r->client_name.at)
			r->client_name.len = 0;
		reply_status(c, "OK");
	} else if (named(c, 1, "getname")) {
		if (r->client_name.len)
			reply_bulk(c, r->client_name);
		else
			reply_nil(c);
	} else if (named(c, 1, "kill") || named(c, 1, "pause") || named(c, 1, "reply") || named(c, 1, "tracking")) {
		reply_status(c, "OK");
	} else {
		answer_subcommand(c);
	}
}

static void run_command(const struct redis_call *c)
{
	if (named(c, 1, "count"))
		reply_number(c, redis_since(c->redis, 7, 0) ? 240 : redis_since(c->redis, 6, 0) ? 224 : 200);
	else if (named(c, 1, "docs"))
		reply_map(c, 0);
	else
		reply_array(c, 0);
}

static void run_time(const struct redis_call *c)
{
	char text[24];
	uint64_t now = session_time_us(c->session);
	reply_array(c, 2);
	snprintf(text, sizeof text, "%llu", (unsigned long long)(now / 1000000));
	reply_text(c, text);
	snprintf(text, sizeof text, "%llu", (unsigned long long)(now % 1000000));
	reply_text(c, text);
}

static void run_save(const struct redis_call *c)
{
	redis_save(c);
	reply_status(c, (c->arguments[0].at[0] | 32) == 'b' ? "Background saving started" : "OK");
}

static void run_lastsave(const struct redis_call *c)
{
	uint64_t now = session_time_us(c->session);
	uint64_t at = c->redis->saved_us ? c->redis->saved_us : now - 61 * 1000000ull;
	reply_number(c, (int64_t)(at / 1000000));
}

/* The address is told and never asked. */
static void run_slaveof(const struct redis_call *c)
{
	struct redis *r = c->redis;
	uint64_t port;
	char url[320], path[PATH_LENGTH_MAX];
	if (named(c, 1, "no") && named(c, 2, "one")) {
		r->master_host = (struct bytes){0};
		reply_status(c, "OK");
		return;
	}
	if (!bytes_number(c->arguments[2], 65535, &port)) {
		reply_error(c, redis_since(r, 7, 0) ? "ERR Invalid master port"
						    : "ERR value is not an integer or out of range");
		return;
	}
	struct bytes host = c->arguments[1];
	host.len = host.len < 255 ? host.len : 255;
	r->master_host = arena_copy(session_arena(c->session), host);
	if (!r->master_host.at)
		r->master_host.len = 0;
	r->master_port = (uint16_t)port;
	struct bytes directory = redis_setting(r, "dir"), name = redis_setting(r, "dbfilename");
	struct writer p = writer_of(path, sizeof path);
	write_span(&p, directory);
	write_text(&p, "/");
	write_span(&p, name);
	snprintf(url, sizeof url, "redis://%.*s:%u/", (int)host.len, (const char *)host.at, (unsigned)port);
	session_name_file(c->session, bytes_of_text(url), writer_bytes(&p), "slaveof");
	reply_status(c, "OK");
}

static void run_role(const struct redis_call *c)
{
	const struct redis *r = c->redis;
	reply_array(c, r->master_host.len ? 5 : 3);
	reply_text(c, r->master_host.len ? "slave" : "master");
	if (r->master_host.len) {
		reply_bulk(c, r->master_host);
		reply_number(c, r->master_port);
		reply_text(c, "connect");
		reply_number(c, -1);
		return;
	}
	reply_number(c, 0);
	reply_array(c, 0);
}

/*
 * A library that came by SLAVEOF lies at dir/dbfilename, so that one loads; it then has the
 * commands that such libraries have.
 */
static void run_module(const struct redis_call *c)
{
	struct redis *r = c->redis;
	if (named(c, 1, "list")) {
		reply_array(c, 0);
	} else if (!r->device->modules && redis_since(r, 7, 0)) {
		reply_error(c, "ERR MODULE command not allowed. If the enable-module-command option is set to "
			       "\"local\", you can run it from a local connection, otherwise you need to set "
			       "this option in the configuration file, and then restart the server.");
	} else if (named(c, 1, "load") && c->count > 2) {
		struct bytes path = c->arguments[2], name = redis_setting(r, "dbfilename");
		size_t skip = path.len > name.len ? path.len - name.len : 0;
		bool fits = name.len && path.len >= name.len && !memcmp(path.at + skip, name.at, name.len);
		session_name_file(c->session, (struct bytes){0}, path, "module");
		if (fits)
			r->loaded = arena_copy(session_arena(c->session), path);
		if (fits)
			reply_status(c, "OK");
		else
			reply_error(c, "ERR Error loading the extension. Please check the server logs.");
	} else if (named(c, 1, "unload") && c->count == 3) {
		if (r->loaded.len)
			reply_status(c, "OK");
		else
			reply_error(c, "ERR Error unloading module: no such module with that name");
		r->loaded = (struct bytes){0};
	} else {
		answer_subcommand(c);
	}
}

static void run_debug(const struct redis_call *c)
{
	if (redis_since(c->redis, 7, 0))
		reply_error(c, "ERR DEBUG command not allowed. If the enable-debug-command option is set to "
			       "\"local\", you can run it from a local connection, otherwise you need to set "
			       "this option in the configuration file, and then restart the server.");
	else
		reply_status(c, "OK");
}

static void run_monitor(const struct redis_call *c)
{
	c->redis->monitor = true;
	reply_status(c, "OK");
}

static void run_acl(const struct redis_call *c)
{
	if (named(c, 1, "whoami"))
		reply_text(c, "default");
	else if (named(c, 1, "list")) {
		reply_array(c, 1);
		reply_text(c, redis_since(c->redis, 7, 0) ? "user default on nopass ~* &* +@all"
							  : "user default on nopass ~* +@all");
	} else if (named(c, 1, "users")) {
		reply_array(c, 1);
		reply_text(c, "default");
	} else if (named(c, 1, "setuser") || named(c, 1, "save") || named(c, 1, "load")) {
		reply_status(c, "OK");
	} else {
		answer_subcommand(c);
	}
}

static void run_subscribe(const struct redis_call *c)
{
	bool pattern = (c->arguments[0].at[0] | 32) == 'p';
	for (size_t a = 1; a < c->count; a++) {
		session_say(c->session, "%c3\r\n", c->redis->protocol < 3 ? '*' : '>');
		reply_text(c, pattern ? "psubscribe" : "subscribe");
		reply_bulk(c, c->arguments[a]);
		reply_number(c, ++c->redis->subscribed);
	}
}

static void run_empty(const struct redis_call *c)
{
	reply_array(c, 0);
}

static void run_zero(const struct redis_call *c)
{
	reply_number(c, 0);
}

static void run_cluster(const struct redis_call *c)
{
	reply_error(c, "ERR This instance has cluster support disabled");
}

static void run_memory(const struct redis_call *c)
{
	if (named(c, 1, "usage") && c->count > 2 && redis_key(c->session, c->redis, c->arguments[2]))
		reply_number(c, 64);
	else if (named(c, 1, "usage"))
		reply_nil(c);
	else
		answer_subcommand(c);
}

static void run_reset(const struct redis_call *c)
{
	struct redis *r = c->redis;
	r->database = 0;
	r->protocol = 2;
	r->in_multi = false;
	r->let_in = !redis_setting(r, "requirepass").len;
	reply_status(c, "RESET");
}

const struct redis_command redis_server_commands[] = {
	{"ping", -1, run_ping, false},        {"auth", -2, run_auth, true},
	{"hello", -1, run_hello, true},       {"info", -1, redis_info, false},
	{"config", -2, redis_config, false},  {"select", 2, run_select, false},
	{"save", 1, run_save, false},         {"bgsave", -1, run_save, false},
	{"slaveof", 3, run_slaveof, false},   {"replicaof", 3, run_slaveof, false},
	{"module", -2, run_module, false},    {"eval", -3, redis_eval, false},
	{"evalsha", -3, redis_evalsha, false}, {"script", -2, redis_script, false},
	{"client", -2, run_client, false},    {"command", -1, run_command, false},
	{"echo", 2, run_echo, false},         {"time", 1, run_time, false},
	{"lastsave", 1, run_lastsave, false}, {"role", 1, run_role, false},
	{"debug", -2, run_debug, false},      {"monitor", 1, run_monitor, false},
	{"acl", -2, run_acl, false},          {"subscribe", -2, run_subscribe, false},
	{"psubscribe", -2, run_subscribe, false}, {"pubsub", -2, run_empty, false},
	{"slowlog", -2, run_empty, false},    {"latency", -2, run_empty, false},
	{"cluster", -2, run_cluster, false},  {"memory", -2, run_memory, false},
	{"publish", 3, run_zero, false},      {"wait", 3, run_zero, false},
	{"replconf", -1, run_ok, false},      {"reset", 1, run_reset, true},
	{"function", -2, run_empty, false},   {"watch", -2, run_ok, false},
	{"unwatch", 1, run_ok, false},        {0},
};
