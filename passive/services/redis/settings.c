/*
 * CONFIG, and SAVE with what it was pointed at.
 *
 * Attackers move the dump to where something else reads it: root's authorized_keys, a crontab, a
 * web server's directory.  So directory and file name can be set wherever a Redis that runs as
 * root could write, and saving leaves the dump as a file of the peer.
 */
#include "passive/services/redis/redis.h"

#define DUMP_MAX (512 * 1024)
#define PATH_LENGTH_MAX 512

/* What CONFIG GET tells by default; by redis.conf of 7.0, the longest known first to go. */
static const struct {
	const char *name, *value;
} defaults[] = {
	{"maxmemory", "0"}, {"maxmemory-policy", "noeviction"}, {"maxmemory-samples", "5"},
	{"maxclients", "10000"}, {"timeout", "0"}, {"tcp-keepalive", "300"}, {"tcp-backlog", "511"},
	{"databases", "16"}, {"port", NULL}, {"bind", "* -::*"}, {"unixsocket", ""}, {"dir", NULL},
	{"dbfilename", "dump.rdb"}, {"requirepass", NULL}, {"masterauth", ""}, {"masteruser", ""},
	{"appendonly", "no"}, {"appendfilename", "appendonly.aof"}, {"appendfsync", "everysec"},
	{"no-appendfsync-on-rewrite", "no"}, {"save", "3600 1 300 100 60 10000"},
	{"stop-writes-on-bgsave-error", "yes"}, {"rdbcompression", "yes"}, {"rdbchecksum", "yes"},
	{"protected-mode", NULL}, {"daemonize", "no"}, {"supervised", "no"}, {"pidfile", ""},
	{"loglevel", "notice"}, {"logfile", ""}, {"syslog-enabled", "no"}, {"syslog-ident", "redis"},
	{"slaveof", NULL}, {"replicaof", NULL}, {"slave-read-only", "yes"}, {"replica-read-only", "yes"},
	{"slave-serve-stale-data", "yes"}, {"replica-serve-stale-data", "yes"}, {"slave-priority", "100"},
	{"repl-timeout", "60"}, {"repl-backlog-size", "1048576"}, {"repl-diskless-sync", "yes"},
	{"lua-time-limit", "5000"}, {"slowlog-log-slower-than", "10000"}, {"slowlog-max-len", "128"},
	{"latency-monitor-threshold", "0"}, {"notify-keyspace-events", ""}, {"hz", "10"},
	{"io-threads", "1"}, {"cluster-enabled", "no"}, {"set-max-intset-entries", "512"},
	{"hash-max-listpack-entries", "512"}, {"list-max-listpack-size", "-2"},
	{"client-output-buffer-limit", "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"},
	{"proto-max-bulk-len", "536870912"}, {"activedefrag", "no"}, {"aclfile", ""},
	{"enable-protected-configs", NULL}, {"enable-debug-command", "no"}, {"enable-module-command", NULL},
};

#define DEFAULT_COUNT (sizeof defaults / sizeof *defaults)

/* Where root may write on a Linux server; what is not there cannot be changed to. */
static const char *const directories[] = {
	"/", "/tmp", "/var/tmp", "/dev/shm", "/root", "/root/.ssh", "/home", "/etc", "/etc/cron.d",
	"/etc/cron.hourly", "/etc/cron.daily", "/etc/init.d", "/etc/profile.d", "/etc/ld.so.preload.d",
	"/var", "/var/log", "/var/lib", "/var/lib/redis", "/var/spool", "/var/spool/cron",
	"/var/spool/cron/crontabs", "/usr/local", "/usr/local/bin", "/usr/local/lib", "/opt", "/data",
	"/var/www", "/var/www/html", "/usr/lib", "/usr/bin", "/var/lib/jenkins", "/mnt", "/run",
};

static bool directory_there(const struct redis *r, struct bytes path)
{
	if (path.len > 1 && path.at[path.len - 1] == '/')
		path.len--;
	if (bytes_equal_text(path, r->device->directory) || bytes_equal_text(path, ".") ||
	    bytes_equal_text(path, "./"))
		return true;
	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
		if (bytes_equal_text(path, directories[i]))
			return true;
	return false;
}

static const char *yes_or_no(bool b)
{
	return b ? "yes" : "no";
}

