/* A Recog file from a stranger: loads, complains or fails, and its examples can be tried. */
#include "active/identify/identify.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	struct identify_file file = {"fuzz.xml", {input, len}};
	struct identify *id;
	struct fault fault = {0};
	size_t skipped = 0;
	if (identify_open_files(&id, &file, 1, &fault, &skipped) != 0)
		return 0;
	struct identify_check check;
	struct identify_hit hit;
	identify_verify(id, &check, NULL, NULL);
	identify_match(id, "html_title", BYTES("Model A1 login:"), &hit);
	identify_close(id);
	return 0;
}
