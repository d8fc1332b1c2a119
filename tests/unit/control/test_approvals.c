/* Approvals in the room: asked once, read, decided, taken once, kept, bounded. */
#include "control/operator_topics_inner.h"
#include "control/room_inner.h"
#include "tests/unit/control/case.h"
#include <stdlib.h>
#include <unistd.h>

#define HOUR (3600ull * 1000000)

static struct config config;
static struct control *control;
static char directory[64], decisions[512][16];
static size_t decision_count, changes;
static struct event_id first_id, last_root;

static int publish(void *arg, struct event *e)
{
	(void)arg;
	bytes_copy_text(event_bytes(e, FIELD_DECISION), decisions[decision_count % 512], 16);
	if (decision_count++ == 0)
		first_id = e->id;
	event_id_of(e, FIELD_ROOT, &last_root);
	return 0;
}

static void changed(void *arg, const struct approval *a)
{
	(void)arg;
	(void)a;
	changes++;
}

static void room_open(uint64_t now_us)
{
	struct fault fault = {0};
	control = calloc(1, sizeof *control);
	CHECK(control != NULL);
	control->publish = publish;
	control->approval_changed = changed;
	CHECK(settings_read(&config, &control->settings, &fault) == 0);
	int bad = control_open(control, directory, now_us, &fault);
	CHECK_SAY(!bad, "%s", fault.text);
}

static void room_close(void)
{
	control_close(control);
	settings_done(&control->settings);
	free(control);
}

static void begin(const char *more)
{
	char yaml[512];
	snprintf(yaml, sizeof yaml, "%s%s", SCOPE_ALL, more);
	decision_count = changes = 0;
	config_of("", yaml, &config);
	snprintf(directory, sizeof directory, "/tmp/kansoku-approvals-XXXXXX");
	CHECK(mkdtemp(directory) != NULL);
	room_open(NOW);
}

static void end(void)
{
	char command[128];
	room_close();
	config_done(&config);
	snprintf(command, sizeof command, "%s/looks", directory);
	unlink(command);
	snprintf(command, sizeof command, "%s/opted-out", directory);
	unlink(command);
	snprintf(command, sizeof command, "%s/opt-out-key", directory);
	unlink(command);
	rmdir(directory);
}

static struct approval_ask ask_of(const char *target, const char *text)
{
	struct approval_ask a = {.kind = "hello", .title = "first words of a bot", .port = 6667, .text = bytes_of_text(text)};
	a.target = address_of(target);
	return a;
}

static struct approval_standing asked(const char *target, const char *text, uint64_t now_us)
{
	const struct approval_ask a = ask_of(target, text);
	struct approval_standing s = {.state = 0};
	struct fault fault = {0};
	int bad = control_approval_ask(control, "lab", &a, now_us, &s, &fault);
	CHECK_SAY(!bad, "%s", fault.text);
	return s;
}

static int answer(const struct event_id *id, const char *sha256, const char *decision, uint64_t now_us)
{
	char json[400], text[EVENT_ID_TEXT], out[400];
	struct fault fault = {0};
	struct writer w = writer_of(out, sizeof out);
	snprintf(json, sizeof json, "{\"id\":\"%s\",\"sha256\":\"%s\",\"decision\":\"%s\",\"by\":\"tester\",\"note\":\"a\\nb\"}",
		 id_format(id, text), sha256, decision);
	control->now_us = now_us;
	return operator_topic_ask(control, "approval.decide", bytes_of_text(json), &w, &fault);
}

static const char *digest_of(const struct event_id *id) { return approvals_find(&control->approvals, id)->sha256; }

TEST(approval_is_asked_once_approved_by_its_digest_and_taken_once)
{
	struct fault fault = {0};
	begin("");
	const struct approval_standing s = asked("9.1.2.7", "NICK a\r\n", NOW);
	CHECK(s.state == APPROVAL_WAITING && id_equal(&s.id, &first_id));
	const struct approval_standing same = asked("9.1.2.7", "NICK a\r\n", NOW + 1),
				       other = asked("9.1.2.7", "NICK b\r\n", NOW + 1);
	CHECK(id_equal(&same.id, &s.id) && !id_equal(&other.id, &s.id));
	CHECK(control_approval_take(control, "lab", &s.id, NOW, &fault) == ERR_DENIED);
	CHECK(answer(&s.id, "00", "approve", NOW) == ERR_DENIED);
	CHECK(answer(&s.id, digest_of(&s.id), "perhaps", NOW) == ERR_BAD);
	CHECK(answer(&s.id, digest_of(&s.id), "approve", NOW) == 0);
	CHECK(answer(&s.id, digest_of(&s.id), "approve", NOW) == ERR_DENIED);
	CHECK(control_approval_take(control, "visit", &s.id, NOW, &fault) == ERR_MISSING);
	CHECK(control_approval_take(control, "lab", &s.id, NOW, &fault) == 0);
	CHECK(control_approval_take(control, "lab", &s.id, NOW, &fault) == ERR_DENIED);
	CHECK(decision_count == 4 && !strcmp(decisions[0], "asked") && !strcmp(decisions[2], "approved") &&
	      !strcmp(decisions[3], "spent") && id_equal(&last_root, &s.id) && changes == 4);
	/* What was spent is no answer to the next question. */
	CHECK(asked("9.1.2.7", "NICK a\r\n", NOW + 2).state == APPROVAL_WAITING);
	end();
}

