#include "lab/run/sink/land.h"
#include "lab/run/sink.h"
#include "lab/run/sink/netlink.h"
#include "lab/run/sink/steer.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef IPV6_TRANSPARENT
#define IPV6_TRANSPARENT 75
#endif
#define BACKLOG 1024

static int link_flags(int fd, const char *name, short add)
{
	struct ifreq q = {0};
	snprintf(q.ifr_name, sizeof q.ifr_name, "%s", name);
	if (ioctl(fd, SIOCGIFFLAGS, &q))
		return ERR_SYSTEM;
	if ((q.ifr_flags & add) == add)
		return 0;
	q.ifr_flags |= add;
	return ioctl(fd, SIOCSIFFLAGS, &q) ? ERR_SYSTEM : 0;
}

/* The address that the link has, or the usual one that it is given. */
static int link_address(int fd, const char *name, uint32_t *out)
{
	struct ifreq q = {0};
	struct sockaddr_in in = {.sin_family = AF_INET};
	snprintf(q.ifr_name, sizeof q.ifr_name, "%s", name);
	if (ioctl(fd, SIOCGIFADDR, &q)) {
		inet_pton(AF_INET, SINK_GATEWAY, &in.sin_addr);
		memcpy(&q.ifr_addr, &in, sizeof in);
		if (ioctl(fd, SIOCSIFADDR, &q))
			return ERR_SYSTEM;
		inet_pton(AF_INET, "255.255.255.0", &in.sin_addr);
		memcpy(&q.ifr_netmask, &in, sizeof in);
		if (ioctl(fd, SIOCSIFNETMASK, &q) || ioctl(fd, SIOCGIFADDR, &q))
			return ERR_SYSTEM;
	}
	memcpy(&in, &q.ifr_addr, sizeof in);
	*out = ntohl(in.sin_addr.s_addr);
	return 0;
}

static void route(struct netlink *n, int family, const void *to, uint8_t bits, bool local, unsigned link)
{
	const struct rtmsg r = {.rtm_family = (uint8_t)family, .rtm_dst_len = bits, .rtm_table = RT_TABLE_MAIN,
				.rtm_protocol = RTPROT_BOOT, .rtm_scope = local ? RT_SCOPE_HOST : RT_SCOPE_LINK,
				.rtm_type = local ? RTN_LOCAL : RTN_UNICAST};
	netlink_begin(n);
	netlink_message(n, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, &r, sizeof r);
	if (bits)
		netlink_attribute(n, RTA_DST, to, family == AF_INET ? 4 : 16);
	const uint32_t out = link;
	netlink_attribute(n, RTA_OIF, &out, sizeof out);
}

/*
 * In the main table: a local route in the table "local" would make the box's own address ours, too.
 * The link's own network is cut in halves, which are more specific than the kernel's route to it, so
 * that a worm finds every neighbour at home; the box itself is more specific than these.
 */
static int routes_add(struct land *l, uint32_t gateway)
{
	struct netlink n;
	const unsigned lo = if_nametoindex("lo");
	uint32_t half = htonl(gateway & 0xffffff00u), other = htonl((gateway & 0xffffff00u) | 0x80), box;
	inet_pton(AF_INET, SINK_BOX_ADDRESS, &box);
	box = htonl((gateway & 0xffffff00u) | (ntohl(box) & 0xff));
	l->box = address_v4(ntohl(box));
	route(&n, AF_INET, NULL, 0, true, lo);
	int bad = netlink_send(&n, NETLINK_ROUTE);
	route(&n, AF_INET, &box, 32, false, l->link);
	bad = bad ? bad : netlink_send(&n, NETLINK_ROUTE);
	route(&n, AF_INET, &half, 25, true, lo);
	bad = bad ? bad : netlink_send(&n, NETLINK_ROUTE);
	route(&n, AF_INET, &other, 25, true, lo);
	bad = bad ? bad : netlink_send(&n, NETLINK_ROUTE);
	if (!bad && l->tcp[1] >= 0) {
		route(&n, AF_INET6, NULL, 0, true, lo);
		netlink_send(&n, NETLINK_ROUTE); /* without it only IPv6 is lacking */
	}
	return bad;
}

static int door_open(bool six, bool stream)
{
	const int on = 1;
	int fd = socket(six ? AF_INET6 : AF_INET, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	struct sockaddr_storage at = {.ss_family = six ? AF_INET6 : AF_INET};
	uint16_t port = htons(stream ? LAND_TCP_PORT : LAND_UDP_PORT);
	memcpy((uint8_t *)&at + 2, &port, sizeof port); /* sin_port and sin6_port are at one place */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	int bad = six ? setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) ||
				setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof on)
		      : setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof on);
	if (!stream)
		bad |= six ? setsockopt(fd, IPPROTO_IPV6, IPV6_RECVORIGDSTADDR, &on, sizeof on)
			   : setsockopt(fd, IPPROTO_IP, IP_RECVORIGDSTADDR, &on, sizeof on);
	bad |= bind(fd, (struct sockaddr *)&at, six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
	if (bad || (stream && listen(fd, BACKLOG))) {
		close(fd);
		return -1;
	}
	return fd;
}

int land_answer(const struct address *from, uint16_t port)
{
	struct sockaddr_storage at;
	socklen_t len = address_to_sockaddr(from, port, false, &at);
	bool six = at.ss_family == AF_INET6;
	const int on = 1;
	int fd = socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	int bad = six ? setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof on)
		      : setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof on);
	if (!bad && !bind(fd, (struct sockaddr *)&at, len))
		return fd;
	close(fd);
	return -1;
}

static int link_find(struct land *l)
{
	struct if_nameindex *all = if_nameindex();
	for (struct if_nameindex *i = all; i && i->if_index; i++)
		if (strcmp(i->if_name, "lo")) {
			l->link = i->if_index;
			snprintf(l->link_name, sizeof l->link_name, "%s", i->if_name);
		}
	if_freenameindex(all);
	return l->link ? 0 : ERR_MISSING;
}

int land_open(struct land *out, struct fault *fault)
{
	struct land l = {.tcp = {-1, -1}, .udp = {-1, -1}};
	uint32_t gateway = 0;
	if (link_find(&l))
		return fault_set(fault, ERR_MISSING, "sink: its namespace has no link to a box");
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int bad = fd < 0 ? ERR_SYSTEM : link_flags(fd, "lo", IFF_UP);
	bad = bad ? bad : link_flags(fd, l.link_name, IFF_UP);
	bad = bad ? bad : link_address(fd, l.link_name, &gateway);
	if (fd >= 0)
		close(fd);
	for (int six = 0; six < 2; six++) {
		l.tcp[six] = door_open(six, true);
		l.udp[six] = door_open(six, false);
	}
	if (!bad)
		bad = l.tcp[0] < 0 || l.udp[0] < 0 ? ERR_SYSTEM : routes_add(&l, gateway);
	if (bad) {
		int error = errno;
		land_close(&l);
		return fault_set(fault, bad, "sink: its namespace cannot be set up: %s", strerror(error));
	}
	bad = steer_all(l.tcp[1] >= 0, fault);
	if (bad) {
		land_close(&l);
		return bad;
	}
	*out = l;
	return 0;
}

void land_close(struct land *l)
{
	for (int six = 0; six < 2; six++) {
		if (l->tcp[six] >= 0)
			close(l->tcp[six]);
		if (l->udp[six] >= 0)
			close(l->udp[six]);
	}
}
