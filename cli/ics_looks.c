#include "cli/ics_looks.h"
#include "bus/client.h"
#include "event/event.h"
#include <jansson.h>
#include <stdlib.h>

#define PORTS_MAX 12 /* of one look (control/policy.h) */
#define WAIT_MS 10000

struct wish {
	uint16_t port;
	bool udp;
};

static size_t wish_add(struct wish *list, size_t count, uint16_t port, bool udp)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].port == port && list[i].udp == udp)
			return count;
	if (port == 0 || count == PORTS_MAX)
		return count;
	list[count] = (struct wish){port, udp};
	return count + 1;
}

/* A controller's port is asked by its own protocol's probe or not at all, whoever names it. */
static bool may_be_asked(uint16_t port, bool udp)
{
	const struct ics_protocol *tcp = ics_protocol_at_port(port, false), *p = udp ? ics_protocol_at_port(port, true) : tcp;
	return p ? ics_protocol_is_asked(p, port) : !udp;
}

/* The controller's first, then what the scan had open, then what it asked of others. */
static size_t wishes_of(const struct ics_host *h, struct wish list[PORTS_MAX])
{
	size_t count = 0;
	for (int industrial = 1; industrial >= 0; industrial--)
		for (size_t i = 0; i < h->claim_count; i++) {
			const struct ics_claim *c = &h->claims[i];
			if (industrial == (c->protocol != NULL) && (!c->protocol || ics_protocol_is_asked(c->protocol, c->port)) &&
			    may_be_asked(c->port, c->udp))
				count = wish_add(list, count, c->port, c->udp);
		}
	for (size_t i = 0; i < h->row.dark_count; i++)
		if (!h->row.dark[i].udp && !h->row.dark[i].icmp && may_be_asked(h->row.dark[i].port, false))
			count = wish_add(list, count, h->row.dark[i].port, false);
	return count;
}

static json_t *question_of(const struct ics_host *h)
{
	struct wish list[PORTS_MAX];
	const size_t count = wishes_of(h, list);
	json_t *ports = json_array();
	char why[200];
	for (size_t i = 0; i < count; i++)
		json_array_append_new(ports, json_sprintf("%u%s", list[i].port, list[i].udp ? "/udp" : ""));
	snprintf(why, sizeof why, "an imported record claims %s, and %llu packets of it met %llu dark addresses",
		 h->protocol ? h->protocol->name : "a controller", (unsigned long long)h->packets, (unsigned long long)h->destinations);
	return json_pack("{s:s, s:s, s:i, s:o, s:s, s:s, s:s}", "target", h->row.name, "basis", "survey", "tier", 2, "ports", ports,
			 "record", h->record, "why", why, "pap", h->pap);
}

static bool print_decision(void *arg, struct bytes part)
{
	const struct ics_host *h = arg;
	json_t *answer = json_loadb((const char *)part.at, part.len, 0, NULL);
	const char *decision = json_string_value(json_object_get(answer, "decision"));
	const char *detail = json_string_value(json_object_get(answer, "detail"));
	printf("%-16s %-11s %-9s %s\n", h->row.name, h->row.protocol, decision ? decision : "?", detail ? detail : "");
	json_decref(answer);
	return true;
}

int ics_looks_ask(const char *state, const struct ics_study *s, struct fault *fault)
{
	int bad = 0;
	for (size_t i = 0; i < ics_study_count(s) && !bad; i++) {
		struct ics_host h = *ics_study_at(s, i);
		if (h.stage != ICS_TO_LOOK)
			continue;
		json_t *question = question_of(&h);
		char *text = question ? json_dumps(question, JSON_COMPACT) : NULL;
		bad = text ? client_request(state, "control", "look.ask", bytes_of_text(text), print_decision, &h, WAIT_MS, fault)
			   : fault_set(fault, ERR_MEMORY, "no memory for a question");
		free(text);
		json_decref(question);
	}
	return bad;
}
