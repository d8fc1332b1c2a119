/*
 * Programs as filters of an interface (tc's clsact), for kernels without links to interfaces.
 *
 * A filter stays until somebody takes it away: the parent does at its end, and after a kill -9 at
 * its next start.  Ours are known by their number, name and place in the order.
 */
#include "passive/room/stack/filter.h"
#include "base/log.h"
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ORDER 49817 /* among the interface's filters; any number that nobody else is likely to have */
#define NUMBER 1
#define INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
#define EGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)

struct request {
	struct nlmsghdr header;
	struct tcmsg where;
	uint8_t attributes[128];
};

static struct rtattr *attribute_add(struct request *q, unsigned short type, const void *value, size_t n)
{
	struct rtattr *a = (struct rtattr *)((char *)q + NLMSG_ALIGN(q->header.nlmsg_len));
	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(n);
	if (n)
		memcpy(RTA_DATA(a), value, n);
	q->header.nlmsg_len = NLMSG_ALIGN(q->header.nlmsg_len) + (uint32_t)RTA_ALIGN(a->rta_len);
	return a;
}

static struct request request_to(unsigned short type, unsigned short flags, unsigned interface, uint32_t parent)
{
	return (struct request){
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct tcmsg)),
			   .nlmsg_type = type,
			   .nlmsg_flags = (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | flags)},
		.where = {.tcm_family = AF_UNSPEC, .tcm_ifindex = (int)interface, .tcm_parent = parent},
	};
}

/* 0, or a negative errno. */
static int ask(int fd, const struct request *q)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		uint8_t rest[512];
	} answer;
	if (send(fd, q, q->header.nlmsg_len, 0) < 0)
		return -errno;
	ssize_t n = recv(fd, &answer, sizeof answer, 0);
	if (n < (ssize_t)(sizeof answer.header + sizeof answer.error.error) || answer.header.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.error.error;
}

static struct request filter_request(unsigned short type, unsigned short flags, unsigned interface, uint32_t parent)
{
	struct request q = request_to(type, flags, interface, parent);
	q.where.tcm_handle = NUMBER;
	q.where.tcm_info = TC_H_MAKE((uint32_t)ORDER << 16, htons(ETH_P_ALL));
	attribute_add(&q, TCA_KIND, "bpf", 4);
	return q;
}

static int filter_put(int fd, unsigned interface, uint32_t parent, int program)
{
	static const char name[] = "kansoku";
	const uint32_t descriptor = (uint32_t)program, direct = TCA_BPF_FLAG_ACT_DIRECT;
	struct request q = filter_request(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_REPLACE, interface, parent);
	struct rtattr *options = attribute_add(&q, TCA_OPTIONS, NULL, 0);
	attribute_add(&q, TCA_BPF_FD, &descriptor, sizeof descriptor);
	attribute_add(&q, TCA_BPF_NAME, name, sizeof name);
	attribute_add(&q, TCA_BPF_FLAGS, &direct, sizeof direct);
	options->rta_len = (unsigned short)((char *)&q + q.header.nlmsg_len - (char *)options);
	return ask(fd, &q);
}

static void filters_drop(int fd, unsigned interface)
{
	const struct request in = filter_request(RTM_DELTFILTER, 0, interface, INGRESS);
	const struct request out = filter_request(RTM_DELTFILTER, 0, interface, EGRESS);
	ask(fd, &in);
	ask(fd, &out);
}

void filters_forget(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct if_nameindex *all = fd < 0 ? NULL : if_nameindex();
	for (const struct if_nameindex *i = all; i && i->if_index; i++)
		filters_drop(fd, i->if_index);
	if (all)
		if_freenameindex(all);
	if (fd >= 0)
		close(fd);
}

struct filtered {
	pid_t owner; /* a child that ends takes nothing away */
	unsigned interface;
};

static void on_end(int status, void *arg)
{
	struct filtered *f = arg;
	int fd = f->owner == getpid() ? socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE) : -1;
	(void)status;
	if (fd < 0)
		return;
	filters_drop(fd, f->interface);
	close(fd);
	free(f);
}

int filters_attach(unsigned interface, int egress, int ingress)
{
	struct filtered *f = malloc(sizeof *f);
	int fd = f ? socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE) : -1;
	int bad = fd < 0 ? -errno : 0;
	if (!bad) {
		struct request q = request_to(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, interface, TC_H_CLSACT);
		q.where.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
		attribute_add(&q, TCA_KIND, "clsact", 7);
		bad = ask(fd, &q);
		bad = bad == -EEXIST ? 0 : bad;
	}
	if (!bad)
		bad = filter_put(fd, interface, INGRESS, ingress);
	if (!bad)
		bad = filter_put(fd, interface, EGRESS, egress);
	if (!bad) {
		*f = (struct filtered){.owner = getpid(), .interface = interface};
		bad = on_exit(on_end, f) ? -ENOMEM : 0;
	}
	if (bad && fd >= 0)
		filters_drop(fd, interface);
	if (bad)
		free(f);
	if (fd >= 0)
		close(fd);
	errno = -bad;
	return bad ? -1 : 0;
}
