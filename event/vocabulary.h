/*
 * The one vocabulary.  Every room speaks these kinds and no others; the enum,
 * the names, the JSON, the store's columns, docs/events.md, the console's field
 * list and the search language are all made from these tables.  Append only.
 *
 * A kind is a verb in the past tense and free of protocols.  A module's own
 * words stand in its own file, under its own prefix (FIELD in event/field.h).
 *
 *      kind               name                 what happened
 */
#pragma once
#define EVENT_KINDS(X)                                                                            \
	X(SESSION_OPENED,   "session.opened",    "a peer completed a handshake with a decoy")     \
	X(SESSION_CLOSED,   "session.closed",    "that conversation ended")                       \
	X(LOGIN_TRIED,      "login.tried",       "credentials were offered to a decoy")           \
	X(COMMAND_SENT,     "command.sent",      "the peer gave an instruction")                  \
	X(REQUEST_SEEN,     "request.seen",      "the peer asked for a resource")                 \
	X(FILE_CAPTURED,    "file.captured",     "the peer left or named a file")                 \
	X(MAIL_RECEIVED,    "mail.received",     "a decoy account was written to")                \
	X(SCAN_SEEN,        "scan.seen",         "a source asked many dark addresses")            \
	X(BACKSCATTER_SEEN, "backscatter.seen",  "a victim's answers reached dark addresses")     \
	X(REFLECTION_SEEN,  "reflection.seen",   "a decoy was asked to amplify, or a dark address met answers it never asked for") \
	X(ALERT_RAISED,     "alert.raised",      "a signature of another sensor matched")         \
	X(DECISION_MADE,    "decision.made",     "a look was allowed or refused, and why")        \
	X(PROBE_SENT,       "probe.sent",        "we asked an observed address something")        \
	X(HOST_ANSWERED,    "host.answered",     "what came back, also when it was nothing")      \
	X(HOST_IDENTIFIED,  "host.identified",   "what a host is, with the reasons")              \
	X(EXPOSURE_FOUND,   "exposure.found",    "a host offers what should not be offered")      \
	X(SENSOR_CHANGED,   "sensor.changed",    "conditions of observation changed")             \
	X(PAGE_VISITED,     "page.visited",      "a page was visited by the client honeypot")     \
	X(SAMPLE_ANALYSED,  "sample.analysed",   "a sample was looked at or run")                 \
	X(INDICATOR_FOUND,  "indicator.found",   "an address, name or key of an attacker")        \
	X(TOKEN_PLANTED,    "token.planted",     "bait was laid out")                             \
	X(TOKEN_USED,       "token.used",        "bait was used")                                 \
	X(HOST_STEERED,     "host.steered",      "a visitor was given a fitting decoy")           \
	X(RECORD_IMPORTED,  "record.imported",   "a partner's record came in")                    \
	X(RECORD_SHARED,    "record.shared",     "a record went out to a partner")                \
	X(CAMPAIGN_FOUND,   "campaign.found",    "sources were found to belong together")         \
	X(EFFECT_MEASURED,  "effect.measured",   "what looking changed, with an interval")         \
	X(FLOW_COUNTED,     "flow.counted",      "packets of one source to one port, over an interval") \
	X(SOURCE_JUDGED,    "source.judged",     "whether a source surveys or attacks, with the reasons") \
	X(FLOOD_SEEN,       "flood.seen",        "a dark address was flooded from forged sources") \
	X(CLIENT_SEEN,      "client.seen",       "what software a peer is, by how it greeted")      \
	X(HOST_MATCHED,     "host.matched",      "a host answered as something that is sought")    \
	X(EXPLOIT_SEEN,     "exploit.seen",      "a peer tried a known weakness, or one without a name") \
	X(TOKEN_LEAKED,     "token.leaked",      "a sample tried to send bait out of its box")

