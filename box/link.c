/* The network of a box: its loopback, or a pair of ends between it and the sink (rtnetlink(7), veth(4)). */
#include "box/box_inner.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX 1024
#define BOX_END "eth0"
#define SINK_END "box0"
/* A maker's prefix: an address that is administered locally is what sandboxes have. */
static const uint8_t box_mac[6] = {0x00, 0x1e, 0x67, 0x3a, 0x94, 0x1c};
static const uint8_t sink_mac[6] = {0x00, 0x1d, 0x7e, 0x20, 0xb1, 0x05};

struct ask {
	uint8_t room[MESSAGE_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct writer w;
};

static void begin(struct ask *a, uint16_t type, uint16_t flags, const void *body, size_t len)
{
	const struct nlmsghdr h = {
		.nlmsg_type = type, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags), .nlmsg_seq = 1};
	a->w = writer_of(a->room, sizeof a->room);
	write_bytes(&a->w, &h, sizeof h);
	write_bytes(&a->w, body, len);
	write_zero(&a->w, NLMSG_ALIGN(len) - len);
}

static void attribute(struct ask *a, uint16_t type, const void *body, size_t len)
{
	const struct rtattr at = {.rta_type = type, .rta_len = (uint16_t)RTA_LENGTH(len)};
	write_bytes(&a->w, &at, sizeof at);
	if (len)
		write_bytes(&a->w, body, len);
	write_zero(&a->w, RTA_ALIGN(len) - len);
}

static size_t nest(struct ask *a, uint16_t type)
{
	size_t at = writer_used(&a->w);
	attribute(a, type, NULL, 0);
	return at;
}

static void nested(struct ask *a, size_t at)
{
	uint16_t len = (uint16_t)(writer_used(&a->w) - at);
	if (!a->w.bad)
		memcpy(a->room + at + offsetof(struct rtattr, rta_len), &len, sizeof len);
}

static int ask(struct ask *a)
{
	struct nlmsghdr h;
	struct {
		struct nlmsghdr h;
		struct nlmsgerr error;
		uint8_t rest[MESSAGE_MAX];
	} answer = {0};
	if (a->w.bad)
		return ERR_FULL;
	memcpy(&h, a->room, sizeof h);
	h.nlmsg_len = (uint32_t)writer_used(&a->w);
	memcpy(a->room, &h, sizeof h);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	bool asked = fd >= 0 && send(fd, a->room, h.nlmsg_len, 0) == (ssize_t)h.nlmsg_len;
	ssize_t n = asked ? recv(fd, &answer, sizeof answer, 0) : -1;
	int error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	if (n < (ssize_t)(sizeof answer.h + sizeof answer.error.error) || answer.h.nlmsg_type != NLMSG_ERROR)
		return ERR_SYSTEM;
	errno = -answer.error.error;
	return answer.error.error ? ERR_SYSTEM : 0;
}

static int raise(const char *name)
{
	struct ask a;
	const struct ifinfomsg i = {
		.ifi_index = (int)if_nametoindex(name), .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	begin(&a, RTM_NEWLINK, 0, &i, sizeof i);
	return i.ifi_index ? ask(&a) : ERR_MISSING;
}

static int give_address(const char *name, int family, const char *text, uint8_t length)
{
	struct ask a;
	uint8_t address[16];
	size_t n = family == AF_INET ? 4 : 16;
	const struct ifaddrmsg i = {.ifa_family = (uint8_t)family, .ifa_prefixlen = length,
				    .ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0,
				    .ifa_index = if_nametoindex(name)};
	begin(&a, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &i, sizeof i);
	if (inet_pton(family, text, address) != 1)
		return ERR_BAD;
	attribute(&a, IFA_LOCAL, address, n);
	attribute(&a, IFA_ADDRESS, address, n);
	return ask(&a);
}

static int give_route(int family, const char *router)
{
	struct ask a;
	uint8_t address[16];
	const struct rtmsg r = {.rtm_family = (uint8_t)family, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT,
				.rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST};
	begin(&a, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &r, sizeof r);
	if (inet_pton(family, router, address) != 1)
		return ERR_BAD;
	attribute(&a, RTA_GATEWAY, address, family == AF_INET ? 4 : 16);
	return ask(&a);
}

/* A kernel without IPv6 has no such addresses; the box then has none either. */
static bool has_ipv6(void) { return access("/proc/net/if_inet6", F_OK) == 0; }

int link_raise(enum box_network network)
{
	int bad = raise("lo");
	if (bad || network != BOX_SINK)
		return bad;
	bad = raise(BOX_END);
	if (!bad)
		bad = give_address(BOX_END, AF_INET, BOX_ADDRESS, 24);
	if (!bad)
		bad = give_route(AF_INET, BOX_SINK_ADDRESS);
	if (!bad && has_ipv6())
		bad = give_address(BOX_END, AF_INET6, BOX_ADDRESS6, 64);
	if (!bad && has_ipv6())
		bad = give_route(AF_INET6, BOX_SINK_ADDRESS6);
	return bad;
}

static int make_pair(int other_namespace)
{
	struct ask a;
	const struct ifinfomsg none = {0};
	const uint32_t fd = (uint32_t)other_namespace;
	begin(&a, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &none, sizeof none);
	attribute(&a, IFLA_IFNAME, SINK_END, sizeof SINK_END);
	attribute(&a, IFLA_ADDRESS, sink_mac, sizeof sink_mac);
	size_t about = nest(&a, IFLA_LINKINFO);
	attribute(&a, IFLA_INFO_KIND, "veth", 4);
	size_t kind = nest(&a, IFLA_INFO_DATA), peer = nest(&a, VETH_INFO_PEER);
	write_bytes(&a.w, &none, sizeof none);
	attribute(&a, IFLA_IFNAME, BOX_END, sizeof BOX_END);
	attribute(&a, IFLA_ADDRESS, box_mac, sizeof box_mac);
	attribute(&a, IFLA_NET_NS_FD, &fd, sizeof fd);
	nested(&a, peer);
	nested(&a, kind);
	nested(&a, about);
	return ask(&a);
}

int link_make(int box_network_namespace)
{
	int bad = make_pair(box_network_namespace);
	if (!bad)
		bad = raise("lo");
	if (!bad)
		bad = raise(SINK_END);
	if (!bad)
		bad = give_address(SINK_END, AF_INET, BOX_SINK_ADDRESS, 24);
	if (!bad && has_ipv6())
		bad = give_address(SINK_END, AF_INET6, BOX_SINK_ADDRESS6, 64);
	return bad;
}

/* Without root it belongs to a user namespace of ours, in which we have to be first. */
int box_join(int sink, struct fault *fault)
{
	int owner = ioctl(sink, NS_GET_USERNS);
	if (setns(sink, CLONE_NEWNET) == 0) {
		if (owner >= 0)
			close(owner);
		return 0;
	}
	int bad = owner < 0 || setns(owner, CLONE_NEWUSER) || setns(sink, CLONE_NEWNET);
	int error = errno;
	if (owner >= 0)
		close(owner);
	return bad ? fault_set(fault, ERR_DENIED, "box: cannot enter the sink's namespace: %s", strerror(error)) : 0;
}
