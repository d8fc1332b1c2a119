/* What no single machine does: seen from all that a host said, and from which ports. */
#include "active/identify/giveaway_inner.h"

#define SAME_ANSWER_MIN 4 /* shorter values are alike by chance */

/* Identities that only a controller, or somebody who plays one, gives. */
static const char *const controllers[] = {
	"modbus.identity", "s7.identity", "bacnet.identity", "fox.identity", "enip.identity",
	"dnp3.identity", "iec104.identity", "fins.identity", "atg.identity",
};

static uint32_t controllers_of(const struct giveaway_host *h, struct writer *detail)
{
	uint32_t seen = 0;
	for (size_t i = 0; i < h->signal_count; i++)
		for (size_t k = 0; k < sizeof controllers / sizeof *controllers; k++) {
			if (seen & 1u << k || !bytes_equal_text(h->signals[i].key, controllers[k]))
				continue;
			seen |= 1u << k;
			write_fmt(detail, "%s%s", writer_used(detail) ? ", " : "", controllers[k]);
		}
	return seen;
}

static bool is_open(const struct giveaway_host *h, uint16_t port)
{
	for (size_t i = 0; i < h->port_count; i++)
		if (h->ports[i].port == port)
			return h->ports[i].open;
	return false;
}

static bool every_port(const struct giveaway_host *h, uint64_t least, struct writer *detail)
{
	for (size_t i = 0; i < h->port_count; i++)
		if (!h->ports[i].open)
			return false;
	write_fmt(detail, "%zu of %zu ports", h->port_count, h->port_count);
	return h->port_count >= (least ? least : 1);
}

static bool all_ports(const struct giveaway_rule *rule, const struct giveaway_host *h, struct writer *detail)
{
	for (size_t i = 0; i < rule->port_count; i++) {
		if (!is_open(h, rule->ports[i]))
			return false;
		write_fmt(detail, "%s%u", i ? ", " : "", (unsigned)rule->ports[i]);
	}
	return true;
}

/* A workstation's or server's Linux; what an embedded one runs says dropbear or another name. */
static bool server_ssh(const struct giveaway_host *h, struct writer *detail)
{
	for (size_t i = 0; i < h->signal_count; i++) {
		const struct giveaway_signal *s = &h->signals[i];
		if (!bytes_equal_text(s->key, "ssh.banner"))
			continue;
		if (bytes_find_nocase(s->value, "debian") < s->value.len ||
		    bytes_find_nocase(s->value, "ubuntu") < s->value.len) {
			write_fmt(detail, ", ssh.banner@%u", (unsigned)s->port);
			return true;
		}
	}
	return false;
}

static bool linux_controller(const struct giveaway_host *h, struct writer *detail)
{
	for (size_t i = 0; i < h->port_count; i++)
		if (h->ports[i].open && h->ports[i].linux_options && h->ports[i].window > 32767) {
			write_fmt(detail, ", window %u", (unsigned)h->ports[i].window);
			return true;
		}
	return false;
}

static struct bytes protocol_of(struct bytes key)
{
	const uint8_t *dot = key.len ? memchr(key.at, '.', key.len) : NULL;
	return (struct bytes){key.at, dot ? (size_t)(dot - key.at) : key.len};
}

/* A page, its headers and a certificate of one web server belong together; so do keys of one protocol. */
static bool is_greeting(struct bytes key) { return bytes_find(key, "banner") < key.len; }

static bool same_answer(const struct giveaway_host *h, uint64_t least, struct writer *detail)
{
	for (size_t i = 0; i < h->signal_count; i++) {
		const struct giveaway_signal *a = &h->signals[i];
		size_t alike = 1;
		for (size_t k = i + 1; k < h->signal_count; k++) {
			const struct giveaway_signal *b = &h->signals[k];
			alike += is_greeting(a->key) && is_greeting(b->key) && a->port != b->port &&
				 !bytes_equal(protocol_of(a->key), protocol_of(b->key)) &&
				 bytes_equal(bytes_trim(a->value), bytes_trim(b->value));
		}
		if (a->value.len < SAME_ANSWER_MIN || alike < (least < 2 ? 2 : least))
			continue;
		write_fmt(detail, "%zu protocols as port %u", alike, (unsigned)a->port);
		return true;
	}
	return false;
}

static bool small_window(const struct giveaway_host *h, uint64_t most, struct writer *detail)
{
	for (size_t i = 0; i < h->port_count; i++)
		if (h->ports[i].open && h->ports[i].window && h->ports[i].window <= most) {
			write_fmt(detail, "window %u at port %u", (unsigned)h->ports[i].window,
				  (unsigned)h->ports[i].port);
			return true;
		}
	return false;
}

bool structure_holds(const struct giveaway_rule *rule, const struct giveaway_host *h, struct writer *detail)
{
	switch (rule->structure) {
	case STRUCTURE_EVERY_PORT:
		return every_port(h, rule->least, detail);
	case STRUCTURE_PORTS:
		return all_ports(rule, h, detail);
	case STRUCTURE_CONTROLLERS:
		return (unsigned)__builtin_popcount(controllers_of(h, detail)) >= (rule->least ? rule->least : 1);
	case STRUCTURE_SERVER_CONTROLLER:
		return controllers_of(h, detail) && server_ssh(h, detail);
	case STRUCTURE_HOSTED_CONTROLLER:
		return h->hosting && controllers_of(h, detail);
	case STRUCTURE_LINUX_CONTROLLER:
		return controllers_of(h, detail) && linux_controller(h, detail);
	case STRUCTURE_SAME_ANSWER:
		return same_answer(h, rule->least, detail);
	case STRUCTURE_SMALL_WINDOW:
		return small_window(h, rule->least, detail);
	case STRUCTURE_NONE:
	case STRUCTURE_COUNT:
		break;
	}
	return false;
}
