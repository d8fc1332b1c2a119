/*
 * The conference (T.125, MS-RDPBCGR 1.3.1.1): what the client brings, its channels, and the
 * password that it sends when no NLA came before.
 */
#include "passive/accounts.h"
#include "passive/services/rdp/rdp.h"
#include "passive/services/windows/wide.h"

enum mcs { ERECT_DOMAIN = 0x04, DISCONNECT = 0x20, ATTACH_USER = 0x28, JOIN = 0x38, SEND_DATA = 0x64 };
enum block { CORE = 0xc001, SECURITY = 0xc002, NETWORK = 0xc003 };
enum { GLOBAL = 1003, SEC_INFO = 0x40, INFO_UNICODE = 0x10 };
#define INFO_TEXT_MAX 512

void rdp_say_data(struct session *s, struct bytes b)
{
	uint8_t room[RDP_MESSAGE_MAX];
	struct writer w = writer_of(room, sizeof room);
	write_u16(&w, 0x0300);
	write_u16(&w, (uint16_t)(b.len + 7));
	write_bytes(&w, "\x02\xf0\x80", 3);
	write_span(&w, b);
	session_say_bytes(s, writer_bytes(&w));
}

static void tell_channels(struct session *s, struct rdp *rdp, struct reader *r)
{
	char line[RDP_CHANNELS_MAX * 9 + 1];
	struct writer w = writer_of(line, sizeof line);
	uint32_t count = read_le32(r);
	bool bluekeep = false;
	rdp->channels = 0;
	for (uint32_t i = 0; i < count && i < RDP_CHANNELS_MAX; i++) {
		char name[9] = "";
		struct bytes b = read_bytes(r, 8);
		read_le32(r);
		if (!reader_ok(r))
			break;
		memcpy(name, b.at, 8);
		write_fmt(&w, "%s%s", i ? "," : "", name);
		/* CVE-2019-0708: the one channel that no client has a reason to ask for. */
		bluekeep |= names_equal(bytes_of_text(name), BYTES("MS_T120"));
		rdp->channels++;
	}
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, BYTES("channels"));
	event_set_bytes(e, FIELD_TARGET, writer_bytes(&w));
	if (bluekeep)
		event_set_text(e, FIELD_RULE, "bluekeep");
}

static uint16_t size_within(uint16_t size, uint16_t least, uint16_t most)
{
	return size < least ? least : size > most ? most : size;
}

/* TS_UD_CS_CORE: the size of its screen, and its name. */
static void tell_client(struct session *s, struct rdp *rdp, struct reader *r)
{
	char name[64];
	read_le32(r);
	rdp->width = size_within(read_le16(r), 640, 4096) & ~3u;
	rdp->height = size_within(read_le16(r), 480, 2160);
	read_bytes(r, 12);
	struct bytes wide = read_bytes(r, 32);
	if (!reader_ok(r))
		return;
	struct bytes text = utf16_text(wide, name, sizeof name);
	text.len = strlen(name);
	if (!text.len)
		return;
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, BYTES("connect"));
	event_set_bytes(e, FIELD_AGENT, text);
}

static void read_blocks(struct session *s, struct rdp *rdp, struct bytes in)
{
	size_t at = bytes_find(in, "Duca"); /* the key of conference data from the client */
	struct reader r = reader_of_bytes(in);
	read_bytes(&r, at + 4);
	if (reader_ok(&r) && read_u8(&r) & 0x80)
		read_u8(&r);
	while (reader_left(&r) >= 4) {
		uint16_t type = read_le16(&r);
		size_t len = read_le16(&r);
		struct reader block = reader_of_bytes(read_bytes(&r, len < 4 ? SIZE_MAX : len - 4));
		if (!reader_ok(&r))
			return;
		if (type == CORE)
			tell_client(s, rdp, &block);
		else if (type == NETWORK)
			tell_channels(s, rdp, &block);
	}
}

/* A certificate of the proprietary kind (MS-RDPBCGR 2.2.1.4.3.1.1); its key is nobody's. */
static void write_old_certificate(struct session *s, struct writer *w)
{
	write_le32(w, 1);
	write_le32(w, 1);
	write_le32(w, 1);
	write_le16(w, 6);
	write_le16(w, 20 + 264);
	write_text(w, "RSA1");
	write_le32(w, 264);
	write_le32(w, 2048);
	write_le32(w, 255);
	write_le32(w, 65537);
	for (unsigned i = 0; i < 32; i++)
		write_le64(w, windows_number(s, 60 + i) | 1);
	write_le64(w, 0);
	write_le16(w, 8);
	write_le16(w, 72);
	for (unsigned i = 0; i < 8; i++)
		write_le64(w, windows_number(s, 100 + i));
	write_le64(w, 0);
}

static void write_server_blocks(struct session *s, const struct rdp *rdp, struct writer *w)
{
	write_le16(w, 0x0c01);
	write_le16(w, 16);
	write_le32(w, rdp->system->major >= 10 ? 0x000a000b : rdp->system->minor >= 2 ? 0x00080005 : 0x00080004);
	write_le32(w, rdp->asked);
	write_le32(w, rdp->system->minor >= 2 ? 7 : 1);
	write_le16(w, 0x0c03);
	write_le16(w, 8u + 2u * ((rdp->channels + 1u) & ~1u));
	write_le16(w, GLOBAL);
	write_le16(w, rdp->channels);
	for (unsigned i = 0; i < rdp->channels; i++)
		write_le16(w, GLOBAL + 1 + i);
	if (rdp->channels % 2)
		write_le16(w, 0);
	write_le16(w, 0x0c02);
	size_t at = writer_used(w);
	write_le16(w, 0);
	bool plain = rdp->protocol == RDP_STANDARD;
	write_le32(w, plain ? 2 : 0);
	write_le32(w, plain ? 2 : 0);
	if (plain) {
		write_le32(w, 32);
		size_t size_at = writer_used(w);
		write_le32(w, 0);
		for (unsigned i = 0; i < 4; i++)
			write_le64(w, session_random(s));
		size_t from = writer_used(w);
		write_old_certificate(s, w);
		write_little_at(w, size_at, writer_used(w) - from, 4);
	}
	write_little_at(w, at, writer_used(w) - at + 2, 2);
}

