/*
 * MongoDB without a password, as ransom bots look for it, or with accounts to guess.
 *
 * Every command is told with its documents, so that the note which is left in place of the data
 * can be read; what is dropped is gone for that session only.
 */
#include "base/little.h"
#include "passive/services/mongodb/mongodb.h"
#include "base/options.h"

#define MESSAGE_MAX (512 * 1024)
#define HEADER 16

enum operation { OP_REPLY = 1, OP_INSERT = 2002, OP_QUERY = 2004, OP_MSG = 2013 };

static enum service_next mongo_open(struct session *s, void *state)
{
	struct mongo *m = state;
	m->session = s;
	m->device = session_device(s);
	m->connection = (uint32_t)(20 + session_device_seed(s) % 31 + session_time_us(s) / 1000000 % 2592000 / 257);
	return SERVICE_CONTINUE;
}

static void say(struct mongo *m, uint32_t to, enum operation kind, uint32_t count, struct bytes documents)
{
	uint8_t room[40];
	struct writer w = writer_of(room, sizeof room);
	write_little(&w, HEADER + (kind == OP_MSG ? 5 : 20) + documents.len, 4);
	write_little(&w, ++m->request + m->connection * 3, 4);
	write_little(&w, to, 4);
	write_little(&w, kind, 4);
	if (kind == OP_MSG) {
		write_little(&w, 0, 5); /* no flags; a section of one document */
	} else {
		write_little(&w, 8, 4); /* AwaitCapable */
		write_little(&w, 0, 12);
		write_little(&w, count, 4);
	}
	session_say_bytes(m->session, writer_bytes(&w));
	session_say_bytes(m->session, documents);
}

/* "database.command {...}": drivers' own chatter is not worth an event. */
static void report(struct mongo *m, struct bytes database, struct bytes command, struct bytes documents)
{
	static const char *const chatter[] = {"isMaster", "ismaster", "hello", "ping", "endSessions", "saslStart",
					      "saslContinue", "getLastError"};
	uint8_t line[MONGO_LINE_MAX];
	struct writer w = writer_of(line, sizeof line);
	struct reader inside;
	struct bson_element e;
	if (!bson_inside(command, &inside) || !bson_next(&inside, &e))
		return;
	for (size_t i = 0; i < sizeof chatter / sizeof *chatter; i++)
		if (bytes_equal_text(e.name, chatter[i]))
			return;
	write_fmt(&w, "%.*s ", (int)(database.len < 64 ? database.len : 64), (const char *)database.at);
	bson_print(command, &w);
	while (documents.len && !w.bad && bson_inside(documents, &inside)) {
		size_t len = reader_left(&inside) + 5;
		write_text(&w, " ");
		bson_print((struct bytes){documents.at, len}, &w);
		documents = (struct bytes){documents.at + len, documents.len - len};
	}
	struct event *t = session_report(m->session, EVENT_COMMAND_SENT);
	event_set_bytes(t, FIELD_COMMAND_LINE, writer_bytes(&w));
}

static void answer(struct mongo *m, uint32_t to, enum operation kind, struct bytes database, struct bytes command,
		   struct bytes documents)
{
	struct arena scratch = ARENA(MONGO_REPLY_MAX + 4096);
	uint8_t *room = arena_alloc(&scratch, MONGO_REPLY_MAX);
	struct bson b = {.w = writer_of(room, room ? MONGO_REPLY_MAX : 0)};
	report(m, database, command, documents);
	bson_open(&b, "", BSON_DOCUMENT);
	mongo_run(m, database, command, documents, &b);
	bson_close(&b);
	if (!b.w.bad && kind)
		say(m, to, kind, 1, writer_bytes(&b.w));
	arena_done(&scratch);
}