static struct bytes setting_default(const struct redis *r, const char *name, const char *value)
{
	if (value)
		return bytes_of_text(value);
	if (!strcmp(name, "dir"))
		return bytes_of_text(r->device->directory);
	if (!strcmp(name, "requirepass"))
		return bytes_of_text(r->device->password);
	if (!strcmp(name, "protected-mode"))
		return bytes_of_text(yes_or_no(r->device->protected_mode));
	if (!strcmp(name, "enable-protected-configs"))
		return bytes_of_text(yes_or_no(r->device->protected_configs));
	if (!strcmp(name, "enable-module-command"))
		return bytes_of_text(yes_or_no(r->device->modules));
	if (!strcmp(name, "port"))
		return BYTES("6379");
	return (struct bytes){0};
}

struct bytes redis_setting(const struct redis *r, const char *name)
{
	for (size_t i = 0; i < r->setting_count; i++)
		if (bytes_equal_nocase(r->settings[i].name, name))
			return r->settings[i].value;
	for (size_t i = 0; i < DEFAULT_COUNT; i++)
		if (!strcmp(defaults[i].name, name))
			return setting_default(r, name, defaults[i].value);
	return (struct bytes){0};
}

static void config_get(const struct redis_call *c)
{
	const struct redis *r = c->redis;
	bool fits[DEFAULT_COUNT] = {0};
	size_t n = 0;
	if (c->count < 3 || (c->count > 3 && !redis_since(r, 7, 0))) {
		reply_error(c, "ERR wrong number of arguments for 'config|get' command");
		return;
	}
	for (size_t i = 0; i < DEFAULT_COUNT; i++) {
		struct bytes name = bytes_of_text(defaults[i].name);
		for (size_t a = 2; a < c->count && !fits[i]; a++)
			fits[i] = bytes_equal_nocase(c->arguments[a], defaults[i].name) ||
				  redis_glob(c->arguments[a], name);
		n += fits[i];
	}
	reply_map(c, n);
	for (size_t i = 0; i < DEFAULT_COUNT; i++) {
		char master[300];
		struct bytes value = redis_setting(r, defaults[i].name);
		if (!fits[i])
			continue;
		reply_text(c, defaults[i].name);
		if (r->master_host.len && strstr(defaults[i].name, "eof") && !value.len) {
			snprintf(master, sizeof master, "%.*s %u", (int)r->master_host.len,
				 (const char *)r->master_host.at, r->master_port);
			value = bytes_of_text(master);
		}
		reply_bulk(c, value);
	}
}

static void config_failed(const struct redis_call *c, const char *name, const char *old, const char *why)
{
	if (redis_since(c->redis, 7, 0))
		reply_error(c, "ERR CONFIG SET failed (possibly related to argument '%s') - %s", name, why);
	else if (old)
		reply_error(c, "ERR %s", old);
	else
		reply_error(c, "ERR Invalid argument for CONFIG SET '%s'", name);
}

/* NULL when Redis would take the value; else it has been answered. */
static bool setting_refused(const struct redis_call *c, const char *name, struct bytes value)
{
	const struct redis *r = c->redis;
	bool path = !strcmp(name, "dir") || !strcmp(name, "dbfilename");
	int64_t n;
	bool digits = value.len && value.at[0] >= '0' && value.at[0] <= '9';
	if (path && redis_since(r, 7, 0) && !r->device->protected_configs)
		config_failed(c, name, NULL, "can't set protected config");
	else if (!strcmp(name, "dir") && !directory_there(r, value))
		config_failed(c, name, "Changing directory: No such file or directory",
			      "No such file or directory");
	else if (!strcmp(name, "dbfilename") && memchr(value.at, '/', value.len))
		config_failed(c, name, "dbfilename can't be a path, just a filename",
			      "dbfilename can't be a path, just a filename");
	else if (!strcmp(name, "maxmemory") && !digits)
		config_failed(c, name, NULL, "argument must be a memory value");
	else if ((!strcmp(name, "databases") || !strcmp(name, "port")) && !redis_number(value, &n))
		config_failed(c, name, NULL, "argument couldn't be parsed into an integer");
	else if (!strcmp(name, "databases") || !strcmp(name, "daemonize") || !strcmp(name, "enable-module-command") ||
		 !strcmp(name, "enable-protected-configs") || !strcmp(name, "cluster-enabled"))
		config_failed(c, name, NULL, "can't set immutable config");
	else
		return false;
	return true;
}

