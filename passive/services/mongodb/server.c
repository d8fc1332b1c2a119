/* What the server says of itself: hello, buildInfo, serverStatus, hostInfo and their kin. */
#include "passive/services/mongodb/mongodb.h"
#include "base/random.h"
#include "passive/persona.h"

void mongo_error(struct bson *b, int32_t code, const char *code_name, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	bson_double(b, "ok", 0);
	bson_words(b, "errmsg", text);
	bson_int32(b, "code", code);
	bson_words(b, "codeName", code_name);
}

static int32_t wire_version(const struct mongo *m)
{
	static const struct {
		const char *prefix;
		int32_t version;
	} known[] = {{"2.", 0}, {"3.0", 3}, {"3.2", 4}, {"3.4", 5}, {"3.6", 6}, {"4.0", 7},
		     {"4.2", 8}, {"4.4", 9}, {"5.0", 13}, {"6.0", 17}, {"7.0", 21}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strncmp(m->device->version, known[i].prefix, strlen(known[i].prefix)))
			return known[i].version;
	return 9;
}

static void hello(struct mongo *m, bool old, struct bson *b)
{
	uint64_t seed = random_mix(session_device_seed(m->session));
	bson_bool(b, old ? "ismaster" : "isWritablePrimary", true);
	bson_open(b, "topologyVersion", BSON_DOCUMENT);
	bson_object_id(b, "processId", seed, (uint32_t)(session_time_us(m->session) / 1000000 / 2592000 * 2592000));
	bson_int64(b, "counter", 0);
	bson_close(b);
	bson_int32(b, "maxBsonObjectSize", 16777216);
	bson_int32(b, "maxMessageSizeBytes", 48000000);
	bson_int32(b, "maxWriteBatchSize", 100000);
	bson_date(b, "localTime", session_time_us(m->session));
	bson_int32(b, "logicalSessionTimeoutMinutes", 30);
	bson_int32(b, "connectionId", (int32_t)m->connection);
	bson_int32(b, "minWireVersion", 0);
	bson_int32(b, "maxWireVersion", wire_version(m));
	bson_bool(b, "readOnly", false);
	bson_double(b, "ok", 1);
}

static void build_info(struct mongo *m, struct bson *b)
{
	unsigned v[3] = {0};
	sscanf(m->device->version, "%u.%u.%u", &v[0], &v[1], &v[2]);
	bson_words(b, "version", m->device->version);
	bson_words(b, "gitVersion", m->device->git);
	bson_open(b, "modules", BSON_ARRAY);
	bson_close(b);
	bson_words(b, "allocator", "tcmalloc");
	bson_words(b, "javascriptEngine", "mozjs");
	bson_words(b, "sysInfo", "deprecated");
	bson_open(b, "versionArray", BSON_ARRAY);
	for (size_t i = 0; i < 3; i++)
		bson_int32(b, "", (int32_t)v[i]);
	bson_int32(b, "", 0);
	bson_close(b);
	bson_open(b, "openssl", BSON_DOCUMENT);
	bson_words(b, "running", "OpenSSL 1.1.1n  15 Mar 2022");
	bson_words(b, "compiled", "OpenSSL 1.1.1d  10 Sep 2019");
	bson_close(b);
	bson_open(b, "buildEnvironment", BSON_DOCUMENT);
	bson_words(b, "distmod", m->device->distribution);
	bson_words(b, "distarch", "x86_64");
	bson_words(b, "target_arch", "x86_64");
	bson_words(b, "target_os", "linux");
	bson_close(b);
	bson_int32(b, "bits", 64);
	bson_bool(b, "debug", false);
	bson_int32(b, "maxBsonObjectSize", 16777216);
	bson_open(b, "storageEngines", BSON_ARRAY);
	static const char *const engines[] = {"biggie", "devnull", "ephemeralForTest", "wiredTiger"};
	for (size_t i = 0; i < 4; i++)
		bson_words(b, "", engines[i]);
	bson_close(b);
	bson_double(b, "ok", 1);
}

