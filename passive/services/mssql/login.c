/*
 * PRELOGIN, LOGIN7 and the log-in of TDS 4.2, which password guessers still send.
 *
 * A password comes scrambled, not encrypted (MS-TDS 2.2.6.4), so it is known.  A ticket of Windows
 * is NTLM, asked for and kept like that of other services.
 */
#include "passive/services/mssql/mssql.h"

enum encryption { ENCRYPT_OFF, ENCRYPT_ON, ENCRYPT_NOT_SUPPORTED, ENCRYPT_REQUIRED };

static void read_version(const struct mssql *m, unsigned v[4])
{
	v[0] = 11, v[1] = v[2] = v[3] = 0;
	sscanf(m->device->version, "%u.%u.%u.%u", &v[0], &v[1], &v[2], &v[3]);
}

/* What the client wants of encryption; its options stand at offsets. */
static uint8_t wanted_encryption(struct bytes prelogin)
{
	struct reader r = reader_of_bytes(prelogin);
	for (unsigned i = 0; i < 16; i++) {
		uint8_t option = read_u8(&r);
		uint16_t at = read_u16(&r), len = read_u16(&r);
		if (!reader_ok(&r) || option == 0xff)
			break;
		if (option == 1 && len && at < prelogin.len)
			return prelogin.at[at];
	}
	return ENCRYPT_NOT_SUPPORTED;
}

void mssql_greet(struct mssql *m, struct bytes prelogin, bool *secure)
{
	static const uint8_t options[] = {0, 0, 0x15, 0, 6, 1, 0, 0x1b, 0, 1, 2, 0, 0x1c, 0, 1, 3, 0, 0x1d, 0, 0, 0xff};
	unsigned v[4];
	uint8_t wanted = wanted_encryption(prelogin);
	read_version(m, v);
	*secure = wanted == ENCRYPT_ON || wanted == ENCRYPT_REQUIRED;
	write_bytes(&m->out, options, sizeof options);
	write_u8(&m->out, (uint8_t)v[0]);
	write_u8(&m->out, (uint8_t)v[1]);
	write_u16(&m->out, (uint16_t)v[2]);
	write_u16(&m->out, 0);
	write_u8(&m->out, *secure ? ENCRYPT_ON : ENCRYPT_NOT_SUPPORTED);
	write_u8(&m->out, 0);
	m->phase = MSSQL_LOGIN;
	mssql_flush(m);
}

static bool denied(struct mssql *m)
{
	mssql_say(m, true, 18456, 14, 1, "Login failed for user '%.*s'.", m->user_len, (const char *)m->user);
	mssql_done(m, 0xfd, 2, 0);
	mssql_flush(m);
	return false;
}

static void acknowledge(struct mssql *m)
{
	static const char product[] = "Microsoft SQL Server";
	unsigned v[4];
	read_version(m, v);
	uint8_t *from = m->out.at;
	write_bytes(&m->out, "\xad\0\0\1", 4);
	write_u32(&m->out, m->narrow ? 0x04020000 : m->tds);
	write_u8(&m->out, sizeof product - 1);
	if (m->narrow)
		write_text(&m->out, product);
	else
		mssql_write_wide(&m->out, bytes_of_text(product));
	write_u8(&m->out, (uint8_t)v[0]);
	write_u8(&m->out, (uint8_t)v[1]);
	write_u16(&m->out, (uint16_t)v[2]);
	if (!m->out.bad)
		from[1] = (uint8_t)(m->out.at - from - 3);
}

static bool admitted(struct mssql *m)
{
	m->phase = MSSQL_READY;
	mssql_change(m, 1, "master", "master");
	mssql_say(m, false, 5701, 0, 2, "Changed database context to 'master'.");
	if (!m->narrow)
		mssql_change(m, 7, "", "");
	mssql_change(m, 2, "us_english", "");
	mssql_say(m, false, 5703, 0, 1, "Changed language setting to us_english.");
	acknowledge(m);
	mssql_change(m, 4, "4096", "4096");
	mssql_done(m, 0xfd, 0, 0);
	mssql_flush(m);
	return true;
}

