/*
 * Whole prefixes as our own addresses (AnyIP): a route of type local on loopback, which the
 * parent adds where it may and takes away at its end.
 *
 * 127.0.0.0/8 is such a prefix already, and so is an address that an interface has.  Where
 * there is no right to it, that is said and everything else goes on.
 */
#include "base/log.h"
#include "passive/room/room_inner.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

struct route_request {
	struct nlmsghdr header;
	struct rtmsg route;
	uint8_t attributes[64];
};

struct routes {      /* that we added */
	pid_t owner; /* a child that ends takes nothing away */
	size_t count;
	struct prefix prefixes[];
};

static void attribute_add(struct route_request *q, unsigned short type, const void *value, size_t n)
{
	struct rtattr *a = (struct rtattr *)((char *)q + NLMSG_ALIGN(q->header.nlmsg_len));
	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(n);
	memcpy(RTA_DATA(a), value, n);
	q->header.nlmsg_len = NLMSG_ALIGN(q->header.nlmsg_len) + (uint32_t)RTA_ALIGN(a->rta_len);
}

static int route_ask(int fd, unsigned short type, unsigned short flags, const struct prefix *p)
{
	bool v4 = address_is_v4(&p->base);
	struct route_request q = {
	        .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
	                   .nlmsg_type = type,
	                   .nlmsg_flags = (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | flags)},
	        .route = {.rtm_family = v4 ? AF_INET : AF_INET6,
	                  .rtm_dst_len = (unsigned char)(v4 ? p->bits - 96 : p->bits),
	                  .rtm_table = RT_TABLE_LOCAL,
	                  .rtm_protocol = RTPROT_STATIC,
	                  .rtm_scope = RT_SCOPE_HOST,
	                  .rtm_type = RTN_LOCAL},
	};
	uint32_t loopback = if_nametoindex("lo");
	attribute_add(&q, RTA_DST, p->base.b + (v4 ? 12 : 0), v4 ? 4 : 16);
	attribute_add(&q, RTA_OIF, &loopback, sizeof loopback);
	if (send(fd, &q, q.header.nlmsg_len, 0) < 0)
		return -errno;
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		uint8_t rest[512];
	} answer;
	ssize_t n = recv(fd, &answer, sizeof answer, 0);
	if (n < (ssize_t)(sizeof answer.header + sizeof answer.error.error) ||
	    answer.header.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.error.error;
}

/* Whether the kernel takes the prefix's first and last address for its own already. */
static bool is_local(const struct prefix *p)
{
	struct address ends[2] = {p->base, p->base};
	for (unsigned bit = p->bits; bit < 128; bit++)
		ends[1].b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	for (int i = 0; i < 2; i++) {
		struct sockaddr_storage at;
		socklen_t len = address_to_sockaddr(&ends[i], 0, false, &at);
		int fd = socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&at, len) == 0;
		if (fd >= 0)
			close(fd);
		if (!bound)
			return false;
	}
	return true;
}

static void routes_remove(int status, void *arg)
{
	(void)status;
	struct routes *routes = arg;
	if (routes->owner != getpid())
		return;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	for (size_t i = 0; i < routes->count && fd >= 0; i++)
		route_ask(fd, RTM_DELROUTE, 0, &routes->prefixes[i]);
	if (fd >= 0)
		close(fd);
	free(routes);
}

static void route_add(struct routes *routes, int fd, const struct prefix *p)
{
	char text[ADDRESS_TEXT_MAX];
	if (is_local(p))
		return;
	int bad = route_ask(fd, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, p);
	if (bad == 0)
		routes->prefixes[routes->count++] = *p;
	else if (bad != -EEXIST)
		log_warning("passive.decoys: %s is not local to this machine and cannot be made so "
		            "(%s); as root it could, or route it here with: ip route add local %s "
		            "dev lo",
		            prefix_format(p, text), strerror(-bad), text);
}

int routes_add(const struct settings *s, struct fault *fault)
{
	if (s->loopback_only)
		return 0;
	struct routes *routes =
	        calloc(1, sizeof *routes + s->decoy_count * sizeof routes->prefixes[0]);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (!routes || fd < 0) {
		free(routes);
		if (fd >= 0)
			close(fd);
		return fault_set(fault, ERR_SYSTEM, "passive.decoys: no netlink socket: %s",
		                 strerror(errno));
	}
	routes->owner = getpid();
	for (size_t i = 0; i < s->decoy_count; i++)
		route_add(routes, fd, &s->decoys[i].prefix);
	close(fd);
	if (routes->count == 0 || on_exit(routes_remove, routes))
		free(routes);
	return 0;
}
