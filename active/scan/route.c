#include "active/scan/route_inner.h"
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <unistd.h>

#define ANSWER_MAX 8192
#define ASK_MS 100

struct request {
	struct nlmsghdr header;
	union {
		struct rtmsg route;
		struct ndmsg neighbour;
	};
	uint8_t attributes[128];
};

static void attribute_put(struct request *q, unsigned short type, const void *value, size_t size)
{
	struct rtattr *a = (void *)((uint8_t *)q + NLMSG_ALIGN(q->header.nlmsg_len));
	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(RTA_DATA(a), value, size);
	q->header.nlmsg_len = (uint32_t)(NLMSG_ALIGN(q->header.nlmsg_len) + RTA_ALIGN(a->rta_len));
}

static void address_put(struct request *q, unsigned short type, const struct address *a)
{
	if (address_is_v4(a))
		attribute_put(q, type, a->b + 12, 4);
	else
		attribute_put(q, type, a->b, 16);
}

static struct address address_from(const struct rtattr *a)
{
	struct address out = {0};
	if (RTA_PAYLOAD(a) == 4) {
		out = address_v4(0);
		memcpy(out.b + 12, RTA_DATA(a), 4);
	} else if (RTA_PAYLOAD(a) == 16) {
		memcpy(out.b, RTA_DATA(a), 16);
	}
	return out;
}

/* One message there, one back; the answer's length or a negative error. */
static int ask(struct request *q, uint8_t *answer, size_t size)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t n = -1;
	if (fd < 0)
		return ERR_SYSTEM;
	if (sendto(fd, q, q->header.nlmsg_len, 0, (const struct sockaddr *)&kernel, sizeof kernel) > 0)
		n = recv(fd, answer, size, 0);
	close(fd);
	if (n < (ssize_t)sizeof(struct nlmsghdr))
		return ERR_SYSTEM;
	const struct nlmsghdr *h = (const void *)answer;
	if (h->nlmsg_len > (size_t)n)
		return ERR_SYSTEM;
	if (h->nlmsg_type != NLMSG_ERROR)
		return (int)n;
	const struct nlmsgerr *e = NLMSG_DATA(h);
	return n >= (ssize_t)NLMSG_LENGTH(sizeof *e) && e->error == 0 ? 0 : ERR_MISSING;
}

int route_find(const struct address *to, const struct address *from, unsigned interface, struct route *out)
{
	const bool v4 = address_is_v4(to);
	struct request q = {.header = {.nlmsg_len = NLMSG_LENGTH(sizeof q.route), .nlmsg_type = RTM_GETROUTE,
				       .nlmsg_flags = NLM_F_REQUEST}};
	q.route = (struct rtmsg){.rtm_family = v4 ? AF_INET : AF_INET6, .rtm_dst_len = v4 ? 32 : 128};
	address_put(&q, RTA_DST, to);
	if (from && !address_is_zero(from))
		address_put(&q, RTA_SRC, from);
	if (interface)
		attribute_put(&q, RTA_OIF, &interface, sizeof interface);
	_Alignas(8) uint8_t answer[ANSWER_MAX];
	int n = ask(&q, answer, sizeof answer);
	if (n < (int)NLMSG_LENGTH(sizeof(struct rtmsg)))
		return n < 0 ? n : ERR_SYSTEM;
	const struct nlmsghdr *h = (const void *)answer;
	const struct rtmsg *m = NLMSG_DATA(h);
	struct route r = {.local = m->rtm_type == RTN_LOCAL};
	int left = (int)RTM_PAYLOAD(h);
	for (const struct rtattr *a = RTM_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == RTA_OIF && RTA_PAYLOAD(a) == sizeof r.interface)
			memcpy(&r.interface, RTA_DATA(a), sizeof r.interface);
		else if (a->rta_type == RTA_GATEWAY)
			r.router = address_from(a);
		else if (a->rta_type == RTA_PREFSRC)
			r.source = address_from(a);
	}
	if (m->rtm_type != RTN_UNICAST && m->rtm_type != RTN_LOCAL)
		return ERR_MISSING;
	*out = r;
	return 0;
}

static bool neighbour_known(unsigned interface, const struct address *a, uint8_t mac[6])
{
	struct request q = {.header = {.nlmsg_len = NLMSG_LENGTH(sizeof q.neighbour), .nlmsg_type = RTM_GETNEIGH,
				       .nlmsg_flags = NLM_F_REQUEST}};
	q.neighbour = (struct ndmsg){.ndm_family = address_is_v4(a) ? AF_INET : AF_INET6,
				     .ndm_ifindex = (int)interface};
	address_put(&q, NDA_DST, a);
	_Alignas(8) uint8_t answer[ANSWER_MAX];
	int n = ask(&q, answer, sizeof answer);
	if (n < (int)NLMSG_LENGTH(sizeof(struct ndmsg)))
		return false;
	const struct nlmsghdr *h = (const void *)answer;
	const struct ndmsg *m = NLMSG_DATA(h);
	int left = (int)NLMSG_PAYLOAD(h, sizeof *m);
	const struct rtattr *first = (const void *)((const uint8_t *)m + NLMSG_ALIGN(sizeof *m));
	if (m->ndm_state & (NUD_INCOMPLETE | NUD_FAILED | NUD_NONE))
		return false;
	for (const struct rtattr *at = first; RTA_OK(at, left); at = RTA_NEXT(at, left))
		if (at->rta_type == NDA_LLADDR && RTA_PAYLOAD(at) == 6) {
			memcpy(mac, RTA_DATA(at), 6);
			return true;
		}
	return false;
}

/* NTF_USE: as if a packet to it waited; the kernel asks for its MAC, and nothing else is sent. */
static void neighbour_want(unsigned interface, const struct address *a)
{
	struct request q = {.header = {.nlmsg_len = NLMSG_LENGTH(sizeof q.neighbour), .nlmsg_type = RTM_NEWNEIGH,
				       .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK}};
	q.neighbour = (struct ndmsg){.ndm_family = address_is_v4(a) ? AF_INET : AF_INET6,
				     .ndm_ifindex = (int)interface, .ndm_flags = NTF_USE};
	address_put(&q, NDA_DST, a);
	_Alignas(8) uint8_t answer[ANSWER_MAX];
	ask(&q, answer, sizeof answer);
}

int route_neighbour(unsigned interface, const struct address *a, uint8_t mac[6], unsigned wait_ms_max)
{
	for (unsigned waited = 0;; waited += ASK_MS) {
		if (neighbour_known(interface, a, mac))
			return 0;
		if (waited >= wait_ms_max)
			return ERR_TIMEOUT;
		if (waited % (10 * ASK_MS) == 0)
			neighbour_want(interface, a);
		poll(NULL, 0, ASK_MS);
	}
}