TEST(approval_survives_a_restart_and_grows_old)
{
	struct fault fault = {0};
	begin("");
	const struct approval_standing yes = asked("9.1.2.7", "one", NOW), no = asked("9.1.2.7", "two", NOW),
				       open = asked("9.1.2.7", "three", NOW);
	CHECK(answer(&yes.id, digest_of(&yes.id), "approve", NOW) == 0 && answer(&no.id, digest_of(&no.id), "decline", NOW) == 0);
	room_close();
	room_open(NOW + HOUR);
	CHECK(asked("9.1.2.7", "one", NOW + HOUR).state == APPROVAL_APPROVED);
	CHECK(asked("9.1.2.7", "two", NOW + HOUR).state == APPROVAL_DECLINED);
	CHECK(asked("9.1.2.7", "three", NOW + HOUR).state == APPROVAL_WAITING);
	CHECK(!strcmp(approvals_find(&control->approvals, &yes.id)->note, "a b"));
	CHECK(control_approval_take(control, "lab", &yes.id, NOW + 25 * HOUR, &fault) == ERR_DENIED);
	CHECK(answer(&open.id, digest_of(&open.id), "approve", NOW + 8 * 24 * HOUR) == 0);
	control_approval_tick(control, NOW + 10 * 24 * HOUR);
	CHECK(approvals_find(&control->approvals, &open.id)->standing.state == APPROVAL_EXPIRED);
	end();
}

TEST(approval_asks_the_policy_when_asked_and_when_taken)
{
	struct fault fault = {0};
	begin("passive: {}\n");
	struct approval_standing s = asked("9.1.2.7", "one", NOW);
	CHECK(answer(&s.id, digest_of(&s.id), "approve", NOW) == 0);
	struct prefix p = prefix_of(&(struct address){0}, 0);
	CHECK(prefix_parse(BYTES("9.1.2.0/24"), &p) && prefix_set_add(&control->optout.set, &p) == 0);
	prefix_set_seal(&control->optout.set);
	CHECK(control_approval_take(control, "lab", &s.id, NOW, &fault) == ERR_DENIED);
	CHECK_SAY(strstr(fault.text, "opted-out"), "%s", fault.text);
	const struct approval_ask other = ask_of("9.1.2.8", "one"), special = ask_of("10.0.0.1", "one");
	CHECK(control_approval_ask(control, "lab", &other, NOW, &s, &fault) == ERR_DENIED);
	CHECK(control_approval_ask(control, "lab", &special, NOW, &s, &fault) == ERR_DENIED);
	end();
}

TEST(approval_table_is_bounded_for_each_role_and_in_all)
{
	struct fault fault = {0};
	struct approval_standing s;
	char text[32];
	begin("");
	for (int i = 0; i < APPROVALS_WAITING_MAX; i++) {
		snprintf(text, sizeof text, "message %d", i);
		s = asked("9.1.2.7", text, NOW);
	}
	const struct approval_ask more = ask_of("9.1.2.7", "one more");
	CHECK(control_approval_ask(control, "lab", &more, NOW, &s, &fault) == ERR_FULL);
	CHECK(control_approval_ask(control, "visit", &more, NOW, &s, &fault) == 0);
	CHECK(control_approval_forget(control, &more.target, 0, 0) == APPROVALS_WAITING_MAX + 1);
	for (int i = 0; i < 2 * APPROVALS_MAX; i++) {
		snprintf(text, sizeof text, "message %d", i);
		s = asked("9.1.2.7", text, NOW);
		CHECK(answer(&s.id, digest_of(&s.id), "decline", NOW) == 0);
	}
	CHECK(control->approvals.count == APPROVALS_MAX);
	end();
}

TEST(approval_list_shows_each_byte)
{
	char out[4096];
	struct fault fault = {0};
	struct writer w = writer_of(out, sizeof out - 1);
	begin("");
	asked("9.1.2.7", "a\x01\xff", NOW);
	CHECK(operator_topic_ask(control, "approval.list", BYTES("{\"state\":\"waiting\"}"), &w, &fault) == 0);
	*w.at = '\0';
	CHECK_SAY(strstr(out, "\"text\":\"6101ff\"") && strstr(out, "\"target\":\"9.1.2.7\""), "%s", out);
	end();
}
