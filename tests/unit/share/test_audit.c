/* The audit's chain: what was written stands, what was changed is seen. */
#include "share/audit.h"
#include "tests/test.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct scene {
	char folder[64];
	int directory;
	struct audit *audit;
	struct fault fault;
};

static void scene_open(struct scene *s)
{
	*s = (struct scene){.folder = "/tmp/kansoku-audit-XXXXXX"};
	CHECK(mkdtemp(s->folder));
	s->directory = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(s->directory >= 0);
	CHECK_SAY(audit_open(&s->audit, s->directory, &s->fault) == 0, "%s", s->fault.text);
}

static void scene_close(struct scene *s)
{
	audit_close(s->audit);
	unlinkat(s->directory, AUDIT_FILE, 0);
	close(s->directory);
	CHECK(rmdir(s->folder) == 0);
}

static size_t whole(const struct scene *s, char *text, size_t size)
{
	const int fd = openat(s->directory, AUDIT_FILE, O_RDONLY | O_CLOEXEC);
	const ssize_t n = read(fd, text, size - 1);
	CHECK(n >= 0);
	close(fd);
	text[n] = '\0';
	return (size_t)n;
}

static void overwrite(const struct scene *s, const char *text, size_t len)
{
	const int fd = openat(s->directory, AUDIT_FILE, O_WRONLY | O_TRUNC | O_CLOEXEC);
	CHECK(write(fd, text, len) == (ssize_t)len);
	close(fd);
}

static int verify(struct scene *s, struct audit_head *head)
{
	const int fd = openat(s->directory, AUDIT_FILE, O_RDONLY | O_CLOEXEC);
	int bad = audit_verify(fd, head, NULL, NULL, &s->fault);
	close(fd);
	return bad;
}

static void three_lines(struct scene *s)
{
	uint8_t digest[AUDIT_DIGEST] = {0xab};
	struct address from;
	CHECK(address_parse(BYTES("192.0.2.7"), &from));
	const struct audit_entry read = {.action = "read", .organisation = "csirt", .user = "feed", .token = "0123456789abcdef",
					 .from = &from, .collection = "shells", .format = "stix", .policy = "default", .objects = 12,
					 .filter = BYTES("added_after=\"\n\xff"), .digest = digest};
	const struct audit_entry refused = {.action = "refused", .reason = "unknown token"};
	CHECK(audit_add(s->audit, &read) == 0);
	CHECK(audit_add(s->audit, &refused) == 0);
	CHECK(audit_add(s->audit, &read) == 0);
}

TEST(audit_lines_are_a_chain)
{
	struct scene s;
	struct audit_head head = {0};
	char text[8192];
	scene_open(&s);
	three_lines(&s);
	whole(&s, text, sizeof text);
	CHECK(strstr(text, "{\"n\":1,\"before\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"time\":\"20"));
	CHECK_SAY(strstr(text, "\"from\":\"192.0.2.7\",\"collection\":\"shells\",\"format\":\"stix\",\"policy\":\"default\",\"objects\":12,"
			       "\"filter\":\"added_after=\\u0022\\u000a\\u00ff\",\"sha256\":\"ab00"), "%s", text);
	CHECK_SAY(verify(&s, &head) == 0 && head.number == 3, "%s", s.fault.text);
	CHECK(!memcmp(audit_last(s.audit).digest, head.digest, sizeof head.digest));
	audit_close(s.audit);
	CHECK(audit_open(&s.audit, s.directory, &s.fault) == 0 && audit_last(s.audit).number == 3);
	three_lines(&s);
	head = audit_last(s.audit);
	CHECK_SAY(verify(&s, &head) == 0 && head.number == 6, "%s", s.fault.text);
	scene_close(&s);
}

TEST(audit_sees_what_was_changed)
{
	struct scene s;
	struct audit_head head = {0}, last;
	char text[8192], other[8192];
	scene_open(&s);
	three_lines(&s);
	last = audit_last(s.audit);
	const size_t len = whole(&s, text, sizeof text);
	memcpy(other, text, len + 1);
	*strstr(other, "unknown") = 'k';
	overwrite(&s, other, len);
	CHECK_SAY(verify(&s, &head) == ERR_BAD && strstr(s.fault.text, "line 3 does not follow"), "%s", s.fault.text);

	/* A line taken out, and one cut off the end, which only a noted digest tells. */
	char *second = strchr(text, '\n') + 1, *third = strchr(second, '\n') + 1;
	const size_t first_len = (size_t)(second - text);
	memcpy(other, text, first_len);
	memcpy(other + first_len, third, len - (size_t)(third - text));
	overwrite(&s, other, len - (size_t)(third - second));
	head = (struct audit_head){0};
	CHECK(verify(&s, &head) == ERR_BAD && strstr(s.fault.text, "line 2 has the number 3"));
	overwrite(&s, text, (size_t)(third - text));
	head = (struct audit_head){0};
	CHECK(verify(&s, &head) == 0 && head.number == 2);
	CHECK(verify(&s, &last) == ERR_BAD && strstr(s.fault.text, "line 3, whose digest was noted, is gone"));
	scene_close(&s);
}

TEST(audit_forgets_a_torn_line_only)
{
	struct scene s;
	struct audit_head head = {0};
	char text[8192];
	scene_open(&s);
	three_lines(&s);
	const size_t len = whole(&s, text, sizeof text);
	overwrite(&s, text, len - 9);
	CHECK(verify(&s, &head) == ERR_BAD && strstr(s.fault.text, "line 3 is not whole"));
	audit_close(s.audit);
	CHECK(audit_open(&s.audit, s.directory, &s.fault) == 0 && audit_last(s.audit).number == 2);
	three_lines(&s);
	head = (struct audit_head){0};
	CHECK_SAY(verify(&s, &head) == 0 && head.number == 5, "%s", s.fault.text);
	audit_close(s.audit);
	s.audit = NULL;
	overwrite(&s, "hello\n", 6);
	CHECK(audit_open(&s.audit, s.directory, &s.fault) == ERR_BAD);
	scene_close(&s);
}

static bool keep_two(void *arg, struct bytes line)
{
	char *seen = arg;
	strncat(seen, (const char *)line.at, 6);
	return strlen(seen) < 12;
}

TEST(audit_is_read_from_its_end)
{
	struct scene s;
	char seen[64] = "";
	scene_open(&s);
	three_lines(&s);
	CHECK(audit_each_back(s.audit, 0, keep_two, seen) == 0);
	CHECK_SAY(!strcmp(seen, "{\"n\":3{\"n\":2"), "%s", seen);
	*seen = '\0';
	CHECK(audit_each_back(s.audit, 2, keep_two, seen) == 0);
	CHECK_SAY(!strcmp(seen, "{\"n\":1"), "%s", seen);
	scene_close(&s);
}
