/* The registry of probes: by name, by port, and by what a host says. */
#include "active/probe.h"

/*
 * TCP ports of controllers and substations for which there is no probe here, as their makers
 * and IANA name them: some of these devices stop when they are asked in another protocol.
 */
static const uint16_t industrial_ports[] = {
	789,   /* Red Lion Crimson */
	1089,  /* Foundation Fieldbus HSE: 1089 to 1091 */
	1090,  1091,
	1962,  /* Phoenix Contact PC Worx */
	2455,  /* CODESYS 2 */
	4000,  /* Emerson ROC */
	4840,  /* OPC UA */
	5006,  /* Mitsubishi MELSEC-Q: 5006, 5007 */
	5007,
	5094,  /* HART-IP */
	9600,  /* Omron FINS */
	11740, /* CODESYS 3: 11740 to 11743 */
	11741, 11742, 11743,
	18245, /* GE SRTP */
	18246,
	20547, /* ProConOS */
	34962, /* PROFINET: 34962 to 34964 */
	34963, 34964,
	55000, /* FL-net: 55000 to 55003 */
	55001, 55002, 55003,
};

const struct probe *probe_find(struct bytes name)
{
	PROBES_EACH(p)
		if (bytes_equal_text(name, (*p)->name))
			return *p;
	return NULL;
}

static bool probe_has_port(const struct probe *p, uint32_t port)
{
	if ((p->transport == PROBE_UDP) != port_is_udp(port))
		return false;
	for (size_t i = 0; i < PROBE_PORTS_MAX && p->ports[i]; i++)
		if (p->ports[i] == port_number(port))
			return true;
	return false;
}

/* The linker's order is not ours: names decide, so that every build asks the same. */
static bool probe_is_before(const struct probe *a, const struct probe *b)
{
	return !b || strcmp(a->name, b->name) < 0;
}

const struct probe *probe_for_port(uint32_t port)
{
	const struct probe *best = NULL;
	PROBES_EACH(p)
		if (probe_has_port(*p, port) && probe_is_before(*p, best))
			best = *p;
	return best;
}

const struct probe *probe_fallback(void)
{
	PROBES_EACH(p)
		if ((*p)->fallback)
			return *p;
	return NULL;
}

const struct probe *probe_recognising(struct bytes first, unsigned tier)
{
	const struct probe *best = NULL;
	PROBES_EACH(p) {
		const struct probe *it = *p;
		if (it->transport == PROBE_TCP && it->recognises && it->tier <= tier &&
		    probe_is_before(it, best) && it->recognises(first))
			best = it;
	}
	return best;
}

bool port_is_industrial(uint32_t port)
{
	PROBES_EACH(p)
		if ((*p)->industrial && probe_has_port(*p, port))
			return true;
	for (size_t i = 0; i < sizeof industrial_ports / sizeof *industrial_ports; i++)
		if (industrial_ports[i] == port_number(port))
			return true;
	return false;
}
