/*
 * What is met in checks of servers: answers of hostile servers against our fingerprints, hellos of samples,
 * fingerprint files, orders and results on the wire, and what control keeps.
 */
#include "active/servers/learn.h"
#include "active/servers/verdict.h"
#include "base/place.h"
#include "bus/approval.h"
#include "control/approvals_inner.h"
#include "control/servers_inner.h"
#include "event/hello.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct server_fingerprints *f, struct bytes in)
{
	struct reader r = reader_of_bytes(in);
	struct check_order order = {.steps = CHECK_ALL};
	struct heard heard[CHECK_STEPS] = {{.taken = true}};
	struct server_verdict v;
	order.hello = read_bytes(&r, read_u8(&r));
	for (int i = 0; i < CHECK_STEPS; i++)
		heard[i] = (struct heard){.taken = true, .opened = true, .said = read_bytes(&r, read_u8(&r))};
	server_judge(f, &order, heard, &v);
	if (v.certainty > 100 || v.state >= SERVER_STATES)
		abort();
}

static void neutralise(struct bytes in)
{
	uint8_t out[CHECK_HELLO_MAX];
	struct writer w = writer_of(out, sizeof out);
	hello_neutralise(in, &w);
	if (!w.bad && writer_used(&w) != in.len)
		abort();
}

static void read_wire(struct bytes in)
{
	struct check_order order;
	struct check_result result;
	struct approval_ask ask;
	struct reader r = reader_of_bytes(in);
	(void)check_order_read(&r, &order);
	r = reader_of_bytes(in);
	(void)check_result_read(&r, &result);
	r = reader_of_bytes(in);
	(void)approval_ask_read(&r, &ask);
	struct servers servers = {.count = 0};
	struct approvals approvals = {.count = 0};
	r = reader_of_bytes(in);
	servers_read(&servers, &r);
	r = reader_of_bytes(in);
	approvals_read(&approvals, &r);
	servers_done(&servers);
	approvals_done(&approvals);
}

static void learn(struct bytes in)
{
	static char yaml[SERVER_LEARNT_MAX];
	struct server_learning *l;
	struct server_learnt told;
	struct fault fault;
	struct reader r = reader_of_bytes(in);
	if (server_learning_open(&l))
		return;
	for (int i = 0; i < 8 && reader_ok(&r); i++) {
		server_learning_side(l, i % 3 == 2);
		const struct bytes asked = read_bytes(&r, read_u8(&r)), answered = read_bytes(&r, read_u8(&r));
		server_learning_take(l, asked, answered);
	}
	struct writer w = writer_of(yaml, sizeof yaml);
	if (server_learning_write(l, "n", "f", &w, &told, &fault) == 0) {
		/* What is learned can be read again, and holds for its own examples. */
		struct server_fingerprints *f;
		if (server_fingerprints_open(&f) == 0) {
			if (told.made && (server_fingerprints_take(f, writer_bytes(&w), "learned", NULL) ||
					  server_fingerprints_verify(f, NULL)))
				abort();
			server_fingerprints_close(f);
		}
	}
	server_learning_close(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct server_fingerprints *ours;
	char folder[PLACE_PATH_MAX];
	size_t skipped = 0;
	const struct bytes in = {data, size};
	if (!ours && (server_fingerprints_open(&ours) || place_find("fingerprints/servers", folder) ||
		      server_fingerprints_read(ours, folder, &skipped, NULL)))
		return 0;
	judge(ours, in);
	neutralise(in);
	read_wire(in);
	learn(in);
	struct server_fingerprints *f;
	if (size < 4096 && server_fingerprints_open(&f) == 0) {
		server_fingerprints_take(f, in, "fuzz", NULL);
		server_fingerprints_verify(f, NULL);
		server_fingerprints_close(f);
	}
	return 0;
}
