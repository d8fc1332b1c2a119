/*
 * What is seen and done once the conference stands (MS-RDPBCGR 1.3.1.1, from the capabilities on):
 * the colours of a log-on screen, or of an empty desktop for who has logged in.  Nothing on it
 * answers; what is typed is told line by line, with the keys that are no letters by their names.
 */
#include "passive/services/rdp/rdp.h"
#include "passive/services/windows/wide.h"

enum pdu { DEMAND_ACTIVE = 0x11, CONFIRM_ACTIVE = 0x13, DATA = 0x17 };
enum data_pdu { UPDATE = 2, CONTROL = 20, INPUT = 28, SYNCHRONIZE = 31, FONT_LIST = 39, FONT_MAP = 40 };
enum { CONTROL_REQUEST = 1, CONTROL_GRANTED = 2, CONTROL_COOPERATE = 4 };
enum { EVENT_SCANCODE = 4, EVENT_UNICODE = 5, KEY_RELEASED = 0x8000, KEY_EXTENDED = 0x100 };
enum { SERVER = 1002, SHARE_ID = 0x103ea };

#define PIXELS_MAX 32768u /* of one rectangle: a run tells its length in 16 bits */
#define EVENTS_AT_ONCE 256
#define LINES_MAX 200
#define TASKBAR 40

/* A set of capabilities begins with its type and its length. */
static void capability(struct writer *w, unsigned type, struct bytes content)
{
	write_le16(w, type);
	write_le16(w, content.len + 4);
	write_span(w, content);
}

static void write_capabilities(const struct rdp *rdp, struct writer *w)
{
	uint8_t bitmap[24] = {16, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1};
	uint8_t order[84] = {0}, input[84] = {0x15, 0};
	little_put(bitmap + 8, rdp->width, 2);
	little_put(bitmap + 10, rdp->height, 2);
	order[20] = 1;
	order[22] = 20;
	order[26] = 1;
	order[30] = 0x22;
	capability(w, 9, BYTES("\xea\x03\0\0"));
	capability(w, 1, BYTES("\1\0\3\0\0\2\0\0\0\0\x05\0\0\0\0\0\0\0\1\1"));
	capability(w, 2, (struct bytes){bitmap, sizeof bitmap});
	capability(w, 14, BYTES("\1\0\0\0"));
	capability(w, 3, (struct bytes){order, sizeof order});
	capability(w, 8, BYTES("\1\0\x19\0\x19\0"));
	capability(w, 13, (struct bytes){input, sizeof input});
	capability(w, 20, BYTES("\0\0\0\0\x40\x06\0\0"));
}

/* A PDU of sharing, in an indication to all. */
static void say_share(struct session *s, enum pdu type, struct bytes content)
{
	uint8_t room[2048];
	struct writer w = writer_of(room, sizeof room);
	size_t len = content.len + 6;
	write_span(&w, BYTES("\x68\x00\x01\x03\xeb\x70"));
	write_u16(&w, (uint16_t)(0x8000 | len));
	write_le16(&w, len);
	write_le16(&w, type);
	write_le16(&w, SERVER);
	write_span(&w, content);
	if (!w.bad)
		rdp_say_data(s, writer_bytes(&w));
}

static void say_share_data(struct session *s, enum data_pdu type, struct bytes content)
{
	uint8_t room[2048];
	struct writer w = writer_of(room, sizeof room);
	write_le32(&w, SHARE_ID);
	write_u16(&w, 1);
	write_le16(&w, content.len + 4);
	write_u8(&w, (uint8_t)type);
	write_zero(&w, 3);
	write_span(&w, content);
	if (!w.bad)
		say_share(s, DATA, writer_bytes(&w));
}

void rdp_desktop_open(struct session *s, struct rdp *rdp)
{
	uint8_t room[512], sets_room[400];
	struct writer w = writer_of(room, sizeof room), sets = writer_of(sets_room, sizeof sets_room);
	rdp->phase = RDP_ACTIVE;
	if (!rdp->width) {
		rdp->width = 1024;
		rdp->height = 768;
	}
	write_capabilities(rdp, &sets);
	write_le32(&w, SHARE_ID);
	write_le16(&w, 4);
	write_le16(&w, writer_used(&sets) + 4);
	write_bytes(&w, "RDP", 4);
	write_le16(&w, 8);
	write_le16(&w, 0);
	write_span(&w, writer_bytes(&sets));
	write_le32(&w, 0);
	say_share(s, DEMAND_ACTIVE, writer_bytes(&w));
}

/* One rectangle of one colour: a single run of pixels (MS-RDPBCGR 2.2.9.1.1.3.1.2.4). */
static void fill(struct session *s, unsigned left, unsigned top, unsigned width, unsigned height,
		 uint16_t colour)
{
	unsigned lines_max = width ? PIXELS_MAX / width : 0;
	for (unsigned done = 0, lines; done < height && lines_max; done += lines) {
		uint8_t room[64];
		struct writer w = writer_of(room, sizeof room);
		lines = height - done < lines_max ? height - done : lines_max;
		unsigned row = (width + 3) & ~3u;
		write_le16(&w, 1);
		write_le16(&w, 1);
		write_le16(&w, left);
		write_le16(&w, top + done);
		write_le16(&w, left + width - 1);
		write_le16(&w, top + done + lines - 1);
		write_le16(&w, row);
		write_le16(&w, lines);
		write_le16(&w, 16);
		write_le16(&w, 1); /* compressed, with a head of its own */
		write_le16(&w, 8 + 5);
		write_le16(&w, 0);
		write_le16(&w, 5);
		write_le16(&w, row * 2);
		write_le16(&w, row * lines * 2);
		write_u8(&w, 0xf3);
		write_le16(&w, row * lines);
		write_le16(&w, colour);
		say_share_data(s, UPDATE, writer_bytes(&w));
	}
}

