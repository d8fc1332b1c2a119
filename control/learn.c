/*
 * From an event to what is known of its source, and to the campaigns that sources belong to.
 *
 * Only what a source did itself counts: a conversation over TCP that it had with a decoy, the
 * identification of what answered behind its address, packets of its scan.  Datagrams can be forged
 * in anybody's name, so what decoys hear by UDP is not held against their source.
 */
#include "base/random.h"
#include "control/room_inner.h"
#include "control/seekers_inner.h"
#include <ctype.h>
#include <xxhash.h>

FIELD(field_hassh, "ssh.hassh", TEXT, 0, "digest of the client's algorithm lists");
FIELD(field_typist, "typist", TEXT, 0, "who typed: human, bot, unsure");
FIELD(field_campaign, "campaign", TEXT, 0, "name of a campaign: the digest of what its first sources shared");

#define COMMAND_MAX 512    /* of a command that campaigns are known by */
#define LINES_LEAST 3      /* so many commands make a session that others may repeat */
#define FILE_LEAST 64      /* smaller files are tests whether writing works */
#define KEEP_US 10000000   /* what is known is written to the state this often */
#define KEEP_AT_ONCE 20000 /* entries of one writing */

kind_mask control_learns_from(const struct control *c)
{
	if (!c->sources)
		return 0;
	return KIND_MASK(EVENT_SESSION_CLOSED) | KIND_MASK(EVENT_LOGIN_TRIED) | KIND_MASK(EVENT_COMMAND_SENT) |
	       KIND_MASK(EVENT_REQUEST_SEEN) | KIND_MASK(EVENT_FILE_CAPTURED) | KIND_MASK(EVENT_CLIENT_SEEN) |
	       KIND_MASK(EVENT_SCAN_SEEN) | KIND_MASK(EVENT_HOST_IDENTIFIED);
}

static bool counts(const struct control *c, const struct event *e, const char *role)
{
	struct address decoy;
	if (e->kind == EVENT_HOST_IDENTIFIED)
		return !strcmp(role, "active");
	if (e->kind == EVENT_SCAN_SEEN)
		return !strcmp(role, "telescope");
	if (strcmp(role, "passive") && strcmp(role, "relay"))
		return false;
	return bytes_equal_text(event_bytes(e, FIELD_PROTO), "tcp") &&
	       !(event_address(e, FIELD_DST, &decoy) && policy_is_silent(&c->policy, &decoy));
}

static void count(struct source *s, enum source_count what)
{
	if (s->counts[what] < UINT32_MAX)
		s->counts[what]++;
}

static bool join(struct control *c, const struct address *member, uint64_t campaign)
{
	struct source *s = sources_find(c->sources, member);
	if (!s || s->campaign)
		return false;
	s->campaign = campaign;
	sources_changed(c->sources, s);
	campaigns_joined(c->campaigns, campaign);
	state_put_feature(c->state, campaign, campaign, campaigns_sources(c->campaigns, campaign), c->now_us);
	return true;
}

static void tell_member(struct control *c, const struct event *cause, const struct address *member,
			enum feature_kind kind, uint64_t campaign)
{
	struct event *e = &c->found;
	char text[CAMPAIGN_TEXT_MAX], detail[96];
	event_begin(e, EVENT_CAMPAIGN_FOUND);
	e->time_us = c->now_us;
	e->id = id_make(&c->ids, c->now_us);
	event_set_address(e, FIELD_SRC, member);
	event_set_text(e, field_campaign, campaign_text(campaign, text));
	event_set_number(e, FIELD_COUNT, campaigns_sources(c->campaigns, campaign));
	event_set_text(e, FIELD_REASON, feature_word(kind));
	snprintf(detail, sizeof detail, "%s as others of the campaign", feature_what(kind));
	event_set_text(e, FIELD_DETAIL, detail);
	if (kind == FEATURE_FILE)
		event_set_bytes(e, FIELD_FILE_SHA256, event_bytes(cause, FIELD_FILE_SHA256));
	if (!event_set_cause(e, cause))
		return;
	int bad = c->publish(c->arg, e);
	c->totals.unpublished += bad != 0;
	c->gap += bad != 0;
	control_steer(c, e, member);
}