/* Sections: one document that is the command, and sequences of what it inserts. */
static bool message(struct mongo *m, uint32_t id, struct reader *r)
{
	struct bytes command = {0}, documents = {0};
	const uint8_t *flags = read_bytes(r, 4).at;
	if (!flags)
		return false;
	uint32_t set = little_get(flags, 4);
	if (set & 1 && reader_left(r) >= 4)
		r->end -= 4; /* a checksum */
	while (reader_left(r) > 5) {
		uint8_t kind = read_u8(r);
		uint32_t len = little_get(r->at, 4);
		if (len < 5 || len > reader_left(r))
			return false;
		struct bytes section = read_bytes(r, len);
		if (kind == 0) {
			command = section;
		} else if (kind == 1) {
			const uint8_t *nul = memchr(section.at + 4, 0, section.len - 4);
			size_t skip = nul ? (size_t)(nul + 1 - section.at) : section.len;
			documents = (struct bytes){section.at + skip, section.len - skip};
		} else {
			return false;
		}
	}
	struct bytes database = bson_find_text(command, "$db");
	if (!command.len)
		return false;
	answer(m, id, set & 2 ? 0 : OP_MSG, database, command, documents);
	return true;
}

static struct bytes read_namespace(struct reader *r, struct bytes *collection)
{
	const uint8_t *nul = memchr(r->at, 0, reader_left(r));
	struct bytes name = read_bytes(r, nul ? (size_t)(nul - r->at) : reader_left(r));
	size_t dot = bytes_find(name, ".");
	read_u8(r);
	*collection = dot < name.len ? (struct bytes){name.at + dot + 1, name.len - dot - 1} : (struct bytes){0};
	return (struct bytes){name.at, dot};
}

/* The old way: a query to "database.$cmd" is a command. */
static bool query(struct mongo *m, uint32_t id, struct reader *r)
{
	struct bytes collection;
	struct bson_element e;
	struct reader inside;
	read_bytes(r, 4);
	struct bytes database = read_namespace(r, &collection);
	read_bytes(r, 8);
	struct bytes command = read_rest(r);
	if (!reader_ok(r) || !bson_inside(command, &inside))
		return false;
	command.len = reader_left(&inside) + 5;
	if (!bytes_equal_text(collection, "$cmd")) {
		report(m, database, command, (struct bytes){0});
		say(m, id, OP_REPLY, 0, (struct bytes){0});
		return true;
	}
	if ((bson_find(command, "$query", &e) || bson_find(command, "query", &e)) && e.type == BSON_DOCUMENT &&
	    bytes_start_with((struct bytes){e.name.at, e.name.len}, "$"))
		command = e.value;
	answer(m, id, OP_REPLY, database, command, (struct bytes){0});
	return true;
}

static bool packet(struct mongo *m, struct bytes whole)
{
	struct reader r = reader_of(whole.at + HEADER, whole.len - HEADER);
	uint32_t id = little_get(whole.at + 4, 4);
	if (!m->planted) {
		m->planted = true;
		mongo_begin(m);
	}
	switch (little_get(whole.at + 12, 4)) {
	case OP_MSG:
		return message(m, id, &r);
	case OP_QUERY:
		return query(m, id, &r);
	default:
		return little_get(whole.at + 12, 4) >= 2001 && little_get(whole.at + 12, 4) <= 2007; /* they want no answer */
	}
}

static const char over_http[] =
	"HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 85\r\n\r\n"
	"It looks like you are trying to access MongoDB over HTTP on the native driver port.\r\n";

static enum service_next messages_take(struct session *s, struct mongo *m, struct reader *in)
{
	m->session = s;
	while (reader_left(in) >= HEADER) {
		uint32_t len = little_get(in->at, 4);
		if (!memcmp(in->at, "GET ", 4)) {
			session_say(s, "%s", over_http);
			return SERVICE_CLOSE;
		}
		if (len < HEADER + 1 || len > MESSAGE_MAX - 1)
			return SERVICE_CLOSE;
		if (reader_left(in) < len)
			break;
		if (!packet(m, read_bytes(in, len)))
			return SERVICE_CLOSE;
	}
	return SERVICE_CONTINUE;
}

