/* What stands before the IP header (the registry of LINKTYPE_ values): hardware is ours, too, and is emptied. */
#include "share/anonymise/packet_inner.h"

enum { TYPE_IPV4 = 0x0800, TYPE_ARP = 0x0806, TYPE_IPV6 = 0x86dd, TYPE_VLAN = 0x8100, TYPE_SERVICE_VLAN = 0x88a8 };
enum { LINK_BSD = 0, LINK_ETHERNET = 1, LINK_RAW_OLD = 12, LINK_RAW_OPENBSD = 14, LINK_RAW = 101, LINK_LOOP = 108, LINK_COOKED = 113, LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_COOKED2 = 276 };

/* RFC 826 for Ethernet and IPv4; of others nothing is kept. */
static void arp_change(struct packet *p, uint8_t *at, size_t len)
{
	static const uint8_t ours[6] = {0, 1, 8, 0, 6, 4};
	struct sum none = {0};
	if (len < 28 || memcmp(at, ours, sizeof ours)) {
		memset(at, 0, len);
		return;
	}
	memset(at + 8, 0, 6);
	packet_change_v4(p, at + 14, PLACE_SRC, &none);
	memset(at + 18, 0, 6);
	packet_change_v4(p, at + 24, PLACE_DST, &none);
	memset(at + 28, 0, len - 28);
}

static void typed_change(struct packet *p, unsigned type, uint8_t *at, size_t len)
{
	if (type == TYPE_IPV4 || type == TYPE_IPV6)
		packet_ip(p, at, len, 0);
	else if (type == TYPE_ARP)
		arp_change(p, at, len);
	else /* such as LLDP and CDP, which name switches */
		memset(at, 0, len);
}

/* Empties some bytes of the header and says where the type stands. */
static void headed_change(struct packet *p, uint8_t *at, size_t len, size_t type_at, size_t header, size_t clear, size_t clear_len)
{
	if (len < header) {
		memset(at, 0, len);
		return;
	}
	unsigned type = (unsigned)at[type_at] << 8 | at[type_at + 1];
	memset(at + clear, 0, clear_len);
	/* Numbers of VLANs are ours, their nesting is not. */
	while ((type == TYPE_VLAN || type == TYPE_SERVICE_VLAN) && header + 4 <= len) {
		memset(at + header, 0, 2);
		type = (unsigned)at[header + 2] << 8 | at[header + 3];
		header += 4;
	}
	typed_change(p, type, at + header, len - header);
}

void view_packet(struct view *v, unsigned link_type, uint8_t *at, size_t len)
{
	struct packet p = {.view = v};
	switch (link_type) {
	case LINK_ETHERNET:
		headed_change(&p, at, len, 12, 14, 0, 12);
		return;
	case LINK_COOKED:
		headed_change(&p, at, len, 14, 16, 6, 8);
		return;
	case LINK_COOKED2: {
		/* The interface's number, and the link's address. */
		if (len >= 20)
			memset(at + 4, 0, 4);
		headed_change(&p, at, len, 0, 20, 12, 8);
		return;
	}
	case LINK_BSD:
	case LINK_LOOP:
		if (len > 4)
			packet_ip(&p, at + 4, len - 4, 0);
		return;
	case LINK_RAW_OLD:
	case LINK_RAW_OPENBSD:
	case LINK_RAW:
	case LINK_IPV4:
	case LINK_IPV6:
		packet_ip(&p, at, len, 0);
		return;
	default:
		memset(at, 0, len);
	}
}