static void share(struct control *c, const struct event *e, struct source *s, enum feature_kind kind, struct bytes value)
{
	const uint64_t feature = feature_hash(kind, value);
	struct sharing sharing = campaigns_share(c->campaigns, feature, &s->address, s->campaign, c->now_us);
	if (!sharing.campaign)
		return;
	c->totals.campaigns += sharing.founded && sharing.campaign == feature;
	sharing.members[sharing.member_count++] = s->address;
	/* All join before the rules are asked about the first: they may ask how many there are. */
	bool joined[CAMPAIGN_FOUNDERS_MAX];
	for (size_t i = 0; i < sharing.member_count; i++)
		joined[i] = join(c, &sharing.members[i], sharing.campaign);
	for (size_t i = 0; i < sharing.member_count; i++)
		if (joined[i])
			tell_member(c, e, &sharing.members[i], kind, sharing.campaign);
	if (sharing.founded && feature != sharing.campaign)
		state_put_feature(c->state, feature, sharing.campaign,
				  campaigns_sources(c->campaigns, feature), c->now_us);
}

static void learn_login(struct control *c, const struct event *e, struct source *s)
{
	const uint64_t credential = credential_hash(event_bytes(e, FIELD_LOGIN_USER), event_bytes(e, FIELD_LOGIN_SECRET));
	if (!source_tries(s, credential))
		return;
	const uint8_t lists = credentials_lists(&c->credentials, credential);
	count(s, COUNT_CREDENTIALS);
	for (size_t i = 0; i < CREDENTIAL_LISTS_MAX; i++)
		if (lists & 1u << i && s->matched[i] < UINT8_MAX)
			s->matched[i]++;
	const uint32_t tried = s->counts[COUNT_CREDENTIALS];
	if (tried > SOURCE_ORDER)
		return;
	s->order = random_mix(s->order + credential);
	const uint64_t signature[] = {s->client, s->order};
	if (tried == SOURCE_ORDER)
		share(c, e, s, FEATURE_CREDENTIALS, (struct bytes){(const uint8_t *)&s->order, sizeof s->order});
	else if (tried == 1 && s->client)
		share(c, e, s, FEATURE_CLIENT, (struct bytes){(const uint8_t *)signature, sizeof signature});
}

/* What differs from victim to victim becomes the same: each word with a digit in it. */
static struct bytes without_numbers(struct bytes line, char room[COMMAND_MAX])
{
	struct writer w = writer_of(room, COMMAND_MAX);
	for (size_t i = 0; i < line.len && writer_left(&w);) {
		size_t end = i;
		bool number = false;
		while (end < line.len && isalnum(line.at[end]))
			number |= isdigit(line.at[end++]) != 0;
		if (number)
			write_u8(&w, '#');
		else if (end > i)
			write_bytes(&w, line.at + i, end - i < writer_left(&w) ? end - i : writer_left(&w));
		if (end < line.len && writer_left(&w))
			write_u8(&w, line.at[end]);
		i = end + 1;
	}
	return writer_bytes(&w);
}

static void learn_command(const struct event *e, struct source *s)
{
	char room[COMMAND_MAX];
	const struct bytes line = event_bytes(e, FIELD_COMMAND_LINE);
	const struct bytes same = without_numbers(line, room);
	count(s, COUNT_COMMANDS);
	s->signs |= (uint16_t)seeker_signs_of_text(line);
	s->lines = XXH3_64bits_withSeed(same.at, same.len, s->lines + 1);
	s->line_count++;
}

static void learn_closed(struct control *c, const struct event *e, struct source *s)
{
	const struct bytes typist = event_bytes(e, field_typist);
	count(s, COUNT_SESSIONS);
	if (bytes_equal_text(typist, "human"))
		count(s, COUNT_HUMANS);
	if (bytes_equal_text(typist, "bot"))
		count(s, COUNT_BOTS);
	const uint64_t lines = s->lines;
	const bool repeatable = s->line_count >= LINES_LEAST;
	s->session = 0;
	if (repeatable)
		share(c, e, s, FEATURE_COMMANDS, (struct bytes){(const uint8_t *)&lines, sizeof lines});
}

