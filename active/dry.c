/* What a probe would say to a host, shown instead of sent: the same code speaks as in a look. */
#include "active/active.h"
#include "active/prober/asking_inner.h"
#include "active/settings_inner.h"
#include <stdlib.h>

struct dry_stage {
	uint8_t scratch[PROBE_ANSWER_MAX];
	uint8_t asked[PROBE_QUESTION_MAX];
	struct event answer;
	struct prober_settings settings;
};

static const struct probe *probe_of(const struct prober_settings *s, uint32_t port, uint32_t *to)
{
	*to = port;
	for (size_t i = 0; i < s->port_count; i++) {
		if (s->ports[i].port != port)
			continue;
		if (s->ports[i].to)
			*to = s->ports[i].to;
		if (s->ports[i].probe)
			return s->ports[i].probe;
	}
	return probe_for_port(port);
}

static void collect(struct asking *a, struct writer *w)
{
	for (struct bytes said; (said = asking_unsent(a)).len; asking_sent(a, said.len))
		write_span(w, said);
}

/* Against a host that says nothing: what is asked at once, or after its silence. */
static int play(struct dry_stage *stage, const struct probe *probe, const struct address *target, uint32_t port,
		struct writer *asked)
{
	const struct prober_options options = prober_settings_options(&stage->settings);
	struct signals signals = {0};
	struct asking a;
	if (asking_begin(&a, probe, &options.settings, NULL, &signals, writer_of(stage->scratch, sizeof stage->scratch)) < 0)
		return ERR_MEMORY;
	a.target = *target;
	a.port = port_number(port);
	a.rehearsed = true;
	if (asking_open(&a) == PROBE_CONTINUE && asking_unsent(&a).len == 0)
		asking_quiet(&a);
	collect(&a, asked);
	asking_done(&a);
	signals_done(&signals);
	return 0;
}

int active_dry_question(const struct config *config, const struct address *target, uint32_t port, unsigned tier,
			void (*told)(void *arg, const struct dry_question *), void *arg, struct fault *fault)
{
	struct dry_stage *stage = calloc(1, sizeof *stage);
	if (!stage)
		return fault_set(fault, ERR_MEMORY, "no memory");
	struct dry_question q = {0};
	struct writer asked = writer_of(stage->asked, sizeof stage->asked);
	int bad = prober_settings_read(config, &stage->settings, fault);
	const struct probe *probe = bad ? NULL : probe_of(&stage->settings, port, &q.to);
	if (probe) {
		q.probe = probe->name;
		q.summary = probe->summary;
		q.reference = probe->reference;
		q.tier = probe->tier;
		q.connections_max = probe->connections_max;
		q.secure = probe->secure;
		q.opt_in = probe->tier > tier;
		q.question_max = probe->question_max;
		q.answer_max = probe->answer_max;
		q.time_ms_max = probe->time_ms_max;
		bad = play(stage, probe, target, q.to, &asked);
		q.asked = writer_bytes(&asked);
	}
	if (!bad)
		told(arg, &q);
	free(stage);
	return bad;
}
