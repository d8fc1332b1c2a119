/* Any bytes as a configuration: refused with a sentence, or bound; never more than its memory. */
#include "base/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct config c;
	struct fault fault = {0};
	if (config_read((struct bytes){data, n}, "fuzz.yaml", &c, &fault) == 0)
		config_done(&c);
	else if (!fault.text[0])
		__builtin_trap();
	return 0;
}
