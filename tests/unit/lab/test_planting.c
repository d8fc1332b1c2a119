/* Bait in boxes: every place has a password of its own, and what a sample says of it is recognised. */
#include "lab/planting.h"
#include "tests/test.h"
#include <stdlib.h>
#include <unistd.h>

#define SHA "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static char state[64];
static struct bait_ledger ledger;
static struct planting planting;

static void begin(void)
{
	struct fault fault = {0};
	snprintf(state, sizeof state, "/tmp/kansoku-planting.XXXXXX");
	CHECK(mkdtemp(state));
	int fd = bait_ledger_create(state, &fault);
	CHECK_SAY(fd >= 0 && bait_ledger_open(&ledger, fd, &fault) == 0, "%s", fault.text);
	struct planting_plan plan = {.sha256 = SHA, .server = "192.0.2.7", .depth = 3};
	memset(plan.event.b, 5, sizeof plan.event.b);
	CHECK_SAY(planting_make(&planting, &ledger, &plan, &fault) == 0, "%s", fault.text);
}

static void end(void)
{
	char command[96];
	close(ledger.fd);
	bait_ledger_done(&ledger);
	snprintf(command, sizeof command, "rm -r %s", state);
	CHECK(system(command) == 0);
}

TEST(planting_gives_each_place_a_password_of_its_own)
{
	begin();
	CHECK(planting.count >= 8 && planting.entry == 1);
	for (size_t i = 0; i < planting.count; i++) {
		struct bytes text = planting.files[i].content;
		struct bait_token t;
		enum bait_shape shape;
		CHECK(memmem(text.at, text.len, "192.0.2.7", 9) && memmem(text.at, text.len, planting.user, strlen(planting.user)));
		CHECK(bait_next(&ledger.secret, &text, &t, &shape) && shape == BAIT_PASSWORD && t.where == 1);
		for (size_t k = 0; k < i; k++)
			CHECK(planting.places[k].token.mark != t.mark);
		CHECK(!bait_next(&ledger.secret, &text, &t, &shape));
	}
	struct bait_run run;
	const struct bait_entry *entry = bait_ledger_entry(&ledger, 1);
	CHECK(entry && entry->kind == LEDGER_SAMPLE && bait_run_read(entry->text, &run));
	CHECK(!strcmp(run.sha256, SHA) && !strcmp(run.run, "root") && run.depth == 3 && run.event[15] == 5);
	end();
}

TEST(planting_is_recognised_in_what_a_sample_says)
{
	begin();
	size_t found[PLANTED_MAX];
	struct bytes netrc = planting.files[0].content;
	CHECK(planting_leaked(&planting, &ledger, BYTES("GET /?u=backup&p=wrongwrongwrong1 HTTP/1.0"), found) == 0);
	CHECK(planting_leaked(&planting, &ledger, netrc, found) == 1 && found[0] == 0);
	/* As basic authentication says it. */
	char said[512] = "GET / HTTP/1.0\r\nAuthorization: Basic ", plain[64];
	const char *password = (const char *)memmem(netrc.at, netrc.len, "password ", 9) + 9;
	snprintf(plain, sizeof plain, "%s:%.*s", planting.user, BAIT_PASSWORD_CHARS, password);
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = strlen(said);
	for (size_t i = 0; i + 2 < strlen(plain) + 3 && i < strlen(plain); i += 3) {
		uint32_t bits = (uint32_t)(uint8_t)plain[i] << 16;
		bits |= i + 1 < strlen(plain) ? (uint32_t)(uint8_t)plain[i + 1] << 8 : 0;
		bits |= i + 2 < strlen(plain) ? (uint32_t)(uint8_t)plain[i + 2] : 0;
		for (int k = 18; k >= 0; k -= 6)
			said[n++] = digits[bits >> k & 63];
	}
	CHECK(planting_leaked(&planting, &ledger, (struct bytes){(uint8_t *)said, n}, found) == 1 && found[0] == 0);
	end();
}