static void learn_file(struct control *c, const struct event *e, struct source *s)
{
	const struct bytes digest = event_bytes(e, FIELD_FILE_SHA256), url = event_bytes(e, FIELD_FILE_URL);
	count(s, COUNT_FILES);
	if (digest.len && event_number(e, FIELD_FILE_SIZE, 0) >= FILE_LEAST)
		share(c, e, s, FEATURE_FILE, digest);
	if (url.len)
		share(c, e, s, FEATURE_URL, url);
}

static uint64_t digest_of(struct bytes b) { return b.len ? XXH3_64bits(b.at, b.len) | 1 : 0; }

static void learn_client(const struct event *e, struct source *s)
{
	const uint64_t hassh = digest_of(event_bytes(e, field_hassh));
	s->client = hassh ? hassh : s->client;
	s->signs |= (uint16_t)seeker_signs_of_greeting(event_bytes(e, FIELD_AGENT));
}

static void learn_scan(struct control *c, const struct event *e, struct source *s)
{
	const struct bytes tool = event_bytes(e, FIELD_TOOL);
	count(s, COUNT_SCANS);
	if (!tool.len)
		return;
	s->tool = source_name_number(c->sources, tool);
	s->client = s->client ? s->client : digest_of(tool);
}

static void learn(struct control *c, const struct event *e, struct source *s)
{
	switch (e->kind) {
	case EVENT_SESSION_CLOSED:
		learn_closed(c, e, s);
		return;
	case EVENT_LOGIN_TRIED:
		learn_login(c, e, s);
		return;
	case EVENT_COMMAND_SENT:
		learn_command(e, s);
		return;
	case EVENT_REQUEST_SEEN:
		s->signs |= (uint16_t)seeker_signs_of_text(event_bytes(e, FIELD_TARGET));
		return;
	case EVENT_FILE_CAPTURED:
		learn_file(c, e, s);
		return;
	case EVENT_CLIENT_SEEN:
		learn_client(e, s);
		return;
	case EVENT_SCAN_SEEN:
		learn_scan(c, e, s);
		return;
	case EVENT_HOST_IDENTIFIED:
		s->device_class = source_name_number(c->sources, event_bytes(e, FIELD_DEVICE_CLASS));
		return;
	default:
		return;
	}
}

void control_learn(struct control *c, const struct event *e, const struct address *source, const char *role)
{
	if (!(control_learns_from(c) & KIND_MASK(e->kind)) || !counts(c, e, role))
		return;
	struct source *s = sources_take(c->sources, source, c->now_us);
	const uint32_t session = control_session_mark(e);
	s->services |= source_service_bit(c->sources, event_bytes(e, FIELD_SERVICE));
	if (session && session != s->session) {
		s->session = session;
		s->lines = s->line_count = 0;
	}
	sources_changed(c->sources, s);
	learn(c, e, s);
}

void control_keep_learned(struct control *c, uint64_t now_us)
{
	const struct source *s;
	if (!c->sources || (now_us < c->kept_us + KEEP_US && !c->stopping))
		return;
	c->kept_us = now_us;
	const uint64_t most = c->stopping ? UINT64_MAX : KEEP_AT_ONCE;
	for (uint64_t i = 0; i < most && (s = sources_next_changed(c->sources)); i++)
		state_put_source(c->state, c->sources, s);
}

static void keep_source(void *arg, const struct source *s)
{
	struct control *c = arg;
	state_put_source(c->state, c->sources, s);
}

static void keep_feature(void *arg, uint64_t feature, uint64_t campaign, uint32_t sources, uint64_t seen_us)
{
	state_put_feature(((struct control *)arg)->state, feature, campaign, sources, seen_us);
}

void control_retain_learned(struct control *c)
{
	if (!c->sources)
		return;
	sources_each(c->sources, keep_source, c);
	campaigns_each(c->campaigns, keep_feature, c);
}
