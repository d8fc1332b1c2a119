/* kansoku erase: an address, a text, or a range of time goes, everywhere. */
#include "base/clock.h"
#include "bus/client.h"
#include "bus/parent.h"
#include "cli/command.h"
#include "store/store.h"

#define WAIT_MS 3600000

static bool print_part(void *arg, struct bytes part)
{
	return buffer_append(arg, part.at, part.len) == 0;
}

static int erasure_of(const struct arguments *a, struct erasure *e, struct fault *fault)
{
	const char *from = arguments_flag(a, "from"), *to = arguments_flag(a, "to");
	const char *word = arguments_count(a) ? arguments_word(a, 0) : NULL;
	if (word && (from || to))
		return fault_set(fault, ERR_BAD, "erase: either an address or a text, or --from and --to");
	if (word)
		return erasure_from_words(word, e, fault);
	*e = (struct erasure){.type = ERASE_RANGE};
	if (!from || !to || !time_parse(bytes_of_text(from), &e->from_us) ||
	    !time_parse(bytes_of_text(to), &e->to_us) || e->from_us >= e->to_us)
		return fault_set(fault, ERR_BAD, "erase: an address, a text, or --from and a later --to such as "
						 "2026-04-01 or 2026-04-01T12:00:00Z");
	return 0;
}

static void print_counts(const struct erasure *e, struct bytes json)
{
	static const char *const names[] = {"\"journal\":", "\"events\":", "\"flows\":", "\"private\":",
					    "\"files\":"};
	uint64_t counts[5] = {0};
	for (size_t i = 0; i < 5; i++) {
		size_t at = bytes_find(json, names[i]) + strlen(names[i]), n = 0;
		while (at + n < json.len && json.at[at + n] >= '0' && json.at[at + n] <= '9')
			n++;
		if (at < json.len)
			bytes_number((struct bytes){json.at + at, n}, UINT64_MAX, &counts[i]);
	}
	printf("%s %llu events, %llu flows and %llu private values in the store, %llu frames in the journal, "
	       "%llu files\n", e->dry_run ? "would erase" : "erased", (unsigned long long)counts[1],
	       (unsigned long long)counts[2], (unsigned long long)counts[3], (unsigned long long)counts[0],
	       (unsigned long long)counts[4]);
}

static int run(const struct arguments *a)
{
	static struct config config;
	struct erasure e;
	struct fault fault = {0};
	uint8_t wire[ERASURE_TEXT_MAX + 64];
	char state[256];
	struct buffer answer = BUFFER(65536);
	if (erasure_of(a, &e, &fault))
		return command_fail(2, "%s", fault.text);
	e.dry_run = arguments_flag(a, "dry-run") != NULL;
	struct writer w = writer_of(wire, sizeof wire);
	erasure_write(&w, &e);
	int bad = command_config(a, &config, &fault);
	if (!bad && run_state_path(&config, state, sizeof state))
		bad = fault_set(&fault, ERR_BAD, "run.state: the path is too long");
	if (!bad)
		bad = client_request(state, "store", TOPIC_ERASE, writer_bytes(&w), print_part, &answer, WAIT_MS,
				     &fault);
	if (bad)
		return command_fail(1, "%s", fault.text);
	struct bytes json = buffer_bytes(&answer);
	if (arguments_flag(a, "json"))
		fwrite(json.at, 1, json.len, stdout);
	else
		print_counts(&e, json);
	buffer_done(&answer);
	return 0;
}

static const struct flag erase_flags[] = {
	{"from", "TIME", "erase what was observed from this time on"},
	{"to", "TIME", "and before this one"},
	{"dry-run", NULL, "only count what would go"},
	{0},
};

static const struct command erase_command = {
	.name = "erase",
	.synopsis = "ADDRESS|TEXT | --from TIME --to TIME [--dry-run]",
	.summary = "remove an address, a text or a range of time from everything that is kept",
	.description =
		"Removes every event or flow that holds the address, as an address or written out in any text, or that\n"
		"holds the text (a token, a name); its passwords and payloads; its files, when no other event\n"
		"names them; and its frames in the journal. When it returns they are gone from the disk. A\n"
		"digest stays, so that copies which a sensor had kept back are dropped when they arrive.\n"
		"Backups are not touched. kansoku must be running.",
	.flags = erase_flags,
	.words_max = 1,
	.run = run,
};
COMMAND(erase_command);
