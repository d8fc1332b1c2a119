/* A file: one line of JSON for each notice, for whatever reads logs. */
#include "share/notice.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int check(const struct way_options *o, struct fault *fault)
{
	return *o->to == '/' ? 0
			     : fault_set(fault, ERR_BAD, "\"%s\" is no absolute path; /var/log/kansoku-notices.json would be right",
					 o->to);
}

static int append(int fd, struct bytes b, struct fault *fault)
{
	while (b.len) {
		ssize_t n = write(fd, b.at, b.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault_set(fault, ERR_SYSTEM, "it cannot be written: %s", strerror(errno));
		b = (struct bytes){b.at + n, b.len - (size_t)n};
	}
	return 0;
}

static int send_notice(const struct way_options *o, int fd, const struct notice *n, struct fault *fault)
{
	(void)o;
	const size_t size = n->event.len + 2048;
	char *text = malloc(size);
	struct writer w = writer_of(text, text ? size : 0);
	notice_write_json(n, &w);
	write_u8(&w, '\n');
	int bad = w.bad ? fault_set(fault, ERR_MEMORY, "no memory") : append(fd, writer_bytes(&w), fault);
	free(text);
	return bad;
}

static const struct notice_way file_way = {
	.name = "file",
	.summary = "appends one line of JSON; the file is opened at the start, so rotate it by copy and truncate",
	.to = "an absolute path",
	.reference = "RFC 8259",
	.file = true,
	.check = check,
	.send = send_notice,
};
NOTICE_WAY(file_way);
