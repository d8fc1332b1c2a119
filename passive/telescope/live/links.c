/* What the kernel says of interfaces: rtnetlink(7), on a socket that the parent opened. */
#include "passive/telescope/live/live_inner.h"
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#define NEWS_MAX 16384

static void take_news(struct live *l, const struct nlmsghdr *h)
{
	const struct ifinfomsg *info = NLMSG_DATA(h);
	if (h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK)
		return;
	if (h->nlmsg_len < NLMSG_LENGTH(sizeof *info))
		return;
	const unsigned both = IFF_UP | IFF_RUNNING;
	bool down = h->nlmsg_type == RTM_DELLINK || (info->ifi_flags & both) != both;
	for (size_t i = 0; i < l->port_count; i++)
		if (l->ports[i].index == (unsigned)info->ifi_index)
			l->ports[i].down = down;
}

void live_links_read(struct live *l)
{
	_Alignas(struct nlmsghdr) uint8_t room[NEWS_MAX];
	struct sockaddr_nl from;
	socklen_t size = sizeof from;
	ssize_t n = recvfrom(l->links_fd, room, sizeof room, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
	if (n <= 0 || from.nl_pid != 0) /* 0: the kernel */
		return;
	size_t left = (size_t)n;
	for (const struct nlmsghdr *h = (const void *)room; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left))
		take_news(l, h);
}