static void say_connect_response(struct session *s, struct rdp *rdp)
{
	uint8_t blocks_room[1024], room[1536];
	struct writer blocks = writer_of(blocks_room, sizeof blocks_room);
	struct writer w = writer_of(room, sizeof room);
	write_server_blocks(s, rdp, &blocks);
	size_t n = writer_used(&blocks), conference = 23 + n;
	write_u16(&w, 0x7f66);
	write_u8(&w, 0x82);
	write_u16(&w, (uint16_t)(34 + 4 + conference));
	write_span(&w, BYTES("\x0a\x01\x00\x02\x01\x00"
			     "\x30\x1a\x02\x01\x22\x02\x01\x03\x02\x01\x00\x02\x01\x01"
			     "\x02\x01\x00\x02\x01\x01\x02\x03\x00\xff\xf8\x02\x01\x02"));
	write_u16(&w, 0x0482);
	write_u16(&w, (uint16_t)conference);
	write_span(&w, BYTES("\x00\x05\x00\x14\x7c\x00\x01\x2a\x14\x76\x0a\x01\x01\x00\x01\xc0\x00McDn"));
	write_u16(&w, (uint16_t)(0x8000 | n));
	write_span(&w, writer_bytes(&blocks));
	rdp_say_data(s, writer_bytes(&w));
}

static struct bytes info_text(struct reader *r, size_t len, bool wide, char out[INFO_TEXT_MAX])
{
	struct bytes b = read_bytes(r, len);
	read_bytes(r, wide ? 2 : 1);
	if (wide)
		return utf16_text(b, out, INFO_TEXT_MAX);
	bytes_copy_text(b, out, INFO_TEXT_MAX);
	return b;
}

/* TS_INFO_PACKET (MS-RDPBCGR 2.2.1.11.1.1): who wants in, and with which password. */
static void client_info(struct session *s, struct rdp *rdp, struct reader *r)
{
	char domain[INFO_TEXT_MAX], user[INFO_TEXT_MAX], secret[INFO_TEXT_MAX];
	read_le32(r);
	bool wide = read_le32(r) & INFO_UNICODE;
	size_t domain_len = read_le16(r), user_len = read_le16(r), secret_len = read_le16(r);
	read_le32(r);
	info_text(r, domain_len, wide, domain);
	struct bytes who = info_text(r, user_len, wide, user);
	struct bytes word = info_text(r, secret_len, wide, secret);
	if (!reader_ok(r) || rdp->phase != RDP_CONFERENCE)
		return;
	if (rdp->protocol == RDP_TLS && who.len)
		rdp->logged_in = accounts_accept(s, &rdp->device->accounts, who, word);
	/* Server License Error: STATUS_VALID_CLIENT, which means that no licence is asked for. */
	static const uint8_t licence[] = {0x68, 0x00, 0x01, 0x03, 0xeb, 0x70, 0x14, 0x80, 0x00,
					  0x00, 0x00, 0xff, 0x03, 0x10, 0x00, 0x07, 0x00, 0x00,
					  0x00, 0x02, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00};
	rdp_say_data(s, (struct bytes){licence, sizeof licence});
	rdp_desktop_open(s, rdp);
}

static void send_data(struct session *s, struct rdp *rdp, struct reader *r)
{
	read_u16(r); /* initiator */
	uint16_t channel = read_u16(r);
	read_u8(r);
	if (read_u8(r) & 0x80)
		read_u8(r);
	if (rdp->phase == RDP_ACTIVE) {
		if (channel == GLOBAL)
			rdp_desktop_take(s, rdp, r);
		return;
	}
	struct reader ahead = *r;
	if (read_le16(&ahead) & SEC_INFO && rdp->protocol != RDP_STANDARD) {
		read_le16(&ahead);
		ahead = *r;
		read_le32(&ahead);
		client_info(s, rdp, &ahead);
	}
}

enum service_next rdp_conference(struct session *s, struct rdp *rdp, struct bytes b)
{
	struct reader r = reader_of_bytes(b);
	uint8_t type = read_u8(&r);
	uint8_t confirm[8] = {0x3e, 0, 0, 6};
	if (type == 0x7f) {
		read_blocks(s, rdp, b);
		say_connect_response(s, rdp);
		return SERVICE_CONTINUE;
	}
	switch (type & 0xfc) {
	case ERECT_DOMAIN:
		return SERVICE_CONTINUE;
	case ATTACH_USER:
		rdp_say_data(s, BYTES("\x2e\x00\x00\x06"));
		return SERVICE_CONTINUE;
	case JOIN:
		read_u16(&r);
		little_put(confirm + 4, little_get(r.at, reader_left(&r) >= 2 ? 2 : 0), 2);
		memcpy(confirm + 6, confirm + 4, 2);
		rdp_say_data(s, (struct bytes){confirm, 8});
		return SERVICE_CONTINUE;
	case SEND_DATA:
		send_data(s, rdp, &r);
		return SERVICE_CONTINUE;
	}
	return SERVICE_CLOSE;
}
