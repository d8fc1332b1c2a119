#include "active/prober/segments_inner.h"
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
/* The kernel's header, not libc's, which knows no tcpi_segs_out; the two cannot meet in a file. */
#include <linux/tcp.h>

unsigned segments_sent(int fd)
{
	struct tcp_info told;
	socklen_t len = sizeof told;
	memset(&told, 0, sizeof told);
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &told, &len) == 0 ? told.tcpi_segs_out : 0;
}

#define STATE_CLOSE_WAIT 8 /* as include/net/tcp_states.h numbers it */

bool segments_end_at_once(int fd)
{
	struct tcp_info told;
	socklen_t len = sizeof told;
	uint8_t unread;
	memset(&told, 0, sizeof told);
	bool half_closed = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &told, &len) == 0 && told.tcpi_state == STATE_CLOSE_WAIT;
	return half_closed || recv(fd, &unread, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}
