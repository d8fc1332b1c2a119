/*
 * Telnet: what a device says before anyone logs in.
 *
 * Every option that the host offers or wants is refused once (RFC 1143: so neither side
 * can loop), because some devices hold their prompt back until they are answered; nothing
 * else is ever sent, least of all a name or a password.  The order of the options tells
 * telnet servers apart, so it is kept by itself and stripped from the banner.
 *
 * A prompt ends the look.  Hosts that end with something else are given idle_ms.
 */
#include "active/probe.h"

#define BANNER_MAX 2048
#define OPTIONS_TEXT_MAX 512
#define REFUSALS_MAX 64

enum { SE = 240, SB = 250, WILL = 251, WONT = 252, DO = 253, DONT = 254, IAC = 255 };

enum telnet_place { IN_TEXT, AFTER_IAC, AFTER_VERB, IN_SUB, IN_SUB_IAC };

struct telnet {
	enum telnet_place place;
	uint8_t verb;
	uint8_t refusals;
	uint16_t banner_len, options_len;
	bool prompted, talks_telnet;
	uint64_t refused[2][4]; /* bit per option: offers, wishes */
	uint8_t banner[BANNER_MAX];
	char options[OPTIONS_TEXT_MAX];
};

FIELD(TELNET_OPTIONS, "telnet.options", TEXT, 0, "options in the order of the host's negotiation");
FIELD(TELNET_PROMPT, "telnet.prompt", BOOL, 0, "whether it ended in a prompt for a name or password");

static void telnet_note(struct telnet *t, uint8_t verb, uint8_t option)
{
	static const char *const verbs[] = {"will", "wont", "do", "dont"};
	size_t room = sizeof t->options - t->options_len;
	int n = snprintf(t->options + t->options_len, room, "%s%s:%u", t->options_len ? " " : "",
			 verbs[verb - WILL], option);
	if (n > 0 && (size_t)n < room)
		t->options_len += (uint16_t)n;
	t->options[t->options_len] = '\0';
}

static void telnet_refuse(struct asking *a, struct telnet *t, uint8_t option)
{
	bool offer = t->verb == WILL;
	telnet_note(t, t->verb, option);
	if (t->verb != WILL && t->verb != DO)
		return;
	uint64_t *seen = &t->refused[offer][option / 64], bit = (uint64_t)1 << option % 64;
	if (*seen & bit || t->refusals == REFUSALS_MAX)
		return;
	*seen |= bit;
	t->refusals++;
	uint8_t answer[] = {IAC, offer ? DONT : WONT, option};
	asking_say_bytes(a, (struct bytes){answer, sizeof answer});
}

static void telnet_text(struct telnet *t, uint8_t c)
{
	/* CR NUL is how NVT says a bare CR (RFC 854). */
	if (c != 0 && t->banner_len < BANNER_MAX)
		t->banner[t->banner_len++] = c;
}

static void telnet_take(struct asking *a, struct telnet *t, uint8_t c)
{
	switch (t->place) {
	case IN_TEXT:
		if (c == IAC)
			t->place = AFTER_IAC;
		else
			telnet_text(t, c);
		break;
	case AFTER_IAC:
		t->verb = c;
		t->talks_telnet |= c >= SE && c < IAC;
		t->place = c >= WILL && c <= DONT ? AFTER_VERB : c == SB ? IN_SUB : IN_TEXT;
		if (c == IAC)
			telnet_text(t, c);
		break;
	case AFTER_VERB:
		telnet_refuse(a, t, c);
		t->place = IN_TEXT;
		break;
	case IN_SUB: /* we agreed to nothing, so whatever stands here is not for us */
		t->place = c == IAC ? IN_SUB_IAC : IN_SUB;
		break;
	case IN_SUB_IAC:
		t->place = c == SE ? IN_TEXT : IN_SUB;
		break;
	}
}

/*
 * Does the last line ask for an account?  Only words that nothing else follows.  What stands
 * behind the colon is dropped: whether it came in the same segment must not matter.
 */
static bool telnet_prompts(struct telnet *t)
{
	static const char *const words[] = {"login:", "username:", "user name:", "user:",
					    "account:", "password:", "passwd:", "user id:"};
	struct bytes b = bytes_trim((struct bytes){t->banner, t->banner_len});
	/* Some colour their prompt: the sequence that ends it stands behind the word. */
	for (size_t back = 0; b.len && back < 8 && b.at[b.len - 1] != ':'; back++)
		b.len--;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		size_t n = strlen(words[i]);
		if (b.len >= n && bytes_equal_nocase((struct bytes){b.at + b.len - n, n}, words[i])) {
			t->banner_len = (uint16_t)(b.at + b.len - t->banner);
			return true;
		}
	}
	return false;
}

