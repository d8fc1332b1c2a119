/*
 * In the parent: listening sockets and the personas' files, handed down by name.
 *
 * One socket a port and worker on the wildcard, of both families where the machine has
 * both; the address that was asked is read from each connection.  A small filter sends all
 * connections of a source to the same worker, so that limits and visits are counted in one
 * place.  When only loopback is decoy the sockets are bound to that interface: a first try
 * on a laptop must not be open to its network.
 */
#include "base/log.h"
#include "base/place.h"
#include "passive/room/room_inner.h"
#include "passive/room/stack/filter.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG 4096

void socket_name(const struct offered_port *o, char name[PROCESS_NAME_MAX])
{
	snprintf(name, PROCESS_NAME_MAX, "%s:%u:%s", o->transport == TRANSPORT_UDP ? "udp" : "tcp",
	         o->port, o->service->name);
}

#define DEVICES_FOLDER "devices"

static int switch_on(int fd, int level, int option)
{
	const int on = 1;
	return setsockopt(fd, level, option, &on, sizeof on);
}

/*
 * Chooses the socket of the group by the source: its address, or the /64 of IPv6; over UDP the
 * /24 of IPv4, since a whole network is the victim of what is sent to it.
 */
static void spread_by_source(int fd, unsigned workers, bool udp)
{
	const uint32_t mask = udp ? 0xffffff00 : 0xffffffff;
	struct sock_filter code[] = {
	        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)SKF_NET_OFF),
	        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 3, 0),
	        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + 12),
	        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask),
	        BPF_STMT(BPF_JMP | BPF_JA, 4),
	        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + 8),
	        BPF_STMT(BPF_MISC | BPF_TAX, 0),
	        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + 12),
	        BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
	        BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 0x9e3779b1),
	        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
	        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, workers),
	        BPF_STMT(BPF_RET | BPF_A, 0),
	};
	const struct sock_fprog program = {sizeof code / sizeof *code, code};
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program))
		log_warning("passive: a source may meet several workers: %s", strerror(errno));
}

static int socket_bind(const struct offered_port *o, int family, bool shared, bool listens, bool loopback_only)
{
	bool udp = o->transport == TRANSPORT_UDP;
	int type = (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int fd = socket(family, type, 0), off = 0;
	if (fd < 0)
		return -1;
	const struct address any_v4 = address_v4(0), any_v6 = {0};
	struct sockaddr_storage at;
	socklen_t len =
	        address_to_sockaddr(family == AF_INET ? &any_v4 : &any_v6, o->port, false, &at);
	bool v6 = family == AF_INET6;
	int bad = v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (!udp || shared) /* for UDP it would let two programs take one port */
		bad |= switch_on(fd, SOL_SOCKET, SO_REUSEADDR);
	if (shared)
		bad |= switch_on(fd, SOL_SOCKET, SO_REUSEPORT);
	if (udp)
		bad |= v6 ? switch_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO)
		          : switch_on(fd, IPPROTO_IP, IP_PKTINFO);
	else
		bad |= switch_on(fd, IPPROTO_TCP, TCP_NODELAY); /* inherited by what it accepts */
	if (udp && v6) /* else nothing may be sent from an address that only a route makes ours */
		bad |= switch_on(fd, IPPROTO_IPV6, IPV6_FREEBIND);
	if (udp && o->service && o->service->hands_over) { /* which port was asked */
		bad |= switch_on(fd, IPPROTO_IP, IP_RECVORIGDSTADDR);
		bad |= v6 && switch_on(fd, IPPROTO_IPV6, IPV6_RECVORIGDSTADDR);
	}
	if (loopback_only && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3))
		log_warning("passive: %s port %u: cannot be bound to loopback: %s",
		            udp ? "udp" : "tcp", o->port, strerror(errno));
	if (bad || bind(fd, (struct sockaddr *)&at, len) || (listens && !udp && listen(fd, BACKLOG))) {
		int why = errno;
		close(fd);
		errno = why;
		return -1;
	}
	return fd;
}

static int complain(const struct offered_port *o, struct fault *fault)
{
	const char *remedy = errno == EACCES       ? "root, or a port above 1023, would be right"
	                     : errno == EADDRINUSE ? "stop the other program or name another port"
	                                           : "doctor may know more";
	return fault_set(fault, ERR_SYSTEM, "passive.services.%s.ports: %s port %u: %s; %s",
	                 o->service->name, o->transport == TRANSPORT_UDP ? "udp" : "tcp", o->port,
	                 strerror(errno), remedy);
}

int socket_open(const struct offered_port *o, unsigned workers, bool loopback_only,
                struct fault *fault)
{
	int family = AF_INET6;
	int fd = socket_bind(o, family, true, true, loopback_only);
	if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
		family = AF_INET;
		fd = socket_bind(o, family, true, true, loopback_only);
	}
	if (fd < 0)
		return complain(o, fault);
	if (workers > 1)
		spread_by_source(fd, workers, o->transport == TRANSPORT_UDP);
	return fd;
}