static bool setting_keep(struct session *s, struct redis *r, struct bytes name, struct bytes value)
{
	struct redis_setting *at = NULL;
	for (size_t i = 0; i < r->setting_count && !at; i++)
		if (bytes_equal(r->settings[i].name, name))
			at = &r->settings[i];
	struct bytes kept = arena_copy(session_arena(s), value);
	if ((!at && r->setting_count == REDIS_SETTINGS_MAX) || (value.len && !kept.at))
		return false;
	if (!at) {
		at = &r->settings[r->setting_count++];
		at->name = name;
	}
	at->value = kept;
	return true;
}

static void config_set(const struct redis_call *c)
{
	struct redis *r = c->redis;
	if (c->count < 4) {
		reply_error(c, "ERR wrong number of arguments for 'config|set' command");
		return;
	}
	for (size_t a = 2; a + 1 < c->count; a += 2) {
		const char *name = NULL;
		for (size_t i = 0; i < DEFAULT_COUNT && !name; i++)
			if (bytes_equal_nocase(c->arguments[a], defaults[i].name))
				name = defaults[i].name;
		if (!name || c->count % 2) {
			reply_error(c,
				    redis_since(r, 7, 0)
					    ? "ERR Unknown option or number of arguments for CONFIG SET - '%.*s'"
					    : "ERR Unsupported CONFIG parameter: %.*s",
				    (int)(c->arguments[a].len < 128 ? c->arguments[a].len : 128),
				    (const char *)c->arguments[a].at);
			return;
		}
		if (setting_refused(c, name, c->arguments[a + 1]))
			return;
		setting_keep(c->session, r, bytes_of_text(name), c->arguments[a + 1]);
		if (!strcmp(name, "protected-mode"))
			r->exposed = bytes_equal_nocase(c->arguments[a + 1], "no");
	}
	reply_status(c, "OK");
}

void redis_config(const struct redis_call *c)
{
	if (bytes_equal_nocase(c->arguments[1], "get"))
		config_get(c);
	else if (bytes_equal_nocase(c->arguments[1], "set"))
		config_set(c);
	else if (bytes_equal_nocase(c->arguments[1], "resetstat"))
		reply_status(c, "OK");
	else if (bytes_equal_nocase(c->arguments[1], "rewrite") && !*c->redis->device->config_file)
		reply_error(c, "ERR The server is running without a config file");
	else if (bytes_equal_nocase(c->arguments[1], "rewrite"))
		reply_status(c, "OK");
	else
		reply_error(c,
			    redis_since(c->redis, 7, 0)
				    ? "ERR unknown subcommand '%.*s'. Try CONFIG HELP."
				    : "ERR Unknown subcommand or wrong number of arguments for '%.*s'. Try CONFIG HELP.",
			    (int)(c->arguments[1].len < 128 ? c->arguments[1].len : 128),
			    (const char *)c->arguments[1].at);
}

void redis_save(const struct redis_call *c)
{
	struct redis *r = c->redis;
	char path[PATH_LENGTH_MAX];
	struct bytes directory = redis_setting(r, "dir"), name = redis_setting(r, "dbfilename");
	struct arena scratch = ARENA(DUMP_MAX + 4096);
	size_t size = 256;
	r->saved_us = session_time_us(c->session);
	if (!r->changes)
		return;
	for (const struct redis_key *k = r->keys; k; k = k->next) {
		size += k->name.len + k->value.len + 32;
		for (const struct redis_item *i = k->items; i; i = i->next)
			size += i->field.len + i->value.len + 16;
	}
	if (size > DUMP_MAX)
		size = DUMP_MAX;
	uint8_t *room = arena_alloc(&scratch, size);
	if (!room)
		return;
	struct writer w = writer_of(room, size), p = writer_of(path, sizeof path);
	redis_dump(r, session_time_us(c->session), &w);
	write_span(&p, directory);
	if (!directory.len || directory.at[directory.len - 1] != '/')
		write_text(&p, "/");
	write_span(&p, name);
	session_capture(c->session, writer_bytes(&w), writer_bytes(&p), (struct bytes){0}, "redis-save");
	arena_done(&scratch);
	r->changes = 0;
}
