#include "cli/ask.h"
#include "bus/client.h"
#include "bus/parent.h"
#include "cli/offline.h"
#include <stdlib.h>

#define GRACE_MS 30000 /* on top of the time that a question may take: others stand before it */

int question_begin(struct question *q, const struct arguments *a, struct fault *fault)
{
	static struct config config;
	int bad = command_config(a, &config, fault);
	if (!bad && run_state_path(&config, q->state, sizeof q->state))
		bad = fault_set(fault, ERR_BAD, "run.state: the path is too long");
	if (bad)
		return bad;
	q->config = &config;
	offline_program(q->state);
	return 0;
}

int question_ask(const struct question *q, const char *format, struct bytes sql, bool private_too,
	       bool (*part)(void *, struct bytes), void *arg, struct fault *fault)
{
	const struct store_options *o = config_section(q->config, "store");
	const unsigned wait_ms_max = (unsigned)o->query.time_ms + GRACE_MS;
	const enum answer_format f = (enum answer_format)answer_format_find(format);
	uint8_t *room = malloc(QUESTION_MAX);
	if (!room)
		return fault_set(fault, ERR_MEMORY, "query: out of memory");
	struct writer w = writer_of(room, QUESTION_MAX);
	question_write(&w, sql, f, private_too);
	int bad = client_request(q->state, "store", TOPIC_QUERY, writer_bytes(&w), part, arg, wait_ms_max, fault);
	free(room);
	if (bad == ERR_TIMEOUT)
		fault_set(fault, bad, "query: the store did not answer within %u s; kansoku's log says whether it "
				      "is up, store.query.time allows longer questions", wait_ms_max / 1000);
	if (bad == ERR_GONE && !offline_running(q->state))
		bad = offline_ask(q->state, q->config, sql, f, private_too, part, arg, fault);
	return bad;
}
