#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/trial/talk.h"

enum { IAC = 255, DONT = 254, DO = 253, WONT = 252, WILL = 251, SB = 250, SE = 240, NAWS = 31 };
enum { PHASE_USER, PHASE_PASSWORD, PHASE_RESULT };
enum { DROPPER_PIECE = 64, CREDENTIALS_MAX = 512 };

static bool credential_listed(const struct dictionary *d, const char *user, const char *password)
{
	for (size_t i = 0; i < d->right_count; i++)
		if (strcmp(d->right[i].user, user) == 0 &&
		    strcmp(d->right[i].password, password) == 0)
			return true;
	return false;
}

static size_t credentials_read(struct credential *to, const char *path,
                               const struct dictionary *skip)
{
	struct lines lines = {.path = path, .rest = text_read(path).at};
	size_t count = 0;
	char *line;

	while ((line = lines_next(&lines))) {
		char *user = strsep(&line, " ");

		if (!line || *user == '#')
			continue;
		if (count == CREDENTIALS_MAX)
			lines_fail(&lines, "more than %d credentials", CREDENTIALS_MAX);
		if (!skip || !credential_listed(skip, user, line))
			to[count++] = (struct credential){user, line};
	}
	if (!count)
		lines_fail(&lines, "no \"user password\" line");
	return count;
}

void dictionary_read(struct dictionary *d, const char *path, const char *accepted)
{
	d->right = text_room(CREDENTIALS_MAX, sizeof(*d->right));
	d->wrong = text_room(CREDENTIALS_MAX, sizeof(*d->wrong));
	d->right_count = credentials_read(d->right, accepted, NULL);
	d->wrong_count = credentials_read(d->wrong, path, d);
}

static void word_draw(char *word, char first, struct chance *chance)
{
	for (int i = 0; i < 6; i++)
		word[i] = (char)(first + chance_below(chance, 26));
	word[6] = '\0';
}

/* Those who get in need one to three tries, those who do not give up after three. */
void talk_begin(struct talk *t, const struct bot *bot, uint32_t source, const struct dictionary *d,
                struct chance *chance)
{
	uint32_t luck = chance_below(chance, 10);

	memset(t, 0, offsetof(struct talk, heard));
	t->bot = bot;
	t->source = source;
	t->tries_wanted = bot->visitor || luck == 0 ? 3 : luck < 4 ? 2 : 1;
	for (int i = 0; i < t->tries_wanted; i++)
		t->login[i] = d->wrong[chance_below(chance, (uint32_t)d->wrong_count)];
	if (!bot->visitor)
		t->login[t->tries_wanted - 1] =
		        d->right[chance_below(chance, (uint32_t)d->right_count)];
	word_draw(t->token, 'A', chance);
	word_draw(t->name, 'a', chance);
}

static void say(struct talk *t, const char *bytes, size_t size)
{
	if (t->said_size + size > SAID_MAX)
		size = SAID_MAX - t->said_size;
	memcpy(t->said + t->said_size, bytes, size);
	t->said_size += size;
}

/* A piece of the program that hex droppers write with echo: an ELF header, then bytes of chance. It
 * is the same for every bot of a family, as samples are, and no program. */
static void say_dropper(struct talk *t, unsigned piece)
{
	static const uint8_t head[] = {0x7f, 'E', 'L', 'F', 1, 1, 1,  0, 0, 0, 0, 0,
	                               0,    0,   0,   0,   2, 0, 40, 0, 1, 0, 0, 0};
	struct chance chance = {.state = (uint64_t)t->bot->name[0] << 8 | piece};
	char hex[8];

	for (unsigned i = 0; i < DROPPER_PIECE; i++) {
		uint8_t byte = (uint8_t)chance_next(&chance);

		if (piece == 0 && i < sizeof(head))
			byte = head[i];
		say(t, hex, (size_t)snprintf(hex, sizeof(hex), "\\x%02x", byte));
	}
}

