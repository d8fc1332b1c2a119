/*
 * NICTER's CSV of TCP SYN packets to dark addresses, as its datasets of 2022 were handed out: time, digest of the
 * source's upper 16 bits, digest of the source, lower 16 bits of the destination, port.
 *
 * A line is the first packet of an account, since those that followed are only counted; the destination is there where
 * the account met one address and the recipient may see it.  Digests are HMAC-SHA256 under the recipient's key, cut to
 * 64 bits, so two lines of one source or network meet and the address does not come back.  IPv4, as there.
 */
#include "share/output.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { FLAG_SYN = 2, FLAG_ACK = 16 };

static const char names[] = "timestamp,hash[ip.src.upper16],hash[ip.src.32],ip.dst.lower16,tcp.dstport\n";

static int begin(struct output_run *run) { return output_write(run, bytes_of_text(names)); }

/* A network and an address that end alike in zeros must not have the same digest, so the length is in it. */
static void write_digest(struct writer *w, const struct output_about *about, uint32_t address, unsigned bits)
{
	static const uint8_t no_key[32];
	uint8_t text[5] = {(uint8_t)(address >> 24), (uint8_t)(address >> 16), 0, 0, (uint8_t)bits}, digest[EVP_MAX_MD_SIZE];
	unsigned n;
	if (bits == 32) {
		text[2] = (uint8_t)(address >> 8);
		text[3] = (uint8_t)address;
	}
	if (!HMAC(EVP_sha256(), about->key ? about->key : no_key, 32, text, sizeof text, digest, &n)) {
		w->bad = true;
		return;
	}
	for (size_t i = 0; i < 8; i++)
		write_fmt(w, "%02x", digest[i]);
}

static int event(struct output_run *run, const struct event *e)
{
	struct address src, dst;
	uint64_t flags = event_number(e, FIELD_FLOW_FLAGS, 0), first = event_number(e, FIELD_FLOW_FIRST, e->time_us);
	if (!bytes_equal_text(event_bytes(e, FIELD_PROTO), "tcp") || (flags & (FLAG_SYN | FLAG_ACK)) != FLAG_SYN ||
	    !event_address(e, FIELD_SRC, &src) || !address_is_v4(&src))
		return output_skip(run);
	struct writer w = output_room(run, 256);
	write_fmt(&w, "%llu.%06llu,", (unsigned long long)(first / 1000000), (unsigned long long)(first % 1000000));
	write_digest(&w, output_about(run), address_to_v4(&src), 16);
	write_u8(&w, ',');
	write_digest(&w, output_about(run), address_to_v4(&src), 32);
	write_u8(&w, ',');
	if (event_address(e, FIELD_DST, &dst) && address_is_v4(&dst))
		write_fmt(&w, "%u.%u", address_to_v4(&dst) >> 8 & 255, address_to_v4(&dst) & 255);
	write_fmt(&w, ",%llu\n", (unsigned long long)event_number(e, FIELD_DPORT, 0));
	return output_wrote(run, &w);
}

#define SYN "{\"kind\":\"flow.counted\",\"proto\":\"tcp\",\"flow.flags\":2,\"flow.first\":\"2015-06-01T00:00:59.000001Z\","

static const struct output_specimen specimens[] = {
	{"two sources of one network, and what is no SYN",
	 SYN "\"src\":\"203.0.113.9\",\"dst\":\"192.0.2.77\",\"dport\":23}\n"
	 SYN "\"src\":\"203.0.114.1\",\"dport\":2323}\n"
	 "{\"kind\":\"flow.counted\",\"proto\":\"tcp\",\"flow.flags\":18,\"src\":\"203.0.113.9\",\"sport\":80}\n"
	 "{\"kind\":\"flow.counted\",\"proto\":\"udp\",\"src\":\"203.0.113.9\",\"dport\":53}\n",
	 "timestamp,hash[ip.src.upper16],hash[ip.src.32],ip.dst.lower16,tcp.dstport\n"
	 "1433116859.000001,3de121396c81a89e,9d171f0e0eee5e33,2.77,23\n1433116859.000001,3de121396c81a89e,5456c9bc7a6d624b,,2323\n", NULL},
	{0},
};

static const struct output nicter = {
	.name = "nicter",
	.summary = "TCP SYNs to dark addresses with digests for addresses, as NICTER's dataset",
	.reference = "NICTER darknet dataset 2022 (MWS)",
	.media_type = "text/csv; charset=utf-8",
	.extension = "csv",
	.kinds = KIND_MASK(EVENT_FLOW_COUNTED),
	.begin = begin,
	.event = event,
	.specimens = specimens,
};
OUTPUT(nicter);
