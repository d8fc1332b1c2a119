/* What the helper in a box tells, read as what it is: bytes of who may be an attacker by now. */
#include "active/visit/browser/browser_inner.h"

int64_t inside_records_read(struct bytes all, bool *ended, void (*each)(void *arg, const struct inside_record *), void *arg)
{
	struct reader r = reader_of_bytes(all);
	size_t taken = 0;
	*ended = false;
	while (!*ended) {
		struct inside_record record = {.kind = read_u8(&r), .size = read_u64(&r)};
		const uint16_t name = read_u16(&r);
		const uint32_t content = read_u32(&r);
		if (!reader_ok(&r))
			break;
		if (name > INSIDE_NAME_MAX || content > INSIDE_FILE_MAX)
			return ERR_BAD;
		record.name = read_bytes(&r, name);
		record.content = read_bytes(&r, content);
		if (!reader_ok(&r))
			break;
		taken = all.len - reader_left(&r);
		switch (record.kind) {
		case INSIDE_END:
			*ended = true;
			break;
		case INSIDE_PROCESS:
		case INSIDE_SOCKET:
		case INSIDE_FILE:
		case INSIDE_ENDED:
			each(arg, &record);
			break;
		default:
			return ERR_BAD;
		}
	}
	return (int64_t)taken;
}
