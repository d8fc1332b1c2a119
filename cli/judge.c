/* What is known of a source of a capture, put before analysis/intent.h. */
#include "cli/judge.h"
#include "analysis/intent.h"

static int lists_read(struct judge *j, const struct arguments *a, const char *flag, struct fault *fault,
		      int (*add)(struct surveys *, struct bytes, const char *, struct fault *))
{
	const char *path;
	int bad = 0;
	for (size_t i = 0; !bad && (path = arguments_flag_nth(a, flag, i)); i++) {
		struct buffer text = BUFFER(0);
		bad = command_read_file(path, SURVEY_TEXT_MAX, &text, fault);
		if (!bad)
			bad = add(j->surveys, buffer_bytes(&text), path, fault);
		buffer_done(&text);
	}
	return bad == ERR_BAD ? ERR_MISSING : bad; /* a bad file is a failure, not wrong use */
}

int judge_open(struct judge *j, const struct arguments *a, const struct signatures *signatures, double watched,
	       struct fault *fault)
{
	*j = (struct judge){.signatures = signatures, .watched = watched};
	if (surveys_open(&j->surveys))
		return fault_set(fault, ERR_MEMORY, "no memory for the lists of surveys");
	int bad = lists_read(j, a, "surveys", fault, surveys_add);
	if (!bad)
		bad = lists_read(j, a, "names", fault, surveys_add_names);
	surveys_seal(j->surveys);
	return bad;
}

/* The gravest tool that was believed, and what lists and names say of the address. */
static void evidence_gather(const struct judge *j, const struct source_sum *sum,
			    struct intent_evidence *e)
{
	struct survey_match match;
	e->tool = INTENT_TOOL_NONE;
	for (unsigned t = 0; t < SIGNATURE_TOOLS_MAX; t++) {
		if (!(sum->tools >> t & 1))
			continue;
		const char *name = signatures_tool(j->signatures, t + 1);
		enum intent_tool tool = signatures_tool_hostile(j->signatures, t + 1)
						? INTENT_TOOL_HOSTILE : intent_tool_of(bytes_of_text(name));
		if (tool > e->tool) {
			e->tool = tool;
			e->tool_name = name;
		}
	}
	for (unsigned c = 0; c < TRAFFIC_CLASSES; c++)
		if (sum->classes >> c & 1)
			e->classes |= intent_class_of(bytes_of_text(traffic_class_names[c]));
	e->host_name = surveys_host_name(j->surveys, &sum->address);
	if (e->host_name && surveys_find_domain(j->surveys, e->host_name, &match))
		e->survey = match.who;
	if (surveys_find(j->surveys, &sum->address, &match)) {
		e->listed = match.who;
		e->list = match.list;
		e->listed_dated = match.dated_us != 0;
		e->listed_days = survey_age_days(&match, sum->last_us);
	}
}

void judge_ask(struct judge *j, const struct source_sum *sum, struct judgement *judgement)
{
	struct intent_verdict verdict;
	struct intent_evidence evidence = {
		.dark = true,
		.victim = sum->victim,
		.watched = j->watched,
		.packets = sum->packets,
		.destinations = sum->destinations,
		.ports = sum->records,
		.hosts = sum->hosts,
		.unevenness = -1,
	};
	evidence_gather(j, sum, &evidence);
	intent_judge(&evidence, &verdict);
	struct writer w = writer_of(j->reasons, sizeof j->reasons - 1);
	for (unsigned i = 0; i < verdict.count; i++) {
		write_text(&w, i ? "; " : "");
		intent_reason_write(&evidence, &verdict.reasons[i], &w);
	}
	if (!verdict.count)
		intent_summary_write(&evidence, &verdict, &w);
	*w.at = '\0';
	*judgement = (struct judgement){intent_name(verdict.verdict), verdict.confidence, j->reasons};
}

void judge_close(struct judge *j)
{
	surveys_close(j->surveys);
	j->surveys = NULL;
}
