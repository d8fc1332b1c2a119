/*
 * The sink: the world that a sample in a box sees.
 *
 * It stands in the network namespace on the other end of the box's only link (box_started.sink),
 * owns every address there is, and answers: names, web, telnet, IRC, mail, and any other TCP and UDP,
 * so that the sample goes on.  Each name is given an address of its own out of 198.18.0.0/15 (RFC 2544,
 * which no policy of ours ever looks at), so that later packets tell which name they meant.
 *
 * All of it runs in a process of its own, single-threaded, with no right but to its namespace's sockets.
 * It ends when it is told to, when its time is over, and when whoever started it is gone.  What it saw
 * comes back as struct run_sink_findings, out of memory that both share, read as hostile.
 *
 * The box's end of the link is to have SINK_BOX_ADDRESS/24, a default route by SINK_GATEWAY, and a
 * resolv.conf that names SINK_GATEWAY; the sink sets up its own end.  Where its end has an address
 * already it is left as it is, and everything works with that one.
 *
 * Nothing leaves that namespace, unless an egress is given (lab/run/egress.h).
 */
#pragma once
#include "base/address.h"
#include "base/error.h"

#define SINK_BOX_ADDRESS "192.168.1.104"
#define SINK_GATEWAY "192.168.1.1"
#define SINK_CAPTURE_MAX (32u << 20)     /* bytes of the pcap; what does not fit is counted on */
#define SINK_FLOWS_MAX 4096              /* endpoints told one by one; the rest counts for scans and floods */
#define SINK_NAMES_MAX 4096
#define SINK_REQUESTS_MAX 4096
#define SINK_HELLOS_MAX 256
#define SINK_HELLO_BYTES_MAX 512
#define SINK_SAID_MAX 2048               /* of one request */
#define SINK_DOWNLOAD_MAX (64u << 20)
/* What a download is served with that nobody captured: a script that succeeds, whatever its architecture. */
#define SINK_STAND_IN "#!/bin/sh\nexit 0\n"

struct egress_plan; /* lab/run/egress.h */

struct run_sink_plan {
	uint64_t time_ms; /* it ends by itself after so long; 0: 180 s */
	/* Content that a download is served with, by URL as asked for; NULL: a stand-in. */
	bool (*served)(void *arg, struct bytes url, struct bytes *content);
	void *arg;
	const struct egress_plan *egress; /* NULL: nothing leaves */
};

enum sink_transport { SINK_TCP = 6, SINK_UDP = 17, SINK_ICMP = 1, SINK_ICMP6 = 58, SINK_GRE = 47 }; /* as IP numbers them */

/*
 * Times are milliseconds since the sink began.  An `endpoint` is "203.0.113.7:23", or "c2.example:23"
 * where the address was given for that name: what was meant, not what we made up.
 */
struct sink_flow { /* all packets to one address and port by one transport */
	const char *endpoint;
	struct address address; /* as in the packets */
	uint16_t port;
	uint8_t transport;
	bool named;             /* the endpoint is by name, the address is ours */
	uint64_t packets, bytes, answered_packets, answered_bytes; /* from the box; to it; IP lengths */
	uint64_t connections;   /* that it completed, of TCP */
	uint64_t said, heard;   /* payload of these */
	uint64_t first_ms, last_ms;
	uint64_t left;          /* connections that were relayed outside, by an egress */
	const char *protocol;   /* what was spoken there: "http", "irc"; "" when nothing knew it */
};

struct sink_name {
	const char *name, *type; /* "A", "AAAA", "TXT", … of the first question */
	struct address address;  /* that it was given; zero: none */
	uint64_t count, first_ms, last_ms;
};

struct sink_request { /* one that a protocol understood */
	const char *protocol; /* "http", "https", "telnet", "irc", "smtp", … */
	const char *endpoint;
	const char *subject;  /* URL, first line, "user:password", channel, recipient */
	const char *kind;     /* "url", "line", "credential", "agent", "wallet", "join", "mail", … */
	struct bytes said;    /* raw, cut */
	uint64_t count, first_ms, last_ms; /* the same again counts */
	bool served;          /* with captured content */
};

/* First bytes that it said to a server, by itself or after that spoke: what a check may repeat. */
struct sink_hello {
	const char *endpoint;
	struct bytes said;
	bool after_server; /* only after we had said something */
	bool registers;    /* it could enlist whoever says it: all but what is plainly a question */
	const char *protocol;
	uint64_t count, first_ms, last_ms;
	uint64_t kept_ms;  /* the longest that such a connection was kept */
};

struct sink_scan { /* the same port of many addresses */
	uint16_t port;
	uint8_t transport;
	uint64_t addresses, packets;
	bool at_least;     /* more than could be told apart */
	uint64_t first_ms, last_ms;
};

struct sink_flood { /* many packets to one address */
	const char *endpoint; /* without a port where they went to many */
	const char *what;     /* "udp", "syn", "ack", "icmp", "gre", "http", … */
	uint64_t packets, bytes, first_ms, last_ms;
	uint64_t sources;     /* forged source addresses among them; 0: its own only */
};

struct run_sink_findings { /* everything lives in the sink */
	const struct sink_flow *flows;
	size_t flow_count;
	const struct sink_name *names;
	size_t name_count;
	const struct sink_request *requests;
	size_t request_count;
	const struct sink_hello *hellos;
	size_t hello_count;
	const struct sink_scan *scans;
	size_t scan_count;
	const struct sink_flood *floods;
	size_t flood_count;
	struct bytes capture; /* pcap of the sink's end, packets of floods thinned out */
	struct bytes secrets; /* of its TLS connections, as Wireshark reads them (NSS key log) */
	uint64_t packets, packets_missed; /* seen; that the kernel could not show us in time */
	const char *const *limits; /* that were met: "sink.flows", "sink.capture", … */
	size_t limit_count;
};

struct run_sink;
struct run_sink_keeper;

/*
 * Who gives its rights away starts a keeper before, as with boxes: a small process that forks sinks on
 * request.  Who keeps its rights needs none and passes NULL to run_sink_start().  A keeper that was
 * opened without egress refuses every plan that has one, whatever became of whoever asks.
 */
int run_sink_keeper_open(struct run_sink_keeper **, bool egress, struct fault *);
void run_sink_keeper_close(struct run_sink_keeper *); /* ends all its sinks */

/* Answers when this returns; `netns` stays the caller's. */
int run_sink_start(struct run_sink **, struct run_sink_keeper *, int netns, const struct run_sink_plan *,
		   struct fault *);
/* Readable when it asks for a download or ended: then call run_sink_turn(), which does not wait. */
int run_sink_fd(const struct run_sink *);
int run_sink_turn(struct run_sink *); /* 0, or ERR_GONE: it ended by itself */
/* Ends it and reads what it saw; ERR_TIMEOUT, ERR_GONE or ERR_BAD: only `capture` can be trusted to be there. */
int run_sink_stop(struct run_sink *, struct fault *);
const struct run_sink_findings *run_sink_findings(const struct run_sink *); /* after run_sink_stop() */
void run_sink_free(struct run_sink *);
