/* Keys of recipients: kept, derived, and never made anew over a file that cannot be read. */
#include "share/anonymise/derive_inner.h"
#include "share/keys.h"
#include "tests/test.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(keys_are_derived_as_hkdf_says)
{
	uint8_t key[22], out[DERIVED_BYTES];
	memset(key, 0x0b, sizeof key);
	derive((struct bytes){key, sizeof key}, "", (struct bytes){0}, out);
	static const uint8_t without[DERIVED_BYTES] = {
		0x8d, 0xa4, 0xe7, 0x75, 0xa5, 0x63, 0xc1, 0x8f, 0x71, 0x5f, 0x80, 0x2a, 0x06, 0x3c, 0x5a, 0x31,
		0xb8, 0xa1, 0x1f, 0x5c, 0x5e, 0xe1, 0x87, 0x9e, 0xc3, 0x45, 0x4e, 0x5f, 0x3c, 0x73, 0x8d, 0x2d,
	};
	CHECK(!memcmp(out, without, sizeof out)); /* RFC 5869 A.3: no salt, no info; the first block */
	derive((struct bytes){key, sizeof key}, "", BYTES("period 1"), out);
	CHECK(memcmp(out, without, sizeof out));
}

TEST(keys_are_drawn_once_and_kept_for_their_owner_alone)
{
	char folder[] = "/tmp/kansoku-keys.XXXXXX";
	uint8_t a[KEY_BYTES], b[KEY_BYTES], c[KEY_BYTES];
	struct fault fault = {0};
	struct keys *k;
	struct stat st;
	CHECK(mkdtemp(folder));
	int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(keys_open(&k, directory, &fault) == 0);
	keys_derive(k, "cert", "default", a);
	keys_derive(k, "certd", "efault", b);
	keys_close(k);
	CHECK(memcmp(a, b, sizeof a));
	CHECK(fstatat(directory, KEYS_FILE, &st, 0) == 0 && (st.st_mode & 0777) == 0600);
	CHECK(keys_open(&k, directory, &fault) == 0);
	keys_derive(k, "cert", "default", c);
	keys_close(k);
	CHECK(!memcmp(a, c, sizeof a));
	int fd = openat(directory, KEYS_FILE, O_WRONLY | O_TRUNC | O_CLOEXEC);
	CHECK(fd >= 0 && write(fd, "kansoku keys 1\n", 15) == 15 && close(fd) == 0);
	CHECK(keys_open(&k, directory, &fault) == ERR_BAD && strstr(fault.text, "backup"));
	CHECK(unlinkat(directory, KEYS_FILE, 0) == 0 && close(directory) == 0 && rmdir(folder) == 0);
}
