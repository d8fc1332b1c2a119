/*
 * table inet sink {
 *   chain in {
 *     type filter hook prerouting priority mangle; policy drop;
 *     iif lo accept
 *     meta l4proto tcp  limit rate 4000/second burst 5000 packets  tproxy to :61001
 *     meta l4proto udp  limit rate 1000/second burst 5000 packets  tproxy to :61002
 *     meta l4proto icmp (and ipv6-icmp)  limit rate 200/second burst 5000 packets  accept
 *   }
 *   chain through { type filter hook forward priority filter; policy drop; }
 * }
 *
 * In nf_tables' own expressions, since the program nft need not be installed.  A limit's burst is the
 * number of packets it lets pass at once: with the usual 5 of them ordinary talk is lost.
 */
#include "lab/run/sink/steer.h"
#include "lab/run/sink/land.h"
#include "lab/run/sink/netlink.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define TABLE "sink"
#define CHAIN "in"
#define PRIORITY_MANGLE (-150)
#define LIMIT_BURST 5000

static void command(struct netlink *n, uint16_t what, uint16_t flags)
{
	const struct nfgenmsg g = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};
	netlink_message(n, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | what), NLM_F_ACK | flags, &g, sizeof g);
}

static void batch(struct netlink *n, uint16_t which)
{
	const struct nfgenmsg g = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
	netlink_message(n, which, 0, &g, sizeof g);
}

static void chain(struct netlink *n, const char *name, uint32_t hook, int32_t priority)
{
	command(n, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	netlink_text(n, NFTA_CHAIN_TABLE, TABLE);
	netlink_text(n, NFTA_CHAIN_NAME, name);
	size_t at = netlink_nest(n, NFTA_CHAIN_HOOK);
	netlink_be32(n, NFTA_HOOK_HOOKNUM, hook);
	netlink_be32(n, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	netlink_nested(n, at);
	netlink_be32(n, NFTA_CHAIN_POLICY, NF_DROP);
	netlink_text(n, NFTA_CHAIN_TYPE, "filter");
}

struct expression {
	size_t element, content;
};

static struct expression expression(struct netlink *n, const char *name)
{
	struct expression e = {.element = netlink_nest(n, NFTA_LIST_ELEM)};
	netlink_text(n, NFTA_EXPR_NAME, name);
	e.content = netlink_nest(n, NFTA_EXPR_DATA);
	return e;
}

static void expressed(struct netlink *n, struct expression e)
{
	netlink_nested(n, e.content);
	netlink_nested(n, e.element);
}

static void value(struct netlink *n, uint16_t type, const void *content, size_t len)
{
	size_t at = netlink_nest(n, type);
	netlink_attribute(n, NFTA_DATA_VALUE, content, len);
	netlink_nested(n, at);
}

static void match(struct netlink *n, uint32_t key, const void *content, size_t len)
{
	struct expression e = expression(n, "meta");
	netlink_be32(n, NFTA_META_DREG, NFT_REG_1);
	netlink_be32(n, NFTA_META_KEY, key);
	expressed(n, e);
	e = expression(n, "cmp");
	netlink_be32(n, NFTA_CMP_SREG, NFT_REG_1);
	netlink_be32(n, NFTA_CMP_OP, NFT_CMP_EQ);
	value(n, NFTA_CMP_DATA, content, len);
	expressed(n, e);
}

static void limit(struct netlink *n, uint64_t per_second)
{
	struct expression e = expression(n, "limit");
	netlink_be64(n, NFTA_LIMIT_RATE, per_second);
	netlink_be64(n, NFTA_LIMIT_UNIT, 1);
	netlink_be32(n, NFTA_LIMIT_BURST, LIMIT_BURST);
	netlink_be32(n, NFTA_LIMIT_TYPE, NFT_LIMIT_PKTS);
	expressed(n, e);
}

static void hand_over(struct netlink *n, uint16_t port)
{
	const uint16_t wire = htons(port);
	struct expression e = expression(n, "immediate");
	netlink_be32(n, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	value(n, NFTA_IMMEDIATE_DATA, &wire, sizeof wire);
	expressed(n, e);
	e = expression(n, "tproxy");
	netlink_be32(n, NFTA_TPROXY_FAMILY, NFPROTO_UNSPEC);
	netlink_be32(n, NFTA_TPROXY_REG_PORT, NFT_REG_1);
	expressed(n, e);
}

static void accept_it(struct netlink *n)
{
	struct expression e = expression(n, "immediate");
	netlink_be32(n, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	size_t content = netlink_nest(n, NFTA_IMMEDIATE_DATA), verdict = netlink_nest(n, NFTA_DATA_VERDICT);
	netlink_be32(n, NFTA_VERDICT_CODE, NF_ACCEPT);
	netlink_nested(n, verdict);
	netlink_nested(n, content);
	expressed(n, e);
}

/* `port` 0: the kernel answers itself. */
static void rule(struct netlink *n, uint8_t transport, uint64_t per_second, uint16_t port)
{
	command(n, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	netlink_text(n, NFTA_RULE_TABLE, TABLE);
	netlink_text(n, NFTA_RULE_CHAIN, CHAIN);
	size_t all = netlink_nest(n, NFTA_RULE_EXPRESSIONS);
	match(n, NFT_META_L4PROTO, &transport, sizeof transport);
	limit(n, per_second);
	if (port)
		hand_over(n, port);
	accept_it(n);
	netlink_nested(n, all);
}

static void rule_loopback(struct netlink *n)
{
	const uint32_t lo = 1; /* every namespace's first link */
	command(n, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	netlink_text(n, NFTA_RULE_TABLE, TABLE);
	netlink_text(n, NFTA_RULE_CHAIN, CHAIN);
	size_t all = netlink_nest(n, NFTA_RULE_EXPRESSIONS);
	match(n, NFT_META_IIF, &lo, sizeof lo);
	accept_it(n);
	netlink_nested(n, all);
}

int steer_all(bool six, struct fault *fault)
{
	struct netlink n;
	netlink_begin(&n);
	batch(&n, NFNL_MSG_BATCH_BEGIN);
	command(&n, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	netlink_text(&n, NFTA_TABLE_NAME, TABLE);
	netlink_be32(&n, NFTA_TABLE_FLAGS, 0);
	chain(&n, CHAIN, NF_INET_PRE_ROUTING, PRIORITY_MANGLE);
	chain(&n, "through", NF_INET_FORWARD, 0);
	rule_loopback(&n);
	rule(&n, IPPROTO_TCP, 4000, LAND_TCP_PORT);
	rule(&n, IPPROTO_UDP, 1000, LAND_UDP_PORT);
	rule(&n, IPPROTO_ICMP, 200, 0);
	if (six)
		rule(&n, IPPROTO_ICMPV6, 200, 0);
	batch(&n, NFNL_MSG_BATCH_END);
	int bad = netlink_send(&n, NETLINK_NETFILTER);
	return bad ? fault_set(fault, bad, "sink: nf_tables did not take its rules: %s", strerror(errno)) : 0;
}