/* The sockets of the workers share a port; so would those of a second kansoku, unnoticed. */
static int check_free(const struct offered_port *o, bool loopback_only, struct fault *fault)
{
	int fd = socket_bind(o, AF_INET6, false, true, loopback_only);
	if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
		fd = socket_bind(o, AF_INET, false, true, loopback_only);
	if (fd < 0)
		return complain(o, fault);
	close(fd);
	return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_persona(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);
	return n > 5 && n < PROCESS_NAME_MAX - 16 && !strcmp(entry->d_name + n - 5, ".yaml") &&
	       entry->d_name[0] != '.';
}

int sockets_give_personas(struct preparation *p, const char *directory, struct fault *fault)
{
	struct dirent **entries;
	int n = scandir(directory, &entries, is_persona, by_name), bad = 0;
	if (n < 0)
		return fault_set(fault, ERR_SYSTEM, "passive.personas_dir: %s: %s", directory,
		                 strerror(errno));
	if (n == 0)
		bad = fault_set(fault, ERR_MISSING, "passive.personas_dir: %s holds no persona; files "
		                "NAME.yaml as in kansoku's etc/personas would be right", directory);
	for (int i = 0; i < n; i++) {
		char path[PLACE_PATH_MAX], name[PROCESS_NAME_MAX];
		snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
		snprintf(name, sizeof name, "persona:%.48s", entries[i]->d_name);
		int fd = bad ? -1 : open(path, O_RDONLY | O_CLOEXEC);
		if (!bad && fd < 0)
			bad = fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
		if (!bad)
			bad = preparation_give(p, name, fd);
		free(entries[i]);
	}
	free(entries);
	return bad;
}

/*
 * A raw socket that only sends: a datagram's answer leaves from the port that was asked, which on
 * any port is no socket's own.  What arrives at it is dropped.
 */
static int answers_give(struct preparation *p, int family, const char *name)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = {1, &nothing};
	const int on = 1, sum_at = 6;
	int fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
	bool bad = fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) ||
		   setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on) ||
		   (family == AF_INET6 && (setsockopt(fd, IPPROTO_IPV6, IPV6_CHECKSUM, &sum_at, sizeof sum_at) ||
					   switch_on(fd, IPPROTO_IPV6, IPV6_FREEBIND)));
	if (!bad)
		return preparation_give(p, name, fd);
	if (fd >= 0)
		close(fd);
	if (family == AF_INET)
		log_warning("passive.decoys: every_port: datagrams are kept and not answered: %s", strerror(errno));
	return 0;
}

static int ports_give(struct preparation *p, const struct settings *s, struct ports_any *any, struct fault *fault)
{
	char name[PROCESS_NAME_MAX];
	int bad = 0;
	*any = (struct ports_any){-1, -1};
	for (size_t i = 0; i < s->port_count && !bad; i++) {
		if (preparation_worker(p) == 0)
			bad = check_free(&s->ports[i], s->loopback_only, fault);
		int fd = bad ? bad
		             : socket_open(&s->ports[i], preparation_workers(p), s->loopback_only,
		                           fault);
		socket_name(&s->ports[i], name);
		bad = fd < 0 ? fd : preparation_give(p, name, fd);
		if (!bad && s->ports[i].service->hands_over)
			*(s->ports[i].transport == TRANSPORT_UDP ? &any->udp : &any->tcp) = fd;
	}
	if (!bad && any->udp >= 0 && every_port_wanted(s))
		bad = answers_give(p, AF_INET, ANSWERS_FD "4");
	if (!bad && any->udp >= 0 && every_port_wanted(s))
		bad = answers_give(p, AF_INET6, ANSWERS_FD "6");
	return bad;
}

static bool wants_data(const struct settings *s)
{
	for (size_t i = 0; i < s->port_count; i++)
		if (s->ports[i].service->data)
			return s->options->data_port != 0;
	return false;
}

/* Bound and closed; each worker has its own, so that who is called meets the one that called. */
static int data_ports_give(struct preparation *p, const struct settings *s, struct fault *fault)
{
	int bad = 0;
	if (!wants_data(s))
		return 0;
	for (unsigned i = 0; i < DATA_PORTS && !bad; i++) {
		uint64_t port = s->options->data_port + preparation_worker(p) * DATA_PORTS + i;
		const struct offered_port o = {.port = (uint16_t)port, .transport = TRANSPORT_TCP};
		char name[PROCESS_NAME_MAX];
		int fd = port > UINT16_MAX ? -1 : socket_bind(&o, AF_INET6, false, false, s->loopback_only);
		if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
			fd = socket_bind(&o, AF_INET, false, false, s->loopback_only);
		snprintf(name, sizeof name, DATA_FD "%u", i);
		if (fd >= 0)
			bad = preparation_give(p, name, fd);
		else
			log_warning("passive.data_port: port %u: %s; there are fewer ports for data", o.port,
				    strerror(errno));
	}
	return bad ? fault_set(fault, bad, "passive.data_port: too many descriptors") : 0;
}

