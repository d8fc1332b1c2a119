#include "tests/unit/lab/story_case.h"
#include "tests/test.h"

#define VALUE(literal) {(const uint8_t *)(literal), sizeof(literal) - 1}

static const struct indicator plain_static[] = {
	{INDICATOR_ENDPOINT, FOR_UNKNOWN, VALUE("198.51.100.3:23"), "xor 0x22", 60, 4096, 0},
	{INDICATOR_DOMAIN, FOR_COMMAND, VALUE("example.com"), "mirai-table", 80, 4200, 0},
	{INDICATOR_KEY, FOR_UNKNOWN, VALUE("xor 0x22"), "mirai-table", 90, UINT64_MAX, 0},
	{INDICATOR_URL, FOR_DOWNLOAD, VALUE("http://192.0.2.7/bins/it's.sh"), "strings", 70, 12, 0},
};

static const struct indicator hostile_static[] = {
	{INDICATOR_URL, FOR_COMMAND, VALUE("http://h/\"'<script>alert(1)</script>\\\x01"), "strings", 80, 0, 0},
	{INDICATOR_AGENT, FOR_UNKNOWN, VALUE("\xff\xfe</td>\x1b[2J"), "strings", 50, 1, 0},
	{INDICATOR_DOMAIN, FOR_COMMAND, VALUE("ev\xe2\x80\xae" "il.example"), "strings", 90, 1, 0},
	{INDICATOR_MUTEX, FOR_COMMAND, VALUE("'] OR [file:name = 'x"), "strings", 90, 1, 0},
};

static const struct indicator of_run[] = {
	{INDICATOR_ENDPOINT, FOR_COMMAND, VALUE("198.51.100.3:23"), "run: connect", 95, UINT64_MAX, 0},
	{INDICATOR_ADDRESS, FOR_VICTIM, VALUE("203.0.113.77"), "run: scan", 95, UINT64_MAX, 0},
	{INDICATOR_DOMAIN, FOR_CHECK, VALUE("check.example.net"), "run: resolve", 95, UINT64_MAX, 0},
};

static const struct behaviour did[] = {
	{DID_PROCESS, "/tmp/bot <b>", "", 1, 5, 5, 2},
	{DID_SCAN, "23", "tcp syn", 4000, 900, 9000, 2},
	{DID_COMMAND, "198.51.100.3:23", "it waits for lines", 1, 400, 9000, 2},
	{DID_RESOLVE, "example.com", "", 3, 300, 8000, 2},
};

static const struct dropped left[] = {
	{"/tmp/.x/<i>", "ceafbfd424be2ca4a5f0402cae090dda2fb0526cf521b60b60077c0f622b285a", VALUE("#!/bin/sh\n")},
};

static const struct hello greeted[] = {{"198.51.100.3:23", VALUE("\0\0\0\1"), true}};

static const struct fact facts[] = {{"elf.linking", "static", 0}, {"elf.note", "<img src=x>", 0}};
static const struct part parts[] = {{.name = "", .type = "elf", .architecture = "mips", .sha256 = ""}};
static const struct family families[] = {{"mirai", 30, "its table is XORed with 0x22"}};
static const char *const limits[] = {"archive.bytes"};
static const struct sample_place places[] = {{"wget", "203.0.113.5", "http://192.0.2.7/bot.mips", 1790000000000000}};
static const struct sample_link links[] = {
	{"aa00000000000000000000000000000000000000000000000000000000000000", "command", "198.51.100.3:23"}};

void story_case_open(struct story_case *c, bool hostile)
{
	*c = (struct story_case){
		.arena = ARENA(4u << 20),
		.findings = {.sha256 = "0000000000000000000000000000000000000000000000000000000000000001",
			     .sha1 = "6e71b3cac15d32fe2d36c270887df9479c25c640", .md5 = "0123456789abcdef0123456789abcdef",
			     .size = 4242, .type = "elf", .architecture = "mips", .tlsh = "T1",
			     .indicators = hostile ? hostile_static : plain_static, .indicator_count = 4,
			     .facts = facts, .fact_count = 2, .parts = parts, .part_count = 1, .limits = limits,
			     .limit_count = 1, .families = families, .family_count = 1},
		.runs = {{.how = "qemu-mips", .uid = 0, .indicators = of_run, .indicator_count = 3, .behaviours = did,
			  .behaviour_count = 4, .dropped = left, .dropped_count = 1, .hellos = greeted, .hello_count = 1,
			  .box = {.time_ms = 9100, .limit = "time", .killed = true}},
			 {.how = "qemu-mips", .uid = 1000, .behaviours = did, .behaviour_count = 1}},
		.story = {.places = places, .place_count = 1, .links = links, .link_count = 1, .campaign = "c-1",
			  .time_us = 1790000001000000, .sensor = "lab"},
	};
	c->story.findings = &c->findings;
	c->story.runs[0] = &c->runs[0];
	c->story.runs[1] = &c->runs[1];
	CHECK(lab_story_complete(&c->story, &c->arena) == 0);
}

void story_case_close(struct story_case *c) { arena_done(&c->arena); }
