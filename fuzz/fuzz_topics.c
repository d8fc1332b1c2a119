/* Any bytes as the payloads that command lines and other processes send to journal and store. */
#include "store/erasure.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct bytes payload = {data, n};
	struct erasure erasure;
	struct blob_part part;
	struct bytes sql;
	enum answer_format format;
	bool private_too;
	erasure_read(payload, &erasure);
	blob_part_read(payload, &part);
	question_read(payload, &sql, &format, &private_too);
	return 0;
}
