#include "store/blob.h"
#include "tests/test.h"
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_SIZE 150000u

static uint8_t file[FILE_SIZE];

static void part_of(struct blob_part *p, uint64_t offset)
{
	unsigned n;
	for (size_t i = 0; i < sizeof file; i++)
		file[i] = (uint8_t)(i * 31 + i / 256);
	*p = (struct blob_part){.offset = offset, .total = sizeof file};
	CHECK(EVP_Digest(file, sizeof file, p->sha256, &n, EVP_sha256(), NULL));
	size_t left = sizeof file - offset;
	p->bytes = (struct bytes){file + offset, left < BLOB_PART_MAX ? left : BLOB_PART_MAX};
}

static int open_folder(char path[64])
{
	snprintf(path, 64, "/tmp/kansoku-blobs-XXXXXX");
	CHECK(mkdtemp(path));
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0);
	return fd;
}

static void close_folder(struct blobs *b, const struct blob_part *p, const char *path)
{
	char folder[3];
	snprintf(folder, sizeof folder, "%02x", p->sha256[0]);
	blob_erase(b, p->sha256);
	unlinkat(b->directory, folder, AT_REMOVEDIR);
	close(b->directory);
	CHECK(rmdir(path) == 0);
}

TEST(blob_parts_become_a_file)
{
	char path[64];
	struct blobs b;
	struct fault fault;
	struct blob_part p;
	uint64_t there = 0, total = 0;
	CHECK(blobs_open(&b, open_folder(path), 1 << 20, 1 << 20, &fault) == 0);
	while (there < FILE_SIZE) {
		uint8_t wire[BLOB_PART_MAX + 64];
		struct writer w = writer_of(wire, sizeof wire);
		part_of(&p, there);
		blob_part_write(&w, &p);
		CHECK(blob_part_read(writer_bytes(&w), &p) == 0);
		CHECK(blob_put(&b, &p, &there, &fault) == 0);
		/* The same part again neither harms nor helps. */
		uint64_t again = 0;
		CHECK(blob_put(&b, &p, &again, &fault) == 0 && again == there);
	}
	uint8_t read[1000];
	CHECK(blob_get(&b, p.sha256, 149500, read, sizeof read, &total) == 500 && total == FILE_SIZE);
	CHECK(!memcmp(read, file + 149500, 500));
	CHECK(blobs_open(&b, b.directory, 1 << 20, 1 << 20, &fault) == 0 && b.total == FILE_SIZE);
	CHECK(blob_erase(&b, p.sha256) == 0 && b.total == 0);
	CHECK(blob_get(&b, p.sha256, 0, read, sizeof read, &total) == ERR_MISSING);
	close_folder(&b, &p, path);
}

TEST(blob_with_a_wrong_digest_is_dropped)
{
	char path[64];
	struct blobs b;
	struct fault fault;
	struct blob_part p;
	uint64_t there = 0;
	CHECK(blobs_open(&b, open_folder(path), 1 << 20, 1 << 20, &fault) == 0);
	part_of(&p, 0);
	p.total = p.bytes.len; /* not the whole file */
	CHECK(blob_put(&b, &p, &there, &fault) == ERR_BAD && there == 0);
	close_folder(&b, &p, path);
}

TEST(blob_limits_are_kept)
{
	char path[64];
	struct blobs b;
	struct fault fault;
	struct blob_part p;
	uint64_t there = 0;
	CHECK(blobs_open(&b, open_folder(path), 100000, 1 << 20, &fault) == 0);
	part_of(&p, 0);
	CHECK(blob_put(&b, &p, &there, &fault) == ERR_FULL && strstr(fault.text, "store.blobs.size"));
	CHECK(blobs_open(&b, b.directory, 1 << 20, 100000, &fault) == 0);
	CHECK(blob_put(&b, &p, &there, &fault) == ERR_FULL && strstr(fault.text, "store.blobs.total"));
	uint8_t wire[64];
	struct writer w = writer_of(wire, sizeof wire);
	p.bytes.len = 0;
	p.offset = p.total + 1;
	blob_part_write(&w, &p);
	CHECK(blob_part_read(writer_bytes(&w), &p) == ERR_BAD);
	close_folder(&b, &p, path);
}
