#include "store/blob.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_BLOB 80

void blob_part_write(struct writer *w, const struct blob_part *p)
{
	write_bytes(w, p->sha256, sizeof p->sha256);
	write_u64(w, p->offset);
	write_u64(w, p->total);
	write_span(w, p->bytes);
}

int blob_part_read(struct bytes from, struct blob_part *out)
{
	struct reader r = reader_of_bytes(from);
	struct bytes digest = read_bytes(&r, sizeof out->sha256);
	struct blob_part p = {.offset = read_u64(&r), .total = read_u64(&r)};
	p.bytes = read_rest(&r);
	if (!reader_ok(&r) || p.bytes.len > BLOB_PART_MAX || p.offset > p.total ||
	    p.bytes.len > p.total - p.offset)
		return ERR_BAD;
	memcpy(p.sha256, digest.at, digest.len);
	*out = p;
	return 0;
}

/* "ab/cdef…", or "part-abcdef…" while it is not whole. */
static char *blob_name(const uint8_t sha256[32], bool part, char name[NAME_MAX_BLOB])
{
	struct writer w = writer_of(name, NAME_MAX_BLOB - 1);
	write_text(&w, part ? "part-" : "");
	for (size_t i = 0; i < 32; i++)
		write_fmt(&w, "%02x%s", sha256[i], i == 0 && !part ? "/" : "");
	*w.at = '\0';
	return name;
}

static uint64_t folder_size(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	uint64_t sum = 0;
	struct stat st;
	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.' && fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			sum += (uint64_t)st.st_size;
	if (d)
		closedir(d);
	return sum;
}

int blobs_open(struct blobs *b, int directory, uint64_t size_max, uint64_t total_max,
	       struct fault *fault)
{
	*b = (struct blobs){directory, size_max, total_max, 0};
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return fault_set(fault, ERR_SYSTEM, "blobs: %s", strerror(errno));
	for (struct dirent *e; (e = readdir(d));) {
		if (!strncmp(e->d_name, "part-", 5))
			unlinkat(directory, e->d_name, 0);
		else if (strlen(e->d_name) == 2 && e->d_name[0] != '.')
			b->total += folder_size(directory, e->d_name);
	}
	closedir(d);
	return 0;
}

static bool digest_right(int fd, const uint8_t sha256[32])
{
	uint8_t chunk[65536], digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool right = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	ssize_t n;
	for (off_t at = 0; right && (n = pread(fd, chunk, sizeof chunk, at)) > 0; at += n)
		right = EVP_DigestUpdate(md, chunk, (size_t)n);
	right = right && EVP_DigestFinal_ex(md, digest, NULL) && !memcmp(digest, sha256, 32);
	EVP_MD_CTX_free(md);
	return right;
}

/* The file is whole: check it, sync it, and give it its place. */
static int blob_finish(struct blobs *b, int fd, const struct blob_part *p, struct fault *fault)
{
	char part[NAME_MAX_BLOB], name[NAME_MAX_BLOB], folder[3];
	blob_name(p->sha256, true, part);
	blob_name(p->sha256, false, name);
	snprintf(folder, sizeof folder, "%.2s", name);
	if (!digest_right(fd, p->sha256)) {
		unlinkat(b->directory, part, 0);
		return fault_set(fault, ERR_BAD, "blobs: what came is not the file of that SHA-256");
	}
	if (fsync(fd) || (mkdirat(b->directory, folder, 0700) && errno != EEXIST) ||
	    renameat(b->directory, part, b->directory, name))
		return fault_set(fault, ERR_SYSTEM, "blobs/%s: %s", name, strerror(errno));
	int parent = openat(b->directory, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int bad = parent < 0 || fsync(parent) || fsync(b->directory);
	if (parent >= 0)
		close(parent);
	b->total += p->total;
	return bad ? fault_set(fault, ERR_SYSTEM, "blobs/%s: %s", name, strerror(errno)) : 0;
}

static bool is_there(const struct blobs *b, const struct blob_part *p)
{
	char name[NAME_MAX_BLOB];
	struct stat st;
	return fstatat(b->directory, blob_name(p->sha256, false, name), &st, 0) == 0 &&
	       (uint64_t)st.st_size == p->total;
}

int blob_put(struct blobs *b, const struct blob_part *p, uint64_t *there, struct fault *fault)
{
	if (is_there(b, p)) {
		*there = p->total;
		return 0;
	}
	if (p->total > b->size_max || p->total > b->total_max - (b->total < b->total_max ? b->total : b->total_max))
		return fault_set(fault, ERR_FULL, "blobs: a file of %llu bytes exceeds store.blobs.%s",
				 (unsigned long long)p->total, p->total > b->size_max ? "size" : "total");
	char part[NAME_MAX_BLOB];
	struct stat st;
	int fd = openat(b->directory, blob_name(p->sha256, true, part),
			O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fstat(fd, &st)) {
		if (fd >= 0)
			close(fd);
		return fault_set(fault, ERR_SYSTEM, "blobs/%s: %s", part, strerror(errno));
	}
	int bad = 0;
	uint64_t size = (uint64_t)st.st_size;
	if (p->offset == size && p->bytes.len) {
		ssize_t n = pwrite(fd, p->bytes.at, p->bytes.len, (off_t)size);
		if (n != (ssize_t)p->bytes.len) {
			bad = fault_set(fault, ERR_SYSTEM, "blobs/%s: %s", part,
					n < 0 ? strerror(errno) : "the disk is full");
			if (ftruncate(fd, (off_t)size))
				unlinkat(b->directory, part, 0);
		} else {
			size += p->bytes.len;
		}
	}
	if (!bad && size == p->total)
		bad = blob_finish(b, fd, p, fault);
	close(fd);
	if (!bad)
		*there = size;
	return bad;
}

int blob_get(struct blobs *b, const uint8_t sha256[32], uint64_t offset, uint8_t *out, size_t room,
	     uint64_t *total)
{
	char name[NAME_MAX_BLOB];
	struct stat st;
	int fd = openat(b->directory, blob_name(sha256, false, name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return ERR_MISSING;
	ssize_t n = fstat(fd, &st) || offset > (uint64_t)st.st_size ? -1 : pread(fd, out, room, (off_t)offset);
	close(fd);
	if (n < 0)
		return ERR_MISSING;
	*total = (uint64_t)st.st_size;
	return (int)n;
}

int blob_erase(struct blobs *b, const uint8_t sha256[32])
{
	char name[NAME_MAX_BLOB];
	struct stat st;
	blob_name(sha256, false, name);
	if (fstatat(b->directory, name, &st, 0) || unlinkat(b->directory, name, 0))
		return ERR_MISSING;
	b->total -= b->total < (uint64_t)st.st_size ? b->total : (uint64_t)st.st_size;
	return 0;
}
