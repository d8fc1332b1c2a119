#include "active/rehearse.h"
#include "active/prober/asking_inner.h"
#include <stdlib.h>

static const struct probe_settings settings = {
	.agent = "Mozilla/5.0 (compatible; kansoku; +https://example.org/probing)",
	.favicon = true,
	.snmp_public = true,
};

/* Room for scratch and for one event: too large for the stack of a fuzzer. */
struct stage {
	uint8_t scratch[PROBE_ANSWER_MAX];
	struct event answer;
};

static void collect(struct asking *a, struct rehearsal *r)
{
	struct bytes said;
	while ((said = asking_unsent(a)).len) {
		write_span(&r->asked, said);
		asking_sent(a, said.len);
	}
}

static void play(struct asking *a, struct bytes answer, size_t chunk, struct rehearsal *r)
{
	enum probe_next next = asking_open(a);
	collect(a, r);
	while (next == PROBE_CONTINUE && answer.len) {
		size_t n = answer.len < chunk ? answer.len : chunk;
		next = asking_hear(a, (struct bytes){answer.at, n});
		collect(a, r);
		answer.at += n;
		answer.len -= n;
	}
	if (next == PROBE_CONTINUE) {
		asking_quiet(a);
		collect(a, r);
		asking_ended(a);
	}
}

/* One exchange: every answer is a datagram. */
static void play_datagrams(struct asking *a, const struct bytes answers[], size_t count, struct rehearsal *r)
{
	enum probe_next next = asking_open(a);
	collect(a, r);
	for (size_t i = 0; i < count && next == PROBE_CONTINUE; i++) {
		next = asking_hear(a, answers[i]);
		collect(a, r);
	}
	if (next == PROBE_CONTINUE) {
		asking_quiet(a);
		collect(a, r);
	}
}

void probe_rehearse(const struct probe *probe, const struct bytes answers[], size_t count,
		    struct bytes certificate, size_t chunk, struct rehearsal *r)
{
	struct stage *stage = calloc(1, sizeof *stage);
	struct signals signals = {0};
	struct asking a;
	if (!stage || asking_begin(&a, probe, &settings, NULL, &signals,
				   writer_of(stage->scratch, sizeof stage->scratch)) < 0)
		abort();
	a.target = address_v4(0xc0000201); /* 192.0.2.1, RFC 5737 */
	a.port = probe->ports[0];
	a.rehearsed = true;
	a.tier_max = 0; /* this probe alone: nothing is handed over */
	a.certificate = certificate;
	bool again = true;
	bool udp = probe->transport == PROBE_UDP;
	for (size_t i = 0; again && i < (udp ? 1 : count); i++) {
		if (udp)
			play_datagrams(&a, answers, count, r);
		else
			play(&a, answers[i], chunk ? chunk : 1, r);
		event_begin(&stage->answer, EVENT_HOST_ANSWERED);
		again = asking_finish(&a, &stage->answer);
		event_write_json(&stage->answer, &r->answered);
		write_text(&r->answered, "\n");
		r->connections++;
	}
	for (size_t i = 0; i < signals.count; i++) {
		write_span(&r->signals, signal_key(&signals, i));
		write_text(&r->signals, ": ");
		write_span(&r->signals, signal_value(&signals, i));
		write_text(&r->signals, "\n");
	}
	r->overstated = a.overstated;
	asking_done(&a);
	signals_done(&signals);
	free(stage);
}
