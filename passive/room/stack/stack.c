#include "passive/room/stack/stack.h"
#include "base/log.h"
#include "passive/room/kernel/kernel.h"
#include "passive/room/settings.h"
#include "passive/room/stack/filter.h"
#include "passive/room/stack/program.h"
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define COUNTERS_MAX 65536 /* addresses that answered last: each counts its packets */
#define FLOWS_MAX 131072
/* Links to an interface are Linux 6.6; Debian 12's headers are older. */
#define ATTACH_INGRESS 46
#define ATTACH_EGRESS 47

struct stack_maps {
	int fds[STACK_TABLES];
};

static bool tables_open(struct stack_maps *m)
{
	*m = (struct stack_maps){{
		[STACK_TABLE_PREFIXES] = kernel_table_open(BPF_MAP_TYPE_LPM_TRIE, sizeof(struct kernel_prefix),
						    sizeof(struct stack_devices), PASSIVE_DECOYS_MAX, BPF_F_NO_PREALLOC),
		[STACK_TABLE_LOOKS] = kernel_table_open(BPF_MAP_TYPE_ARRAY, 4, sizeof(struct stack_look), STACK_LOOKS_MAX, 0),
		[STACK_TABLE_TERMS] = kernel_table_open(BPF_MAP_TYPE_ARRAY, 4, sizeof(struct stack_terms), 1, 0),
		[STACK_TABLE_IDS] = kernel_table_open(BPF_MAP_TYPE_LRU_HASH, 16, 4, COUNTERS_MAX, 0),
		[STACK_TABLE_FLOWS] = kernel_table_open(BPF_MAP_TYPE_LRU_HASH, sizeof(struct stack_flow),
						 sizeof(struct stack_flow_state), FLOWS_MAX, 0),
	}};
	for (size_t i = 0; i < STACK_TABLES; i++)
		if (m->fds[i] < 0)
			return false;
	return true;
}

static uint64_t clock_ms(clockid_t which)
{
	struct timespec t;
	clock_gettime(which, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool tables_fill(const struct stack_maps *m, const struct settings *s)
{
	struct stack_look looks[STACK_LOOKS_MAX];
	const struct stack_terms terms = {.device_key = passive_device_key(s),
					  .clock_ms = clock_ms(CLOCK_REALTIME) - clock_ms(CLOCK_MONOTONIC)};
	const size_t count = stack_looks(looks);
	const uint32_t first = 0;
	int bad = kernel_table_put(m->fds[STACK_TABLE_TERMS], &first, &terms);
	for (uint32_t i = 0; i < count && !bad; i++)
		bad = kernel_table_put(m->fds[STACK_TABLE_LOOKS], &i, &looks[i]);
	for (size_t i = 0; i < s->decoy_count && !bad; i++) {
		const struct decoy *d = &s->decoys[i];
		const struct kernel_prefix key = kernel_prefix_of(&d->prefix);
		struct stack_devices devices = {.count = (uint32_t)d->persona_count};
		for (size_t k = 0; k < d->persona_count && k < STACK_PERSONAS_MAX; k++)
			devices.looks[k] = stack_number(d->personas[k]->stack);
		bad = d->persona_count <= STACK_PERSONAS_MAX ? kernel_table_put(m->fds[STACK_TABLE_PREFIXES], &key, &devices)
							      : -1;
	}
	return !bad;
}

static int program_open(const struct stack_maps *m, const uint64_t *code, size_t count)
{
	return kernel_program_load(&(struct kernel_program){.type = BPF_PROG_TYPE_SCHED_CLS,
							     .code = code,
							     .count = count,
							     .tables = m->fds,
							     .table_count = STACK_TABLES});
}

static int link_open(int program, unsigned interface, int where)
{
	union bpf_attr a = {.link_create = {.prog_fd = (uint32_t)program,
					    .target_ifindex = interface,
					    .attach_type = (uint32_t)where}};
	return kernel_ask(BPF_LINK_CREATE, &a);
}

/* The programs expect Ethernet's header, which loopback has too. */
static bool is_ethernet(const char *name)
{
	struct ifreq q = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(q.ifr_name, sizeof q.ifr_name, "%s", name);
	bool known = fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &q) == 0;
	if (fd >= 0)
		close(fd);
	return known && (q.ifr_hwaddr.sa_family == ARPHRD_ETHER || q.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK);
}

/* The links stay open as long as the parent lives, and keep programs and tables. */
static int links_attach(unsigned interface, int egress, int ingress)
{
	int in = link_open(ingress, interface, ATTACH_INGRESS);
	int out = in < 0 ? -1 : link_open(egress, interface, ATTACH_EGRESS);
	if (out >= 0)
		return 0;
	if (in >= 0)
		close(in);
	return -1;
}

static void interface_dress(const char *name, int egress, int ingress, enum stack_attach how)
{
	unsigned index = if_nametoindex(name);
	if (!index || !is_ethernet(name)) {
		log_warning("passive.stack.interfaces: %s: %s", name,
			    index ? "is not of Ethernet's kind; packets there keep this machine's look"
				  : "there is no such interface");
		return;
	}
	int bad = how == STACK_ATTACH_FILTER ? -1 : links_attach(index, egress, ingress);
	if (bad && how != STACK_ATTACH_LINK)
		bad = filters_attach(index, egress, ingress);
	if (bad)
		log_warning("passive.stack.interfaces: %s: packets keep this machine's look: %s", name, strerror(errno));
}

void stack_open(const struct settings *s)
{
	const struct option_list *names = &s->options->stack.interfaces;
	struct stack_maps maps;
	int egress = -1, ingress = -1;
	bool filled = tables_open(&maps) && tables_fill(&maps, s);
	if (filled)
		egress = program_open(&maps, stack_egress_code, sizeof stack_egress_code / 8);
	if (egress >= 0)
		ingress = program_open(&maps, stack_ingress_code, sizeof stack_ingress_code / 8);
	if (ingress < 0)
		log_warning("passive.stack: decoys have this machine's TCP/IP look: %s; as root it could be theirs",
			    strerror(errno));
	for (size_t i = 0; i < names->count && ingress >= 0; i++)
		interface_dress(((const char *const *)names->items)[i], egress, ingress,
				(enum stack_attach)s->options->stack.attach);
	for (size_t i = 0; i < STACK_TABLES; i++)
		if (maps.fds[i] >= 0)
			close(maps.fds[i]);
	if (egress >= 0)
		close(egress);
	if (ingress >= 0)
		close(ingress);
}
