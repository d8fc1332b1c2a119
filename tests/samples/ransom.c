/* Like ransomware: it makes its own victims, turns their bytes around, renames them and leaves a note. */
#include "bot.h"

int main(void)
{
	char path[64], locked[80];
	mkdir("/tmp/documents", 0755);
	for (unsigned i = 0; i < 5; i++) {
		snprintf(path, sizeof path, "/tmp/documents/%u.txt", i);
		snprintf(locked, sizeof locked, "%s.locked", path);
		write_file(path, "a letter\n", 0644);
		write_file(path, "\x9e\x93\x9a\x8b", 0644);
		rename(path, locked);
	}
	write_file("/tmp/documents/README_TO_DECRYPT.txt", "Pay 1 BTC to bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq\n", 0644);
	return 0;
}
