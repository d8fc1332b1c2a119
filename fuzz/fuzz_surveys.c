/* A list or a file of names from a stranger: taken or refused; whatever was taken can be asked. */
#include "analysis/surveys.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	struct surveys *s;
	struct fault fault = {0};
	struct survey_match match;
	char host_name[64];
	if (len == 0 || surveys_open(&s))
		return 0;
	struct bytes text = {input + 1, len - 1};
	surveys_add(s, BYTES("192.0.2.0/24 fixed\n.survey.example fixed\n"), "fixed", &fault);
	if (input[0] & 1)
		surveys_add_names(s, text, "fuzz", &fault);
	else
		surveys_add(s, text, "fuzz", &fault);
	surveys_seal(s);
	struct address a = address_v4(0xc0000207);
	if (!surveys_find(s, &a, &match) || !match.who || !match.list)
		__builtin_trap();
	for (size_t i = 0; i + sizeof a.b <= len && i < 64; i++) {
		memcpy(a.b, input + i, sizeof a.b);
		surveys_find(s, &a, &match);
		surveys_host_name(s, &a);
	}
	bytes_copy_text((struct bytes){input, len < 60 ? len : 60}, host_name, sizeof host_name);
	surveys_find_domain(s, host_name, &match);
	surveys_close(s);
	return 0;
}