static void draw(struct session *s, const struct rdp *rdp)
{
	unsigned width = rdp->width, height = rdp->height;
	if (!rdp->logged_in) { /* the picture of a user and a field for the password */
		fill(s, 0, 0, width, height, rdp->system->major >= 10 ? 0x0000 : 0x1b94);
		fill(s, width / 2 - 64, height / 2 - 140, 128, 128, 0x9cf3);
		fill(s, width / 2 - 96, height / 2 + 40, 192, 28, 0xffff);
		return;
	}
	fill(s, 0, 0, width, height - TASKBAR, rdp->system->server ? 0x0000 : 0x1b94);
	fill(s, 0, height - TASKBAR, width, TASKBAR, 0x10a2);
	for (unsigned i = 0; i < 4; i++)
		fill(s, 16 + 9 * (i % 2), height - 28 + 9 * (i / 2), 8, 8, 0xffff);
}

static void tell_line(struct session *s, struct rdp *rdp)
{
	size_t len = rdp->typed_len;
	rdp->typed_len = 0;
	if (!len || rdp->lines >= LINES_MAX)
		return;
	rdp->lines++;
	struct event *e = session_report(s, EVENT_COMMAND_SENT);
	event_set_bytes(e, FIELD_COMMAND_LINE, (struct bytes){(uint8_t *)rdp->typed, len});
}

static void typed(struct session *s, struct rdp *rdp, const char *text)
{
	size_t len = strlen(text);
	session_typed(s, (struct bytes){(const uint8_t *)text, len});
	if (rdp->typed_len + len > sizeof rdp->typed)
		tell_line(s, rdp);
	memcpy(rdp->typed + rdp->typed_len, text, len);
	rdp->typed_len = (uint16_t)(rdp->typed_len + len);
}

/* Keys of the American layout, by the codes of the first set. */
static void key(struct session *s, struct rdp *rdp, unsigned flags, unsigned code)
{
	static const char plain[] = "\0\0331234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
	static const char shifted[] = "\0\033!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";
	bool down = !(flags & KEY_RELEASED);
	if (code == 0x2a || code == 0x36) {
		rdp->shift = down;
		return;
	}
	if (!down)
		return;
	const char *name = code == 0x1d   ? "{Ctrl}"
			   : code == 0x38 ? "{Alt}"
			   : code == 0x01 ? "{Esc}"
			   : code == 0x0e ? "{Backspace}"
			   : code == 0x0f ? "{Tab}"
			   : code == 0x53 ? "{Del}"
					  : NULL;
	if (flags & KEY_EXTENDED && (code == 0x5b || code == 0x5c))
		name = "{Win}";
	char letter[2] = {code < sizeof plain - 1 ? rdp->shift ? shifted[code] : plain[code] : '\0', '\0'};
	if (code == 0x1c)
		tell_line(s, rdp);
	else if (name)
		typed(s, rdp, name);
	else if (letter[0])
		typed(s, rdp, letter);
}

static void input(struct session *s, struct rdp *rdp, struct reader *r)
{
	unsigned count = read_le16(r);
	read_le16(r);
	for (unsigned i = 0; i < count && i < EVENTS_AT_ONCE; i++) {
		read_le32(r);
		unsigned type = read_le16(r), flags = read_le16(r), code = read_le16(r);
		read_le16(r);
		if (!reader_ok(r))
			return;
		char letter[4] = {0};
		uint8_t wide[2] = {(uint8_t)code, (uint8_t)(code >> 8)};
		if (type == EVENT_SCANCODE)
			key(s, rdp, flags, code);
		if (type != EVENT_UNICODE || flags & KEY_RELEASED)
			continue;
		utf16_text((struct bytes){wide, 2}, letter, sizeof letter);
		if (code == '\r' || code == '\n')
			tell_line(s, rdp);
		else
			typed(s, rdp, letter);
	}
}

static void control(struct session *s, struct reader *r)
{
	uint8_t room[8] = {CONTROL_COOPERATE};
	unsigned action = read_le16(r);
	if (action == CONTROL_REQUEST) {
		room[0] = CONTROL_GRANTED;
		little_put(room + 2, RDP_USER, 2);
		little_put(room + 4, SERVER, 2);
	} else if (action != CONTROL_COOPERATE) {
		return;
	}
	say_share_data(s, CONTROL, (struct bytes){room, sizeof room});
}

void rdp_desktop_take(struct session *s, struct rdp *rdp, struct reader *r)
{
	read_le16(r);
	unsigned type = read_le16(r) & 0x1f;
	read_le16(r);
	if (type != DATA)
		return;
	read_bytes(r, 8);
	unsigned kind = read_u8(r);
	read_bytes(r, 3);
	if (!reader_ok(r))
		return;
	switch (kind) {
	case SYNCHRONIZE:
		say_share_data(s, SYNCHRONIZE, BYTES("\1\0\xef\x03"));
		return;
	case CONTROL:
		control(s, r);
		return;
	case FONT_LIST:
		say_share_data(s, FONT_MAP, BYTES("\0\0\0\0\3\0\4\0"));
		if (!rdp->drawn)
			draw(s, rdp);
		rdp->drawn = true;
		return;
	case INPUT:
		input(s, rdp, r);
	}
}

void rdp_desktop_close(struct session *s, struct rdp *rdp)
{
	tell_line(s, rdp);
}