static const char *variable_say(struct talk *t, const char *at)
{
	char host[32];

	if (strncmp(at, "$TOKEN", 6) == 0) {
		say(t, t->token, strlen(t->token));
		return at + 6;
	}
	if (strncmp(at, "$NAME", 5) == 0) {
		say(t, t->name, strlen(t->name));
		return at + 5;
	}
	if (strncmp(at, "$HOST", 5) == 0) {
		/* A family has a few servers, and a bot knows one of them. */
		snprintf(host, sizeof(host), "11.%u.%u.7", 3 + (unsigned)t->bot->name[0],
		         t->source & 7);
		say(t, host, strlen(host));
		return at + 5;
	}
	if (strncmp(at, "$HEX", 4) == 0) {
		say_dropper(t, (unsigned)(at[4] - '0'));
		return at + 5;
	}
	say(t, at, 1);
	return at + 1;
}

static void say_step(struct talk *t, const struct text *text)
{
	for (const char *at = text->at, *end = text->at + text->size; at < end;) {
		const char *next = memchr(at, '$', (size_t)(end - at));

		if (!next)
			next = end;
		say(t, at, (size_t)(next - at));
		at = next < end ? variable_say(t, next) : end;
	}
	t->heard_size = 0;
	t->rounds++;
}

static bool heard(const struct talk *t, const struct text *text)
{
	char wanted[256];
	size_t token = strlen(t->token);

	if (text->size >= 6 && text->size < 200 && memcmp(text->at, "$TOKEN", 6) == 0) {
		memcpy(wanted, t->token, token);
		memcpy(wanted + token, text->at + 6, text->size - 6);
		return memmem(t->heard, t->heard_size, wanted, text->size - 6 + token) != NULL;
	}
	return memmem(t->heard, t->heard_size, text->at, text->size) != NULL;
}

static bool heard_word(const struct talk *t, const char *word)
{
	return memmem(t->heard, t->heard_size, word, strlen(word)) != NULL;
}

/* Bots take the last visible character for a prompt's end (Mirai's loader looks for : > $ # %). */
static bool heard_prompt(const struct talk *t)
{
	size_t at = t->heard_size;

	while (at && (t->heard[at - 1] == ' ' || t->heard[at - 1] == '\0'))
		at--;
	return at && strchr(">$#%", t->heard[at - 1]);
}

static enum talk_end fail(struct talk *t, enum talk_fault fault)
{
	t->fault = fault;
	return TALK_FAILED;
}

static void login_say(struct talk *t, const char *word)
{
	say(t, word, strlen(word));
	say(t, "\r\n", 2);
	t->heard_size = 0;
	t->phase++;
}

/* True when something was done, so the talk goes on at once. */
static bool login_step(struct talk *t, enum talk_end *end)
{
	switch (t->phase) {
	case PHASE_USER:
		if (!heard_word(t, "ogin:") && !heard_word(t, "sername:"))
			return false;
		login_say(t, t->login[t->tries].user);
		t->rounds++;
		return true;
	case PHASE_PASSWORD:
		if (!heard_word(t, "assword:"))
			return false;
		login_say(t, t->login[t->tries].password);
		t->rounds++;
		return true;
	default:
		if (heard_word(t, "ncorrect") || heard_word(t, "ogin:")) {
			t->phase = PHASE_USER;
			if (++t->tries < t->tries_wanted)
				return true;
			*end = t->bot->visitor ? TALK_DONE : fail(t, FAULT_LOGIN);
			return false;
		}
		if (!heard_prompt(t))
			return false;
		t->logged_in = true;
		t->step++;
		return true;
	}
}