static enum service_next mongo_input(struct session *s, void *state, struct reader *in)
{
	struct mongo *m = state;
	enum service_next next = messages_take(s, m, in);
	mongo_remember(m);
	return next;
}

static const struct exchange mongo_exchanges[] = {
	{"a driver says hello, old and new",
	 BYTES(":\0\0\0\3\0\0\0\0\0\0\0\324\7\0\0\0\0\0\0admin.$cmd\0\0\0\0\0\377\377\377\377\23"
	       "\0\0\0\20ismaster\0\1\0\0\0\0004\0\0\0\7\0\0\0\0\0\0\0\335\7\0\0\0\0\0\0\0\37\0\0"
	       "\0\20hello\0\1\0\0\0\2$db\0\6\0\0\0admin\0\0003\0\0\0\7\0\0\0\0\0\0\0\335\7\0\0\0"
	       "\0\0\0\0\36\0\0\0\20ping\0\1\0\0\0\2$db\0\6\0\0\0admin\0\0"),
	 BYTES("?\1\0\0\375f\0\0\3\0\0\0\1\0\0\0\10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\33\1\0"
	       "\0\10ismaster\0\1\3topologyVersion\0-\0\0\0\7processId\0T\370\356\0\t\226\326\241"
	       ")\201\35\210\22counter\0\0\0\0\0\0\0\0\0\0\20maxBsonObjectSize\0\0\0\0\1\20maxMe"
	       "ssageSizeBytes\0\0l\334\2\20maxWriteBatchSize\0\240\206\1\0\tlocalTime\0\0\10GrL"
	       "\1\0\0\20logicalSessionTimeoutMinutes\0\36\0\0\0\20connectionId\0T\"\0\0\20minWi"
	       "reVersion\0\0\0\0\0\20maxWireVersion\0\t\0\0\0\10readOnly\0\0\1ok\0\0\0\0\0\0\0\360"
	       "?\09\1\0\0\376f\0\0\7\0\0\0\335\7\0\0\0\0\0\0\0$\1\0\0\10isWritablePrimary\0\1\3"
	       "topologyVersion\0-\0\0\0\7processId\0T\370\356\0\t\226\326\241)\201\35\210\22cou"
	       "nter\0\0\0\0\0\0\0\0\0\0\20maxBsonObjectSize\0\0\0\0\1\20maxMessageSizeBytes\0\0"
	       "l\334\2\20maxWriteBatchSize\0\240\206\1\0\tlocalTime\0\0\10GrL\1\0\0\20logicalSe"
	       "ssionTimeoutMinutes\0\36\0\0\0\20connectionId\0T\"\0\0\20minWireVersion\0\0\0\0\0"
	       "\20maxWireVersion\0\t\0\0\0\10readOnly\0\0\1ok\0\0\0\0\0\0\0\360?\0&\0\0\0\377f\0"
	       "\0\7\0\0\0\335\7\0\0\0\0\0\0\0\21\0\0\0\1ok\0\0\0\0\0\0\0\360?\0"),
	 ""},
	{"a ransom bot",
	 BYTES("<\0\0\0\7\0\0\0\0\0\0\0\335\7\0\0\0\0\0\0\0'\0\0\0\20listDatabases\0\1\0\0\0\2$d"
	       "b\0\6\0\0\0admin\0\0:\0\0\0\7\0\0\0\0\0\0\0\335\7\0\0\0\0\0\0\0%\0\0\0\2create\0"
	       "\6\0\0\0users\0\2$db\0\5\0\0\0shop\0\0:\0\0\0\7\0\0\0\0\0\0\0\335\7\0\0\0\0\0\0\0"
	       "%\0\0\0\20dropDatabase\0\1\0\0\0\2$db\0\5\0\0\0shop\0\0\211\0\0\0\7\0\0\0\0\0\0\0"
	       "\335\7\0\0\0\0\0\0\0004\0\0\0\2insert\0\7\0\0\0README\0\10ordered\0\1\2$db\0\t\0"
	       "\0\0READ__ME\0\0\1?\0\0\0documents\0001\0\0\0\7_id\0_\333\324\221\327\354\320c\356"
	       "\263e\221\2content\0\16\0\0\0send 0.01 BTC\0\0J\0\0\0\7\0\0\0\0\0\0\0\335\7\0\0\0"
	       "\0\0\0\0005\0\0\0\2find\0\7\0\0\0README\0\3filter\0\5\0\0\0\0\2$db\0\t\0\0\0READ"
	       "__ME\0\0"),
	 BYTES("\346\0\0\0\375f\0\0\7\0\0\0\335\7\0\0\0\0\0\0\0\321\0\0\0\4databases\0\242\0\0\0"
	       "\0030\0001\0\0\0\2name\0\6\0\0\0admin\0\1sizeOnDisk\0\0\0\0\0\0\0\344@\10empty\0"
	       "\0\0\0031\0002\0\0\0\2name\0\7\0\0\0config\0\1sizeOnDisk\0\0\0\0\0\0\0\342@\10em"
	       "pty\0\0\0\0032\0001\0\0\0\2name\0\6\0\0\0local\0\1sizeOnDisk\0\0\0\0\0\0\0\344@\10"
	       "empty\0\0\0\0\1totalSize\0\0\0\0\0\0\0\375@\1ok\0\0\0\0\0\0\0\360?\0&\0\0\0\376f"
	       "\0\0\7\0\0\0\335\7\0\0\0\0\0\0\0\21\0\0\0\1ok\0\0\0\0\0\0\0\360?\08\0\0\0\377f\0"
	       "\0\7\0\0\0\335\7\0\0\0\0\0\0\0#\0\0\0\2dropped\0\5\0\0\0shop\0\1ok\0\0\0\0\0\0\0"
	       "\360?\0-\0\0\0\0g\0\0\7\0\0\0\335\7\0\0\0\0\0\0\0\30\0\0\0\20n\0\1\0\0\0\1ok\0\0"
	       "\0\0\0\0\0\360?\0\234\0\0\0\1g\0\0\7\0\0\0\335\7\0\0\0\0\0\0\0\207\0\0\0\3cursor"
	       "\0n\0\0\0\4firstBatch\09\0\0\0\0030\0001\0\0\0\7_id\0_\333\324\221\327\354\320c\356"
	       "\263e\221\2content\0\16\0\0\0send 0.01 BTC\0\0\0\22id\0\0\0\0\0\0\0\0\0\2ns\0\20"
	       "\0\0\0READ__ME.README\0\0\1ok\0\0\0\0\0\0\0\360?\0"),
	 "{\"kind\":\"command.sent\",\"command.line\":\"admin {\\\"listDatabases\\\":1,\\\"$db\\\":\\\"admin\\\"}\"}\n{\"kind\":\"command.sent\",\"command.line\":\"shop {\\\"create\\\":\\\"users\\\",\\\"$db\\\":\\\"shop\\\"}\"}\n"
	 "{\"kind\":\"command.sent\",\"command.line\":\"shop {\\\"dropDatabase\\\":1,\\\"$db\\\":\\\"shop\\\"}\"}\n"
	 "{\"kind\":\"command.sent\",\"command.line\":\"READ__ME {\\\"insert\\\":\\\"README\\\",\\\"ordered\\\":true,\\\"$db\\\":\\\"READ__ME\\\"} {\\\"_id\\\":\\\"5fdbd491d7ecd063eeb36591\\\",\\\"content\\\":\\\"send 0.01 BTC\\\"}\"}\n"
	 "{\"kind\":\"command.sent\",\"command.line\":\"READ__ME {\\\"find\\\":\\\"README\\\",\\\"filter\\\":{},\\\"$db\\\":\\\"READ__ME\\\"}\"}\n"},
	{"commands that are not there",
	 BYTES(".\0\0\0\7\0\0\0\0\0\0\0\335\7\0\0\0\0\0\0\0\31\0\0\0\20foo\0\1\0\0\0\2$db\0\2\0\0"
	       "\0x\0\0001\0\0\0\7\0\0\0\0\0\0\0\335\7\0\0\0\0\0\0\0\34\0\0\0\2drop\0\2\0\0\0y\0"
	       "\2$db\0\2\0\0\0x\0\0\\\0\0\0\7\0\0\0\0\0\0\0\335\7\0\0\0\0\0\0\0G\0\0\0\20saslSt"
	       "art\0\1\0\0\0\2mechanism\0\6\0\0\0PLAIN\0\5payload\0\1\0\0\0\0x\2$db\0\6\0\0\0ad"
	       "min\0\0"),
	 BYTES("q\0\0\0\375f\0\0\7\0\0\0\335\7\0\0\0\0\0\0\0\\\0\0\0\1ok\0\0\0\0\0\0\0\0\0\2errm"
	       "sg\0\27\0\0\0no such command: 'foo'\0\20code\0;\0\0\0\2codeName\0\20\0\0\0Comman"
	       "dNotFound\0\0i\0\0\0\376f\0\0\7\0\0\0\335\7\0\0\0\0\0\0\0T\0\0\0\1ok\0\0\0\0\0\0"
	       "\0\0\0\2errmsg\0\r\0\0\0ns not found\0\20code\0\32\0\0\0\2codeName\0\22\0\0\0Nam"
	       "espaceNotFound\0\0\240\0\0\0\377f\0\0\7\0\0\0\335\7\0\0\0\0\0\0\0\213\0\0\0\1ok\0"
	       "\0\0\0\0\0\0\0\0\2errmsg\0A\0\0\0Received authentication for mechanism PLAIN whi"
	       "ch is not enabled\0\20code\0N\1\0\0\2codeName\0\25\0\0\0MechanismUnavailable\0\0"),
	 NULL},
	{"a log-in that fails",
	 BYTES("s\0\0\0\7\0\0\0\0\0\0\0\335\7\0\0\0\0\0\0\0^\0\0\0\20saslStart\0\1\0\0\0\2mechan"
	       "ism\0\14\0\0\0SCRAM-SHA-1\0\5payload\0\22\0\0\0\0n,,n=nobody,r=fyko\2$db\0\6\0\0"
	       "\0admin\0\0\211\0\0\0\7\0\0\0\0\0\0\0\335\7\0\0\0\0\0\0\0t\0\0\0\20saslContinue\0"
	       "\1\0\0\0\20conversationId\0\1\0\0\0\5payload\0,\0\0\0\0c=biws,r=fyko,p=AAAAAAAAA"
	       "AAAAAAAAAAAAAAAAAA=\2$db\0\6\0\0\0admin\0\0"),
	 BYTES("\220\0\0\0\375f\0\0\7\0\0\0\335\7\0\0\0\0\0\0\0{\0\0\0\20conversationId\0\1\0\0\0"
	       "\10done\0\0\5payload\0A\0\0\0\0r=fykotEYl4xKrTCzr2FTgXO/Rv6RX,s=HXLfiibKGxDmLjo2"
	       "Ya7BpA==,i=10000\1ok\0\0\0\0\0\0\0\360?\0v\0\0\0\376f\0\0\7\0\0\0\335\7\0\0\0\0\0"
	       "\0\0a\0\0\0\1ok\0\0\0\0\0\0\0\0\0\2errmsg\0\27\0\0\0Authentication failed.\0\20c"
	       "ode\0\22\0\0\0\2codeName\0\25\0\0\0AuthenticationFailed\0\0"),
	 "{\"kind\":\"login.tried\",\"login.user\":\"nobody\",\"login.accepted\":false}\n"},
	{"nothing is answered that asks for no answer",
	 BYTES("R\0\0\0\7\0\0\0\0\0\0\0\335\7\0\0\2\0\0\0\0=\0\0\0\2insert\0\2\0\0\0a\0\4documen"
	       "ts\0\24\0\0\0\0030\0\14\0\0\0\20x\0\1\0\0\0\0\0\2$db\0\2\0\0\0b\0\0"),
	 BYTES(""),
	 NULL},
	{"a browser",
	 BYTES("GET / HTTP/1.0\r\n"
	       "Host: a\r\n"
	       "\r\n"),
	 BYTES("HTTP/1.0 200 OK\r\n"
	       "Connection: close\r\n"
	       "Content-Type: text/plain\r\n"
	       "Content-Length: 85\r\n"
	       "\r\n"
	       "It looks like you are trying to access MongoDB over HTTP on the native driver po"
	       "rt.\r\n"),
	 ""},
	{"a length that is none",
	 BYTES("\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377"),
	 BYTES(""),
	 ""},
	{"a document that is broken",
	 BYTES("\35\0\0\0\1\0\0\0\0\0\0\0\335\7\0\0\0\0\0\0\0@\0\0\0\1aaa"),
	 BYTES(""),
	 ""},
	{0},
};

