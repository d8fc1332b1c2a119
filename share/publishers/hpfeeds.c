/* Publisher of hpfeeds: each line of an output is one message on a channel. */
#include "share/reading/hpfeeds_inner.h"
#include "share/publisher.h"
#include <stdlib.h>
#include <unistd.h>

#define SEND_MS 20000u
#define LINES_MAX 1000  /* between two looks at what the broker has to say */
#define ANSWER_MS 300u  /* who may not publish is told, and hung up on, at once */

static int look(struct client_call *call, int fd, struct buffer *in, struct fault *fault)
{
	struct hpfeeds_frame f;
	int bad = hpfeeds_fill(call, fd, in, ANSWER_MS, fault), got = 0;
	/* An error that came before the end of the connection says more than that. */
	while ((got = hpfeeds_next(in, &f, fault)) > 0)
		;
	return got < 0 ? got : bad;
}

static int send_line(struct client_call *call, int fd, struct bytes line, struct fault *fault)
{
	const char *channel = client_option(call, "channel");
	struct bytes ident, secret;
	if (!channel || !*channel)
		return fault_set(fault, ERR_BAD, "options.channel names none");
	if (!client_key_parts(call, &ident, &secret))
		return fault_set(fault, ERR_BAD, "key_file holds no IDENT:SECRET");
	const size_t size = line.len + 2 * (HPFEEDS_TEXT_MAX + 1) + 5;
	uint8_t *room = malloc(size);
	struct writer w = writer_of(room, room ? size : 0);
	hpfeeds_write(&w, &(struct hpfeeds_frame){.code = HPFEEDS_PUBLISH, .first = ident, .second = bytes_of_text(channel), .rest = line});
	int bad = w.bad ? fault_set(fault, ERR_FULL, "a message or the channel's name is too long")
			: client_send(call, fd, writer_bytes(&w), SEND_MS, fault);
	free(room);
	return bad;
}

static int send_all(struct client_call *call, int fd, struct buffer *in, struct publication *p, struct fault *fault)
{
	struct bytes line;
	int bad = look(call, fd, in, fault);
	bool more = !bad;
	while (more && !bad && !client_stopped(call)) {
		for (size_t n = 0; n < LINES_MAX && !bad && (more = publication_line(p, &line, fault)); n++)
			bad = line.len ? send_line(call, fd, line, fault) : 0;
		bad = bad ? bad : fault->text[0] ? ERR_SYSTEM : look(call, fd, in, fault);
		if (!bad)
			publication_arrived(p);
	}
	return bad ? bad : more ? fault_set(fault, ERR_GONE, "it was stopped") : 0;
}

static int publish(struct client_call *call, struct publication *p, struct fault *fault)
{
	struct buffer in = BUFFER(HPFEEDS_FRAME_MAX + (128u << 10));
	int fd = hpfeeds_open(call, &in, fault);
	int bad = fd < 0 ? ERR_GONE : send_all(call, fd, &in, p, fault);
	if (fd >= 0)
		close(fd);
	buffer_done(&in);
	return bad;
}

static const struct client_option options[] = {
	{"channel", "on which it is published"},
	{0},
};

static const struct publisher hpfeeds_publisher = {
	.name = "hpfeeds",
	.summary = "publishes a message for each event to a broker of hpfeeds",
	.reference = "hpfeeds wire protocol",
	.scheme = "hpfeeds",
	.key = "IDENT:SECRET",
	.output = "jsonl",
	.any_output = true,
	.options = options,
	.publish = publish,
};
PUBLISHER(hpfeeds_publisher);
