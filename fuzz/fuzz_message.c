/* Any bytes as a message that somebody mailed: what is found lies in it, or in the room beside it. */
#include "passive/services/mail/message.h"
#include <stdlib.h>

#define MESSAGE_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void within(struct bytes part, struct bytes raw, struct bytes room)
{
	bool in_raw = part.at >= raw.at && part.at + part.len <= raw.at + raw.len;
	bool in_room = part.at >= room.at && part.at + part.len <= room.at + room.len;
	if (part.len && !in_raw && !in_room)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint8_t decoded[MESSAGE_MAX];
	static struct message m;
	if (n > MESSAGE_MAX)
		return 0;
	const struct bytes raw = {data, n}, room = {decoded, n};
	message_read(&m, raw, decoded, n);
	if (m.decoded.bad || m.url_count > MESSAGE_URLS_MAX || m.file_count > MESSAGE_FILES_MAX)
		abort();
	for (size_t i = 0; i < m.url_count; i++)
		within(m.urls[i], raw, room);
	for (size_t i = 0; i < m.file_count; i++)
		within(m.files[i].content, raw, room);
	return 0;
}