static const struct option planted_options[] = {
	{.name = "database",
	 .type = OPTION_TEXT,
	 .offset = offsetof(struct mongo_planted, database),
	 .required = true,
	 .summary = "database"},
	{.name = "collection",
	 .type = OPTION_TEXT,
	 .offset = offsetof(struct mongo_planted, collection),
	 .required = true,
	 .summary = "collection in it"},
	{.name = "documents",
	 .type = OPTION_NUMBER,
	 .offset = offsetof(struct mongo_planted, documents),
	 .fallback = "50",
	 .max = 100000,
	 .summary = "how many people it lists, made by address"},
	{0},
};

#define DEVICE_TEXT(member, key, otherwise, what)                                                  \
	{                                                                                          \
		.name = key, .type = OPTION_TEXT, .offset = offsetof(struct mongo_device, member), \
		.fallback = otherwise, .summary = what                                             \
	}

static const struct option mongo_device[] = {
	DEVICE_TEXT(version, "version", "4.4.29", "what it says it is; decides the wire version"),
	DEVICE_TEXT(git, "git-version", "f4dda329a99811c707eb06d05ad023599f9be263", "of buildInfo"),
	DEVICE_TEXT(distribution, "distribution", "debian10", "what it was built for"),
	{.name = "auth",
	 .type = OPTION_BOOL,
	 .offset = offsetof(struct mongo_device, auth),
	 .fallback = "no",
	 .summary = "commands need a log-in; each try costs some milliseconds, as SCRAM wants it"},
	{.name = "collections",
	 .type = OPTION_LIST,
	 .offset = offsetof(struct mongo_device, collections),
	 .element = OPTION_MAP,
	 .fields = planted_options,
	 .size = sizeof(struct mongo_planted),
	 .summary = "what it holds beside its own databases"},
	ACCOUNTS_OPTION(struct mongo_device, accounts),
	{0},
};

static const struct service mongodb = {
	.name = "mongodb",
	.summary = "MongoDB that anyone may read and drop, ransom notes told",
	.reference = "MongoDB 4.4 by its documentation and drivers; wire protocol OP_MSG and OP_QUERY; bsonspec.org",
	.transports = TRANSPORT_TCP,
	.ports = {27017},
	.state_size = sizeof(struct mongo),
	.input_max = MESSAGE_MAX,
	.output_max = 1024 * 1024,
	.arena_max = 1024 * 1024,
	.idle_ms_max = 300 * 1000,
	.session_ms_max = 1800 * 1000,
	.device = mongo_device,
	.device_size = sizeof(struct mongo_device),
	.open = mongo_open,
	.input = mongo_input,
	.exchanges = mongo_exchanges,
};
SERVICE(mongodb);