static bool await_step(struct talk *t, const struct step *step, enum talk_end *end)
{
	const struct bot *bot = t->bot;
	size_t next = t->step + 1;
	size_t target = 0;

	for (; next < bot->step_count; next++) {
		const struct step *watch = &bot->steps[next];

		if (watch->kind != STEP_SEEN && watch->kind != STEP_NEVER)
			break;
		if (heard(t, &watch->text) || t->seen & 1u << (next - t->step)) {
			t->seen |= 1u << (next - t->step);
			if (watch->kind == STEP_NEVER) {
				*end = fail(t, FAULT_NEVER);
				return false;
			}
			target = target ? target : (size_t)watch->target;
		}
	}
	if (step->text.size && (heard(t, &step->text) || t->seen & 1u))
		t->seen |= 1u;
	else if (step->text.size)
		return false;
	if (step->kind == STEP_AWAIT && !heard_prompt(t))
		return false;
	t->step = target ? target : next;
	t->seen = 0;
	return true;
}

static bool step_take(struct talk *t, enum talk_end *end)
{
	const struct step *step = &t->bot->steps[t->step];

	switch (step->kind) {
	case STEP_OPTIONS:
		t->step += t->negotiated;
		return t->negotiated;
	case STEP_LOGIN:
	case STEP_FAIL_LOGIN:
		return login_step(t, end);
	case STEP_SEND:
		say_step(t, &step->text);
		t->step++;
		return true;
	case STEP_AWAIT:
	case STEP_HEAR:
		return await_step(t, step, end);
	case STEP_GOTO:
		t->step = (size_t)step->target;
		return true;
	case STEP_LEAVE:
		*end = TALK_DONE;
		return false;
	default:
		t->step++;
		return true;
	}
}

/* The answer that the bots' own option code gives: yes to the window size, no to what the server
 * asks of us, yes to what it offers (Mirai's consume_iacs; Gafgyt's negotiate does the same). */
static void option_answer(struct talk *t, const uint8_t option[3])
{
	static const char window[] = "\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0";
	uint8_t answer[3] = {IAC, option[1] == DO ? WONT : DO, option[2]};

	t->negotiated = true;
	if (t->bot->mute || option[1] == WONT || option[1] == DONT)
		return;
	if (option[1] == DO && option[2] == NAWS)
		say(t, window, sizeof(window) - 1);
	else
		say(t, (const char *)answer, sizeof(answer));
}

/* Takes telnet options out of the stream; a 255 that is data comes doubled (RFC 854). */
static void heard_add(struct talk *t, uint8_t byte)
{
	if (t->heard_size == HEARD_MAX) {
		memmove(t->heard, t->heard + HEARD_MAX - HEARD_KEPT, HEARD_KEPT);
		t->heard_size = HEARD_KEPT;
	}
	t->heard[t->heard_size++] = (char)byte;
}

static void byte_take(struct talk *t, uint8_t byte)
{
	if (!t->pending_count && byte != IAC) {
		heard_add(t, byte);
		return;
	}
	t->pending[t->pending_count++] = byte;
	if (t->pending_count == 2 && byte == IAC)
		heard_add(t, byte);
	else if (t->pending_count == 3)
		option_answer(t, t->pending);
	else if (t->pending_count == 1 || (byte >= WILL && byte != IAC))
		return;
	t->pending_count = 0;
}

enum talk_end talk_hear(struct talk *t, const uint8_t *bytes, size_t size)
{
	enum talk_end end = TALK_GOES_ON;

	/* In slices, so that what is waited for is seen before a long output pushes it out. */
	do {
		size_t slice = size < HEARD_KEPT ? size : HEARD_KEPT;

		for (size_t i = 0; i < slice; i++)
			byte_take(t, bytes[i]);
		bytes += slice;
		size -= slice;
		while (end == TALK_GOES_ON) {
			if (t->step == t->bot->step_count)
				return TALK_DONE;
			if (!step_take(t, &end))
				break;
		}
	} while (size && end == TALK_GOES_ON);
	return end;
}

enum talk_end talk_closed(struct talk *t)
{
	const struct step *step = &t->bot->steps[t->step];

	/* Telnet servers end the connection after some wrong passwords. */
	if (t->step < t->bot->step_count && step->kind == STEP_FAIL_LOGIN &&
	    t->phase == PHASE_RESULT)
		return TALK_DONE;
	return fail(t, FAULT_CLOSED);
}