/*
 * The workers' files of what attackers left: the process cannot open any.  How many workers
 * there are decides which of them a source meets, so the number is part of the name, and those
 * of other numbers go.
 */
static int devices_give(struct preparation *p, const struct settings *s, struct fault *fault)
{
	char path[PLACE_PATH_MAX], own[64], suffix[32];
	struct stat st;
	snprintf(path, sizeof path, "%s/" DEVICES_FOLDER, preparation_state(p));
	if (mkdir(path, 0700) && errno != EEXIST)
		return fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(suffix, sizeof suffix, "-of-%u", preparation_workers(p));
	snprintf(own, sizeof own, "%u%s", preparation_worker(p), suffix);
	DIR *all = directory < 0 || preparation_worker(p) ? NULL : fdopendir(dup(directory));
	for (struct dirent *e; all && (e = readdir(all));) {
		const char *of = strstr(e->d_name, "-of-");
		if (of && strcmp(of, suffix))
			unlinkat(directory, e->d_name, 0);
	}
	if (all)
		closedir(all);
	int fd = directory < 0 ? -1 : openat(directory, own, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	uint64_t size = s->options->devices.file_bytes;
	bool bad = fd < 0 || fstat(fd, &st);
	if (!bad && (uint64_t)st.st_size != size)
		bad = ftruncate(fd, 0) || ftruncate(fd, (off_t)size);
	if (directory >= 0)
		close(directory);
	return bad ? fault_set(fault, ERR_SYSTEM, "%s/%s: %s", path, own, strerror(errno))
		   : preparation_give(p, DEVICES_FD, fd);
}

/* One of each for all workers. */
static int bait_give(struct preparation *p, struct fault *fault)
{
	char path[PLACE_PATH_MAX];
	struct stat st;
	int ledger = bait_ledger_create(preparation_state(p), fault);
	if (ledger < 0)
		return ledger;
	close(ledger); /* who speaks with strangers may read it, and no more */
	snprintf(path, sizeof path, "%s/" LEDGER_FOLDER "/" LEDGER_FILE, preparation_state(p));
	ledger = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (ledger < 0)
		return fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	snprintf(path, sizeof path, "%s/" LEDGER_FOLDER "/" SIGHTS_FILE, preparation_state(p));
	int sights = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool bad = sights < 0 || fstat(sights, &st);
	if (!bad && (size_t)st.st_size != sights_file_bytes())
		bad = ftruncate(sights, 0) || ftruncate(sights, (off_t)sights_file_bytes());
	if (bad)
		return fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	int error = preparation_give(p, LEDGER_FD, ledger);
	return error ? error : preparation_give(p, SIGHTS_FD, sights);
}

/* Only here the parent reads personas: programs in the kernel must know which one an address has. */
static int kernel_prepare(struct preparation *p, struct settings *s, const char *directory, const struct ports_any *any,
			  struct fault *fault)
{
	struct persona_set set = {0};
	int bad = persona_read_directory(&set, directory, fault);
	if (!bad)
		bad = passive_settings_cast(s, &set, fault);
	if (!bad)
		stack_open(s);
	int sources = bad ? -1 : ports_open(s, any);
	if (sources >= 0)
		bad = preparation_give(p, STEERED_FD, sources);
	persona_set_done(&set);
	return bad;
}

int sockets_prepare(struct preparation *p, struct fault *fault)
{
	char path[PLACE_PATH_MAX] = "etc/personas";
	struct settings s;
	struct ports_any any;
	int bad = passive_settings_read(preparation_config(p), &s, fault);
	if (bad)
		return bad;
	if (preparation_worker(p) == 0)
		bad = routes_add(&s, fault);
	if (!bad)
		bad = ports_give(p, &s, &any, fault);
	if (!bad)
		bad = data_ports_give(p, &s, fault);
	if (!bad)
		bad = devices_give(p, &s, fault);
	if (!bad)
		bad = bait_give(p, fault);
	const char *directory = s.options->personas_dir;
	if (!bad && !directory)
		place_find("etc/personas", path); /* where it is nowhere, the next step says so */
	if (!bad)
		bad = sockets_give_personas(p, directory ? directory : path, fault);
	if (!bad && preparation_worker(p) == 0)
		filters_forget();
	if (!bad && preparation_worker(p) == 0)
		bad = kernel_prepare(p, &s, directory ? directory : path, &any, fault);
	passive_settings_done(&s);
	return bad;
}