static bool judge(struct mssql *m, struct bytes user, struct bytes secret)
{
	m->user_len = (uint8_t)(user.len < MSSQL_USER_MAX ? user.len : MSSQL_USER_MAX);
	memcpy(m->user, user.at, m->user_len);
	return accounts_accept(m->session, &m->device->accounts, user, secret) ? admitted(m) : denied(m);
}

bool mssql_log_in_old(struct mssql *m, struct bytes message)
{
	m->narrow = true;
	m->tds = 0x42000000;
	if (message.len < 93 || message.at[61] > 30 || message.at[92] > 30)
		return false;
	return judge(m, (struct bytes){message.at + 31, message.at[61]}, (struct bytes){message.at + 62, message.at[92]});
}

/* What lies at one of the offsets of LOGIN7. */
static struct bytes part(struct bytes message, size_t slot, size_t unit)
{
	struct reader r = reader_of(message.at + slot, 4);
	size_t at = mssql_read_u16(&r), len = mssql_read_u16(&r) * unit;
	return at <= message.len && len <= message.len - at ? (struct bytes){message.at + at, len} : (struct bytes){0};
}

static bool ask_ticket(struct mssql *m, struct bytes ticket)
{
	uint8_t room[NTLM_CHALLENGE_MAX];
	struct writer w = writer_of(room, sizeof room);
	struct bytes found;
	if (ntlm_find(ticket, &found) != NTLM_NEGOTIATE)
		return denied(m);
	uint64_t random = session_random(m->session);
	memcpy(m->challenge, &random, 8);
	ntlm_write_challenge(&w, &m->host, ntlm_negotiate_flags(found), m->challenge, session_time_us(m->session));
	write_u8(&m->out, 0xed);
	write_u8(&m->out, (uint8_t)writer_used(&w));
	write_u8(&m->out, (uint8_t)(writer_used(&w) >> 8));
	write_span(&m->out, writer_bytes(&w));
	mssql_flush(m);
	m->phase = MSSQL_TICKET;
	return true;
}

bool mssql_ticket(struct mssql *m, struct bytes message)
{
	struct ntlm_login login;
	struct bytes found;
	uint8_t key[16];
	if (ntlm_find(message, &found) != NTLM_AUTHENTICATE || !ntlm_read(found, &login))
		return denied(m);
	memcpy(login.challenge, m->challenge, 8);
	m->user_len = (uint8_t)(login.user.len < MSSQL_USER_MAX ? login.user.len : MSSQL_USER_MAX);
	memcpy(m->user, login.user_text, m->user_len);
	return ntlm_decide(m->session, &m->device->accounts, &login, key) == NTLM_ACCEPTED ? admitted(m) : denied(m);
}

bool mssql_log_in(struct mssql *m, struct bytes message)
{
	struct arena *arena = session_arena(m->session);
	if (message.len < 86)
		return false;
	struct reader r = reader_of(message.at + 4, 4);
	m->tds = mssql_read_u32(&r);
	if (m->tds > 0x74000004 || m->tds < 0x70000000)
		m->tds = 0x74000004;
	struct bytes ticket = part(message, 78, 1), hidden = part(message, 44, 2);
	if (ticket.len)
		return ask_ticket(m, ticket);
	uint8_t *clear = arena_alloc(arena, hidden.len + 1);
	for (size_t i = 0; clear && i < hidden.len; i++) {
		uint8_t c = hidden.at[i] ^ 0xa5;
		clear[i] = (uint8_t)(c << 4 | c >> 4);
	}
	return judge(m, mssql_narrow(arena, part(message, 40, 2)),
		     mssql_narrow(arena, (struct bytes){clear, clear ? hidden.len : 0}));
}
