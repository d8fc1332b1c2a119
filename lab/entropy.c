#include "lab/entropy.h"
#include <math.h>

double bytes_entropy(struct bytes b)
{
	uint32_t count[256] = {0};
	double sum = 0;
	for (size_t i = 0; i < b.len; i++)
		count[b.at[i]]++;
	for (size_t i = 0; i < 256; i++)
		if (count[i]) {
			double share = (double)count[i] / (double)b.len;
			sum -= share * log2(share);
		}
	return sum;
}
