/* The audit's promise kept: an export's line has what makes it again, byte for byte. */
#include "cli/exports.h"

int export_again(struct desk *d, uint64_t number, const char *path)
{
	json_t *about = NULL, *question = json_pack("{s:I}", "line", (json_int_t)number);
	int bad = export_take(d->state, question, path, &about, &d->fault);
	if (bad)
		return command_fail(1, "export: %s", d->fault.text);
	bool same = !strcmp(json_text_of(about, "sha256"), json_text_of(about, "was"));
	if (same)
		fprintf(stderr, "%lld events, byte for byte what line %llu of the audit tells of\n", json_number_of(about, "objects"),
			(unsigned long long)number);
	else
		command_fail(1, "export: %lld events, and not the bytes of line %llu: their digest was %.64s and is %.64s now; events "
			     "came late, were erased or are no longer kept, or the policy is another", json_number_of(about, "objects"),
			     (unsigned long long)number, json_text_of(about, "was"), json_text_of(about, "sha256"));
	json_decref(about);
	return same ? 0 : 1;
}
