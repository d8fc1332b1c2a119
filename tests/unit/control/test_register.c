#include "control/register_inner.h"
#include "event/event.h"
#include "tests/unit/control/case.h"
#include <stdlib.h>
#include <unistd.h>

static struct optout_register r;
static char folder[64];

static void begin(void)
{
	snprintf(folder, sizeof folder, "/tmp/kansoku-register.XXXXXX");
	CHECK(mkdtemp(folder));
}

static void end(void)
{
	char path[128];
	register_close(&r);
	static const char *const files[] = {"opted-out", "opt-out-key"};
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, files[i]);
		unlink(path);
	}
	CHECK(rmdir(folder) == 0);
}

static void reopen(void)
{
	struct fault fault = {0};
	register_close(&r);
	int bad = register_open(&r, folder, &fault);
	CHECK_SAY(!bad, "%s", fault.text);
}

static struct register_entry entry(const char *prefix, enum register_how how, const char *reason)
{
	struct register_entry e = {.time_us = NOW, .how = how, .reason = reason, .asker = address_of("8.8.8.8")};
	CHECK(prefix_parse(bytes_of_text(prefix), &e.prefix));
	return e;
}

static bool holds(const char *address)
{
	struct address a = address_of(address);
	return prefix_set_holds(&r.set, &a);
}

TEST(register_keeps_who_asked_and_why_over_restarts)
{
	begin();
	reopen();
	CHECK(!holds("8.8.8.8"));
	struct register_entry e = entry("8.8.8.8", REGISTER_PAGE, "not mine # nor yours");
	CHECK(register_add(&r, &e) == 0 && register_add(&r, &e) == 0 && r.count == 1);
	e = entry("2606:4700::/48", REGISTER_API, "");
	CHECK(register_add(&r, &e) == 0);
	CHECK(holds("8.8.8.8") && holds("2606:4700::5"));
	reopen();
	CHECK(r.count == 2 && r.bad_lines == 0 && holds("8.8.8.8") && holds("2606:4700::5") && !holds("8.8.8.9"));
	struct address a = address_of("8.8.8.8");
	const struct register_entry *found = register_find(&r, &a);
	CHECK(found && found->how == REGISTER_PAGE && found->time_us == NOW && !strcmp(found->reason, "not mine # nor yours"));
	end();
}

TEST(register_keeps_requests_until_they_are_decided)
{
	begin();
	reopen();
	struct register_entry e = entry("8.8.0.0/16", REGISTER_PAGE, "ours");
	CHECK(register_ask(&r, &e) == 0 && register_ask(&r, &e) == 0 && r.waiting_count == 1);
	e = entry("9.9.0.0/16", REGISTER_PAGE, "ours, too");
	CHECK(register_ask(&r, &e) == 0);
	CHECK(!holds("8.8.8.8") && !holds("9.9.9.9"));
	reopen();
	CHECK(r.waiting_count == 2 && r.waiting[0].asker.b[15] == 8 && !strcmp(r.waiting[1].reason, "ours, too"));
	CHECK(register_decline(&r, &r.waiting[1].prefix) == 0 && register_decline(&r, &e.prefix) == ERR_MISSING);
	e = entry("8.0.0.0/8", REGISTER_COMMAND, "granted, and more");
	CHECK(register_add(&r, &e) == 0);
	CHECK(r.waiting_count == 0);
	reopen();
	CHECK(r.waiting_count == 0 && r.count == 1 && holds("8.8.8.8") && !holds("9.9.9.9"));
	end();
}

TEST(register_believes_no_line_that_was_cut)
{
	begin();
	reopen();
	struct register_entry e = entry("8.8.8.8", REGISTER_PAGE, "");
	CHECK(register_add(&r, &e) == 0);
	CHECK(write(r.fd, "8.8.4.4/3", 9) == 9); /* of a machine that lost its power: /32 was meant */
	reopen();
	CHECK(r.count == 1 && !holds("9.0.0.1"));
	e = entry("1.1.1.1", REGISTER_PAGE, "");
	CHECK(register_add(&r, &e) == 0);
	reopen();
	CHECK(r.count == 2 && r.bad_lines == 0 && holds("1.1.1.1") && holds("8.8.8.8") && !holds("9.0.0.1"));
	end();
}

TEST(register_takes_reasons_as_one_line_of_text)
{
	char out[REGISTER_REASON_MAX + 1];
	register_reason(BYTES("  a\nb\x1b[2J\x7f "), out);
	CHECK_SAY(!strcmp(out, "a b [2J "), "\"%s\"", out);
	register_reason(BYTES("\xe8\xa6\xb3"), out);
	CHECK(!strcmp(out, "\xe8\xa6\xb3"));
	register_reason(BYTES("a\xff"), out);
	CHECK(!strcmp(out, "a?"));
	char longer[REGISTER_REASON_MAX + 2];
	memset(longer, 'x', sizeof longer);
	memcpy(longer + REGISTER_REASON_MAX - 1, "\xe8\xa6\xb3", 3);
	register_reason((struct bytes){(uint8_t *)longer, sizeof longer}, out);
	CHECK(strlen(out) == REGISTER_REASON_MAX - 1 && out[0] == 'x');
}

TEST(register_signs_a_prefix_and_a_time_and_nothing_else)
{
	char sign[33];
	begin();
	reopen();
	struct prefix p, wider;
	CHECK(prefix_parse(BYTES("8.8.8.0/24"), &p) && prefix_parse(BYTES("8.8.0.0/16"), &wider));
	CHECK(register_sign(&r, &p, 1000, sign));
	CHECK(register_is_signed(&r, &p, 1000, bytes_of_text(sign)));
	CHECK(!register_is_signed(&r, &p, 1001, bytes_of_text(sign)));
	CHECK(!register_is_signed(&r, &wider, 1000, bytes_of_text(sign)));
	CHECK(!register_is_signed(&r, &p, 1000, (struct bytes){(uint8_t *)sign, 31}));
	reopen(); /* the key stays */
	CHECK(register_is_signed(&r, &p, 1000, bytes_of_text(sign)));
	sign[0] = sign[0] == '0' ? '1' : '0';
	CHECK(!register_is_signed(&r, &p, 1000, bytes_of_text(sign)));
	end();
}
