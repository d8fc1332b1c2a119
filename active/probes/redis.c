/*
 * Redis: what it says without being asked anything.
 *
 * Every line to Redis is a command, and its answers belong behind a login, so nothing is
 * sent.  One in protected mode (networking.c, since 3.2) refuses strangers in its first
 * line and hangs up; the wording names the range of its versions.  One that is full says
 * so.  One that stays silent is open, or wants a password: which, we do not ask.
 */
#include "active/reading/banner_inner.h"
#include "active/probe.h"

FIELD(REDIS_PROTECTED, "redis.protected", BOOL, 0, "it refuses strangers: no password, but protected mode");

static enum probe_next redis_input(struct asking *a, void *state, struct reader *r)
{
	(void)a;
	(void)state;
	struct bytes line;
	struct reader all = *r;
	return read_line(&all, &line) ? PROBE_DONE : PROBE_CONTINUE;
}

static void redis_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	(void)state;
	struct reader r = reader_of_bytes(unread);
	struct bytes line = unread;
	read_line(&r, &line);
	report_banner(answer, line);
	if (!bytes_start_with(line, "-"))
		return;
	if (bytes_start_with(line, "-DENIED Redis is running in protected mode"))
		event_set_bool(answer, REDIS_PROTECTED, true);
	asking_signal(a, "redis.banner", line);
}

static bool redis_recognises(struct bytes first)
{
	return bytes_start_with(first, "-DENIED Redis") || bytes_start_with(first, "-ERR max number of clients");
}

static const char *const redis_signals[] = {"redis.banner", NULL};

#define DENIED                                                                            \
	"-DENIED Redis is running in protected mode because protected mode is enabled "   \
	"and no password is set for the default user. In this mode connections are only"  \
	" accepted from the loopback interface. If you want to connect from external "    \
	"computers to Redis you may adopt one of the following solutions: 1) Just "       \
	"disable protected mode sending the command 'CONFIG SET protected-mode no' from"  \
	" the loopback interface by connecting to Redis from the same host the server "   \
	"is running, however MAKE SURE Redis is not publicly accessible from internet "   \
	"if you do so. Use CONFIG REWRITE to make this change permanent. 2) "             \
	"Alternatively you can just disable the protected mode by editing the Redis "     \
	"configuration file, and setting the protected mode option to 'no', and then "    \
	"restarting the server. 3) If you started the server manually just for testing,"  \
	" restart it with the '--protected-mode no' option. 4) Setup a an "               \
	"authentication password for the default user. NOTE: You only need to do one of"  \
	" the above things in order for the server to start accepting connections from "  \
	"the outside."

static const struct specimen redis_specimens[] = {
	{
		.title = "protected mode, Redis 7.0",
		.answers = {BYTES(DENIED "\r\n")},
		.asked = BYTES(""),
		.answered = "{\"redis.protected\":true}\n",
		.signals = "redis.banner: " DENIED "\n",
	},
	{
		.title = "no more clients",
		.answers = {BYTES("-ERR max number of clients reached\r\n")},
		.asked = BYTES(""),
		.answered = "{\"banner\":\"-ERR max number of clients reached\"}\n",
		.signals = "redis.banner: -ERR max number of clients reached\n",
	},
	{
		.title = "one that waits for a command is given none",
		.answers = {BYTES("")},
		.asked = BYTES(""),
		.answered = "{}\n",
	},
	{
		.title = "something else on the port",
		.answers = {BYTES("SSH-2.0-x\r\n")},
		.asked = BYTES(""),
		.answered = "{\"banner\":\"SSH-2.0-x\"}\n",
	},
	{0},
};

static const struct probe redis = {
	.name = "redis",
	.summary = "listens only: sends no command and nothing else",
	.reference = "Redis 3.2 to 7.0",
	.transport = PROBE_TCP,
	.ports = {6379},
	.tier = PROBE_DEFAULT,
	.question_max = 0,
	.answer_max = 4096,
	.time_ms_max = 5000,
	.idle_ms = 2000,
	.connections_max = 1,
	.server_first = true,
	.recognises = redis_recognises,
	.input = redis_input,
	.finish = redis_finish,
	.signals = redis_signals,
	.specimens = redis_specimens,
};
PROBE(redis);