/*
 * Fields.  Types: TEXT is valid UTF-8 of our own making; BYTES come from outside
 * and stay bytes; ADDRESS is 16 bytes; TIME is microseconds of UTC; ID is 16 bytes.
 * HOT fields become columns of the store (at most 24);
 * FLOW ones are columns of the table flows, beside the envelope and the addresses.  PRIVATE fields (passwords,
 * payloads) are stored apart and are never shared.
 *
 *      field              name                 type     marks    what it holds
 */
#define EVENT_FIELDS(X)                                                                           \
	X(SENSOR,           "sensor",            TEXT,    HOT,     "machine that saw it")         \
	X(PROCESS,          "process",           TEXT,    0,       "role that saw it, stamped by the bus") \
	X(SEQUENCE,         "sequence",          NUMBER,  0,       "count of that process's events") \
	X(RECEIVED,         "received",          TIME,    0,       "when the bus took it in")     \
	X(CAUSE,            "cause",             ID,      HOT,     "the event that led to this one") \
	X(ROOT,             "root",              ID,      HOT,     "the first event of that chain") \
	X(DEPTH,            "depth",             NUMBER,  0,       "length of that chain")        \
	X(SESSION,          "session",           ID,      HOT,     "id of its session.opened")    \
	X(SRC,              "src",               ADDRESS, HOT,     "address that acted, or was observed") \
	X(SPORT,            "sport",             NUMBER,  HOT,     "its port")                    \
	X(DST,              "dst",               ADDRESS, HOT,     "address of ours that it met") \
	X(DPORT,            "dport",             NUMBER,  HOT,     "its port")                    \
	X(PROTO,            "proto",             TEXT,    HOT,     "tcp, udp or icmp")            \
	X(SERVICE,          "service",           TEXT,    HOT,     "module that spoke")           \
	X(PERSONA,          "persona",           TEXT,    HOT,     "device that the decoy played") \
	X(LOGIN_USER,       "login.user",        BYTES,   HOT,     "account name as sent")        \
	X(LOGIN_SECRET,     "login.secret",      BYTES,   PRIVATE, "password as sent")            \
	X(LOGIN_ACCEPTED,   "login.accepted",    BOOL,    HOT,     "whether the decoy let it in") \
	X(COMMAND_LINE,     "command.line",      BYTES,   0,       "the instruction as sent")     \
	X(COMMAND_FOUND,    "command.found",     BOOL,    0,       "whether the decoy knew it")   \
	X(CLOSE_REASON,     "close.reason",      TEXT,    0,       "peer, server, idle, limit, crash") \
	X(DURATION,         "duration",          NUMBER,  0,       "microseconds from open to close") \
	X(BYTES_IN,         "bytes.in",          NUMBER,  0,       "bytes from the peer")         \
	X(BYTES_OUT,        "bytes.out",         NUMBER,  0,       "bytes to the peer")           \
	X(LOGINS,           "logins",            NUMBER,  0,       "tries in that session")       \
	X(COMMANDS,         "commands",          NUMBER,  0,       "instructions in that session") \
	X(RECORDING,        "recording",         BYTES,   PRIVATE, "both directions of a session, timed") \
	X(METHOD,           "request.method",    BYTES,   0,       "HTTP method or the like")     \
	X(TARGET,           "request.target",    BYTES,   0,       "path or resource as sent")    \
	X(HOST_NAME,        "request.host",      BYTES,   0,       "name the peer addressed us by") \
	X(AGENT,            "request.agent",     BYTES,   0,       "software the peer claims to be") \
	X(BODY,             "request.body",      BYTES,   PRIVATE, "what came with the request")  \
	X(STATUS,           "status",            NUMBER,  0,       "status code of a request or answer") \
	X(FILE_SHA256,      "file.sha256",       TEXT,    HOT,     "digest, lower-case hex")      \
	X(FILE_SIZE,        "file.size",         NUMBER,  0,       "bytes kept")                  \
	X(FILE_NAME,        "file.name",         BYTES,   0,       "name the peer gave it")       \
	X(FILE_URL,         "file.url",          BYTES,   0,       "where the peer says it lies") \
	X(FILE_HOW,         "file.how",          TEXT,    0,       "upload, echo, wget, tftp, ...") \
	X(DECISION,         "decision",          TEXT,    HOT,     "allowed, refused, held-out")  \
	X(REASON,           "reason",            TEXT,    HOT,     "check that decided, in one word") \
	X(BASIS,            "basis",             TEXT,    0,       "why a look may be taken at all") \
	X(RULE,             "rule",              TEXT,    HOT,     "rule that asked, or that identified") \
	X(TIER,             "tier",              NUMBER,  0,       "tier of the look")            \
	X(DELAY,            "delay",             NUMBER,  0,       "microseconds drawn before the look") \
	X(COUNT,            "count",             NUMBER,  0,       "how many this event stands for") \
	X(LEASE,            "lease",             ID,      0,       "permission this was sent under") \
	X(PROBE,            "probe",             TEXT,    HOT,     "module that asked")           \
	X(STATE,            "state",             TEXT,    HOT,     "open, closed, filtered, up, down, gap, ...") \
	X(BANNER,           "banner",            BYTES,   0,       "what was said first, options removed") \
	X(LATENCY,          "latency",           NUMBER,  0,       "microseconds, monotonic clock") \
	X(DEVICE_CLASS,     "device.class",      TEXT,    HOT,     "class of device")             \
	X(DEVICE_LABEL,     "device.label",      TEXT,    0,       "that class as printed by its source") \
	X(DEVICE_VENDOR,    "device.vendor",     TEXT,    HOT,     "maker")                       \
	X(DEVICE_PRODUCT,   "device.product",    TEXT,    HOT,     "model")                       \
	X(DEVICE_VERSION,   "device.version",    TEXT,    0,       "firmware or hardware version") \
	X(DEVICE_OS,        "device.os",         TEXT,    0,       "operating system")            \
	X(CONFIDENCE,       "confidence",        NUMBER,  0,       "0 to 100")                    \
	X(EVIDENCE,         "evidence",          TEXT,    0,       "signals that agree")          \
	X(DISSENT,          "dissent",           TEXT,    0,       "signals that disagree")       \
	X(NEAR,             "near",              TEXT,    0,       "rules that almost matched")   \
	X(TABLE_VERSION,    "table.version",     NUMBER,  0,       "version of the steering table used") \
	X(CONFIG_VERSION,   "config.version",    TEXT,    0,       "digest of the configuration in force") \
	X(DETAIL,           "detail",            TEXT,    0,       "a sentence for people")       \
	X(TCP_TTL,          "tcp.ttl",           NUMBER,  0,       "time to live of the SYN-ACK as received") \
	X(TCP_WINDOW,       "tcp.window",        NUMBER,  0,       "window of the SYN-ACK")       \
	X(TCP_OPTIONS,      "tcp.options",       TEXT,    0,       "its options in order, p0f style") \
	X(TOOL,             "tool",              TEXT,    FLOW,    "program that made the packets, by its signature") \
	X(FLOW_FIRST,       "flow.first",        TIME,    FLOW,    "first packet; the event's time is the last") \
	X(FLOW_PACKETS,     "flow.packets",      NUMBER,  FLOW,    "packets")                     \
	X(FLOW_BYTES,       "flow.bytes",        NUMBER,  FLOW,    "bytes as the IP headers say") \
	X(FLOW_DESTINATIONS, "flow.destinations", NUMBER, FLOW,    "distinct addresses of ours; above 16 within 6.5 of 100") \
	X(FLOW_FLAGS,       "flow.flags",        NUMBER,  FLOW,    "TCP flags as in the header")  \
	X(FLOW_ANSWER,      "flow.answer",       BOOL,    FLOW,    "whether they answer: then sport is the port") \
	X(FLOW_TTL_MIN,     "flow.ttl.min",      NUMBER,  FLOW,    "lowest TTL as received")      \
	X(FLOW_TTL_MAX,     "flow.ttl.max",      NUMBER,  FLOW,    "highest TTL as received")     \
	X(FLOW_HOPS,        "flow.hops",         NUMBER,  FLOW,    "routers on the way, guessed from the TTL") \
	X(FLOW_CLASS,       "flow.class",        TEXT,    FLOW,    "scan, backscatter, reflection, spoofed, misconfigured, other") \
	X(FLOW_ASKS,        "flow.asks",         TEXT,    FLOW,    "what the payload asks, by its signature") \
	X(FLOW_P0F,         "flow.p0f",          TEXT,    FLOW,    "signature of the first SYN, p0f style") \
	X(FLOW_JA4T,        "flow.ja4t",         TEXT,    FLOW,    "signature of the first SYN, JA4T") \
	X(FLOW_END,         "flow.end",          TEXT,    FLOW,    "why the record ends: quiet, interval, full, early, end") \
	X(FLOW_PAYLOAD,     "flow.payload",      BYTES,   PRIVATE, "sample of the first payload") \
	X(PAP,              "record.pap",        TEXT,    0,       "what its giver allows to be done with it: RED, AMBER, GREEN, CLEAR") \
	X(PACKETS_OUT,      "packets.out",       NUMBER,  0,       "packets to the peer, as the kernel counted them, with those that closed it") \
	X(SOFTWARE,         "software",          TEXT,    0,       "what runs there, lines of PORT CERTAINTY RULE CPE BANNER") \
	X(INDICATOR_TYPE,   "indicator.type",    TEXT,    0,       "address, endpoint, domain, url, mail, agent, key, ...") \
	X(INDICATOR_VALUE,  "indicator.value",   BYTES,   0,       "the indicator itself, normalised") \
	X(INDICATOR_ROLE,   "indicator.role",    TEXT,    0,       "command, download, report, victim, peer, check or unknown") \
	X(INDICATOR_HOW,    "indicator.how",     TEXT,    0,       "how it was found: strings, xor 0x22, run: connect, ...") \
	X(SAMPLE_TYPE,      "sample.type",       TEXT,    0,       "elf, pe, script, zip, ...")   \
	X(SAMPLE_ARCH,      "sample.architecture", TEXT,  0,       "processor that it is for")    \
	X(SAMPLE_FAMILY,    "sample.family",     TEXT,    0,       "family that it is likely of") \
	X(SAMPLE_TLSH,      "sample.tlsh",       TEXT,    0,       "its locality-sensitive digest") \
	X(REPORT_SHA256,    "report.sha256",     TEXT,    0,       "digest of the whole report, a JSON file in the store") \
	X(PAGE_URL,         "page.url",          BYTES,   0,       "page that was asked for")     \
	X(PAGE_FINAL,       "page.final",        BYTES,   0,       "page that it led to")         \
	X(LIMIT,            "limit",             TEXT,    0,       "limits of ours that were met, in words") \
	X(HELLO,            "indicator.hello",   BYTES,   PRIVATE, "what a sample said first to that server, as it was recorded") \
	X(HELLO_REGISTERS,  "indicator.registers", BOOL,  0,       "whether saying it may enlist who says it; absent: not known") \
	X(BAIT_ID,          "bait.id",           TEXT,    0,       "number that stands for a token of the ledger of bait") \
	X(BAIT_KIND,        "bait.kind",         TEXT,    0,       "where it was planted: decoy, place, account or sample") \
	X(BAIT_NAME,        "bait.name",         BYTES,   0,       "the name that it was planted under, often an account's") \
	X(BAIT_PATH,        "bait.path",         BYTES,   0,       "file or page that showed it") \
	X(BAIT_ENTRY,       "bait.entry",        NUMBER,  0,       "its number in the ledger")    \
	X(BAIT_RUN,         "bait.run",          TEXT,    0,       "run of the sample in whose box it lay: root or user")