static enum probe_next telnet_input(struct asking *a, void *state, struct reader *r)
{
	struct telnet *t = state;
	struct bytes b = read_rest(r);
	for (size_t i = 0; i < b.len; i++)
		telnet_take(a, t, b.at[i]);
	t->prompted = t->place == IN_TEXT && telnet_prompts(t);
	return t->prompted || t->banner_len == BANNER_MAX ? PROBE_DONE : PROBE_CONTINUE;
}

static void telnet_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	struct telnet *t = state;
	(void)unread;
	if (t->banner_len) {
		struct bytes banner = {t->banner, t->banner_len};
		event_set_bytes(answer, FIELD_BANNER, banner);
		asking_signal(a, "telnet.banner", banner);
	}
	if (t->options_len)
		event_set_text(answer, TELNET_OPTIONS, t->options);
	if (t->talks_telnet || t->prompted)
		event_set_bool(answer, TELNET_PROMPT, t->prompted);
}

static const char *const telnet_signals[] = {"telnet.banner", NULL};

static const struct specimen telnet_specimens[] = {
	{
		.title = "BusyBox telnetd: options, then a prompt",
		.answers = {BYTES("\xff\xfd\x01\xff\xfd\x1f\xff\xfb\x01\xff\xfb\x03"
				  "\r\nnetwork-camera login: ")},
		.asked = BYTES("\xff\xfc\x01\xff\xfc\x1f\xff\xfe\x01\xff\xfe\x03"),
		.answered = "{\"banner\":\"\\r\\nnetwork-camera login:\",\"telnet.prompt\":true,"
			    "\"telnet.options\":\"do:1 do:31 will:1 will:3\"}\n",
		.signals = "telnet.banner: network-camera login:\n",
	},
	{
		.title = "the same option asked again is not answered again",
		.answers = {BYTES("\xff\xfd\x01\xff\xfd\x01\xff\xfd\x01")},
		.asked = BYTES("\xff\xfc\x01"),
		.answered = "{\"telnet.options\":\"do:1 do:1 do:1\",\"telnet.prompt\":false}\n",
	},
	{
		.title = "a subnegotiation is skipped, a doubled IAC is a byte, CR NUL a CR",
		.answers = {BYTES("\xff\xfa\x18\x01 secret \xff\xff\xff\xf0"
				  "a\xff\xff\r\0b > ")},
		.asked = BYTES(""),
		.answered = "{\"banner\":\"a\\u00ff\\rb > \",\"telnet.prompt\":false}\n",
		.signals = "telnet.banner: a\xff\rb >\n",
	},
	{
		.title = "a prompt that ends in a colour",
		.answers = {BYTES("Welcome\r\n\x1b[1mUsername:\x1b[0m ")},
		.asked = BYTES(""),
		.answered = "{\"telnet.prompt\":true}\n",
		.signals = "telnet.banner: Welcome\r\n\x1b[1mUsername:\n",
	},
	{
		.title = "a host that says nothing",
		.answers = {BYTES("")},
		.asked = BYTES(""),
		.answered = "{}\n",
	},
	{0},
};

/* A negotiation, or the prompt of a server that negotiates nothing. */
static bool telnet_recognises(struct bytes first)
{
	bool negotiates = first.len >= 3 && first.at[0] == IAC && first.at[1] >= WILL && first.at[1] <= DONT;
	struct telnet said = {.banner_len = (uint16_t)(first.len < BANNER_MAX ? first.len : BANNER_MAX)};
	memcpy(said.banner, first.at, said.banner_len);
	return negotiates || telnet_prompts(&said);
}

static const struct probe telnet = {
	.name = "telnet",
	.summary = "refuses every option and reads up to the prompt; never a credential",
	.reference = "RFC 854, RFC 1143",
	.transport = PROBE_TCP,
	.ports = {23, 2323},
	.tier = PROBE_DEFAULT,
	.question_max = 3 * REFUSALS_MAX,
	.answer_max = 8192,
	.time_ms_max = 10000,
	.idle_ms = 3000,
	.connections_max = 1,
	.server_first = true,
	.recognises = telnet_recognises,
	.state_size = sizeof(struct telnet),
	.input = telnet_input,
	.finish = telnet_finish,
	.signals = telnet_signals,
	.specimens = telnet_specimens,
};
PROBE(telnet);