static void server_status(struct mongo *m, struct bson *b)
{
	char host[64], uptime[24];
	uint64_t up = 0, seed = random_mix(session_device_seed(m->session) ^ 27017);
	session_expand(m->session, "%{hostname}", host, sizeof host);
	session_expand(m->session, "%{uptime}", uptime, sizeof uptime);
	bytes_number(bytes_of_text(uptime), UINT64_MAX / 1000, &up);
	bson_words(b, "host", host);
	bson_words(b, "version", m->device->version);
	bson_words(b, "process", "mongod");
	bson_int64(b, "pid", (int64_t)(400 + seed % 900));
	bson_double(b, "uptime", (double)up);
	bson_int64(b, "uptimeMillis", (int64_t)(up * 1000 + seed % 1000));
	bson_int64(b, "uptimeEstimate", (int64_t)up);
	bson_date(b, "localTime", session_time_us(m->session));
	bson_open(b, "connections", BSON_DOCUMENT);
	bson_int32(b, "current", 1);
	bson_int32(b, "available", 51199);
	bson_int32(b, "totalCreated", (int32_t)m->connection);
	bson_int32(b, "active", 1);
	bson_close(b);
	bson_open(b, "network", BSON_DOCUMENT);
	bson_int64(b, "bytesIn", (int64_t)m->connection * 811 + 1287);
	bson_int64(b, "bytesOut", (int64_t)m->connection * 3907 + 22331);
	bson_int64(b, "numRequests", (int64_t)m->connection * 5 + 2);
	bson_close(b);
	bson_open(b, "storageEngine", BSON_DOCUMENT);
	bson_words(b, "name", "wiredTiger");
	bson_bool(b, "persistent", true);
	bson_close(b);
	bson_open(b, "mem", BSON_DOCUMENT);
	bson_int32(b, "bits", 64);
	bson_int32(b, "resident", (int32_t)(78 + seed % 60));
	bson_int32(b, "virtual", (int32_t)(1480 + seed % 120));
	bson_bool(b, "supported", true);
	bson_close(b);
	bson_double(b, "ok", 1);
}

static void host_info(struct mongo *m, struct bson *b)
{
	char host[80];
	session_expand(m->session, "%{hostname}:27017", host, sizeof host);
	bson_open(b, "system", BSON_DOCUMENT);
	bson_date(b, "currentTime", session_time_us(m->session));
	bson_words(b, "hostname", host);
	bson_int32(b, "cpuAddrSize", 64);
	bson_int64(b, "memSizeMB", 3944);
	bson_int32(b, "numCores", 2);
	bson_words(b, "cpuArch", "x86_64");
	bson_bool(b, "numaEnabled", false);
	bson_close(b);
	bson_open(b, "os", BSON_DOCUMENT);
	bson_words(b, "type", "Linux");
	bson_words(b, "name", "PRETTY_NAME=\"Debian GNU/Linux 10 (buster)\"");
	bson_close(b);
	bson_double(b, "ok", 1);
}

bool mongo_about(struct mongo *m, struct bytes name, struct bytes command, struct bson *b)
{
	char peer[ADDRESS_TEXT_MAX], text[ADDRESS_TEXT_MAX + 8];
	(void)command;
	if (bytes_equal_nocase(name, "ismaster"))
		hello(m, true, b);
	else if (bytes_equal_text(name, "hello"))
		hello(m, false, b);
	else if (bytes_equal_nocase(name, "buildinfo"))
		build_info(m, b);
	else if (bytes_equal_text(name, "serverStatus"))
		server_status(m, b);
	else if (bytes_equal_text(name, "hostInfo"))
		host_info(m, b);
	else if (bytes_equal_text(name, "whatsmyuri")) {
		address_format(session_peer(m->session), peer);
		snprintf(text, sizeof text, "%s:%u", peer, (unsigned)(32768 + random_mix(m->connection) % 28000));
		bson_words(b, "you", text);
		bson_double(b, "ok", 1);
	} else if (bytes_equal_text(name, "getLog")) {
		bson_int32(b, "totalLinesWritten", 0);
		bson_open(b, "log", BSON_ARRAY);
		bson_close(b);
		bson_double(b, "ok", 1);
	} else if (bytes_equal_text(name, "connectionStatus")) {
		bson_open(b, "authInfo", BSON_DOCUMENT);
		bson_open(b, "authenticatedUsers", BSON_ARRAY);
		bson_close(b);
		bson_open(b, "authenticatedUserRoles", BSON_ARRAY);
		bson_close(b);
		bson_close(b);
		bson_double(b, "ok", 1);
	} else if (bytes_equal_text(name, "replSetGetStatus")) {
		mongo_error(b, 76, "NoReplicationEnabled", "not running with --replSet");
	} else if (bytes_equal_text(name, "getFreeMonitoringStatus")) {
		bson_words(b, "state", "undecided");
		bson_double(b, "ok", 1);
	} else if (bytes_equal_text(name, "ping") || bytes_equal_text(name, "endSessions") ||
		   bytes_equal_text(name, "logout") || bytes_equal_text(name, "getLastError") ||
		   bytes_equal_text(name, "killCursors") || bytes_equal_text(name, "setParameter") ||
		   bytes_equal_text(name, "createUser") || bytes_equal_text(name, "shutdown")) {
		bson_double(b, "ok", 1);
	} else {
		return false;
	}
	return true;
}
