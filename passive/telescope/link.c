/*
 * What stands before the IP header, by link type (the registry of LINKTYPE_ values).
 */
#include "passive/telescope/packet_inner.h"

enum ether_type {
	ETHER_IPV4 = 0x0800, ETHER_IPV6 = 0x86dd,
	ETHER_VLAN = 0x8100, ETHER_SERVICE_VLAN = 0x88a8, ETHER_OLD_QINQ = 0x9100, /* and up to 0x9300 */
};

static bool is_tag(uint16_t type)
{
	return type == ETHER_VLAN || type == ETHER_SERVICE_VLAN || (type & 0xfcff) == (ETHER_OLD_QINQ & 0xfcff);
}

static enum network network_of(uint16_t type)
{
	return type == ETHER_IPV4 ? NETWORK_IPV4 : type == ETHER_IPV6 ? NETWORK_IPV6 : NETWORK_OTHER;
}

/* IEEE 802.1Q tags, stacked as 802.1ad does and deeper. */
static enum network skip_tags(uint16_t type, struct reader *r)
{
	for (unsigned i = 0; is_tag(type); i++) {
		if (i == VLAN_TAGS_MAX)
			return NETWORK_OTHER;
		read_u16(r);
		type = read_u16(r);
	}
	return network_of(type);
}

/*
 * BSD's address family, in the byte order of the machine that captured (LOOP: in the network's);
 * families above 65535 do not exist, which tells the order.  IPv6 is 24, 28, 30 or, on Linux, 10.
 */
static enum network network_of_family(uint32_t family)
{
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	if (family == 2)
		return NETWORK_IPV4;
	return family == 24 || family == 28 || family == 30 || family == 10 ? NETWORK_IPV6 : NETWORK_OTHER;
}

enum network link_strip(uint16_t link, struct reader *r)
{
	uint16_t type;
	switch (link) {
	case LINK_ETHERNET:
		read_bytes(r, 12);
		return skip_tags(read_u16(r), r);
	case LINK_LINUX_COOKED:
		read_bytes(r, 14);
		return skip_tags(read_u16(r), r);
	case LINK_LINUX_COOKED2:
		type = read_u16(r);
		read_bytes(r, 18);
		return skip_tags(type, r);
	case LINK_RAW:
	case LINK_RAW_OLD:
		return NETWORK_EITHER;
	case LINK_IPV4:
		return NETWORK_IPV4;
	case LINK_IPV6:
		return NETWORK_IPV6;
	case LINK_NULL:
	case LINK_LOOP:
		return network_of_family(read_u32(r));
	default:
		return NETWORK_OTHER;
	}
}
