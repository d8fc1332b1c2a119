#include "cli/demo/story_inner.h"
#include "base/clock.h"
#include "bus/client.h"
#include "cli/desk.h"
#include <stdarg.h>
#include <stdio.h>

#define ASK_EVERY_US 2000000u
#define ASK_WAIT_MS 2000
#define ANSWER_MAX (4u << 20)
#define LINE_MAX 512
#define REFUSALS_MAX 10 /* a store that has just begun may take a while */

void story_tell(const struct story *s, const char *device, const char *what, const char *fmt, ...)
{
	double at_s = (double)(clock_mono_us() - s->begun_us) / 1e6;
	char text[LINE_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (!s->options->json) {
		printf("%6.1f s  %-12s %s\n", at_s, device, text);
	} else {
		json_t *line = json_pack("{sfssssss}", "at_s", at_s, "device", device, "what", what,
					 "text", text);
		json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
		putchar('\n');
		json_decref(line);
	}
	fflush(stdout);
}

static bool collect(void *arg, struct bytes part)
{
	return buffer_append(arg, part.at, part.len) == 0;
}

static void tell_rows(struct bytes answer,
		      void (*identified)(void *, const char *, const char *), void *arg)
{
	json_t *report = json_loadb((const char *)answer.at, answer.len, 0, NULL);
	json_t *row;
	size_t i;
	json_array_foreach(json_object_get(json_object_get(report, "parts"), "hosts"), i, row) {
		char verdict[LINE_MAX];
		snprintf(verdict, sizeof verdict, "%s: %s %s", json_text_of(row, "class"),
			 json_text_of(row, "vendor"), json_text_of(row, "product"));
		identified(arg, json_text_of(row, "src"), verdict);
	}
	json_decref(report);
}

void story_ask(struct story *s, uint64_t now_us,
	       void (*identified)(void *, const char *, const char *), void *arg)
{
	struct buffer answer = BUFFER(ANSWER_MAX);
	struct fault fault = {0};
	char question[64];
	struct writer w = writer_of(question, sizeof question);
	if (s->deaf || !s->options->state || now_us - s->asked_us < ASK_EVERY_US)
		return;
	s->asked_us = now_us;
	write_u64(&w, clock_utc_us() - (now_us - s->begun_us));
	write_u64(&w, clock_utc_us() + 1000000);
	write_text(&w, "device-hosts");
	int bad = client_request(s->options->state, "store", "store.report", writer_bytes(&w), collect,
				 &answer, ASK_WAIT_MS, &fault);
	if (!bad)
		tell_rows(buffer_bytes(&answer), identified, arg);
	else if (bad != ERR_TIMEOUT && ++s->refusals == REFUSALS_MAX) {
		s->deaf = true;
		story_tell(s, "kansoku", "deaf", "the store does not say what it knows: %s", fault.text);
	}
	buffer_done(&answer);
}
