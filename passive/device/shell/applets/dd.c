/* dd: loaders read an ELF header with bs=52 count=1, and bring files in by seek and notrunc. */
#include "passive/device/shell/call.h"

struct copy {
	struct bytes from, to;
	uint64_t block, count, skip, seek;
	bool has_count, keeps;
};

/* 512, 4k, 1M, 2b, 1w: the suffixes of BusyBox's dd. */
static bool read_size(struct bytes text, uint64_t *out)
{
	static const struct {
		char suffix;
		uint32_t factor;
	} suffixes[] = {{'c', 1}, {'w', 2}, {'b', 512}, {'k', 1024}, {'K', 1024}, {'M', 1u << 20}};
	uint32_t factor = 1;
	for (size_t i = 0; text.len && i < sizeof suffixes / sizeof *suffixes; i++)
		if (text.at[text.len - 1] == (uint8_t)suffixes[i].suffix) {
			factor = suffixes[i].factor;
			text.len--;
			break;
		}
	if (!bytes_number(text, UINT32_MAX, out))
		return false;
	*out *= factor;
	return true;
}

static bool read_operand(struct call *c, struct bytes word, struct copy *d)
{
	size_t equal = bytes_find(word, "=");
	struct bytes value = {word.at + equal + 1, equal < word.len ? word.len - equal - 1 : 0};
	uint64_t *number = NULL;
	word.len = equal;
	if (bytes_equal_text(word, "if"))
		d->from = value;
	else if (bytes_equal_text(word, "of"))
		d->to = value;
	else if (bytes_equal_text(word, "bs") || bytes_equal_text(word, "ibs") ||
	         bytes_equal_text(word, "obs"))
		number = &d->block;
	else if (bytes_equal_text(word, "count")) {
		number = &d->count;
		d->has_count = true;
	} else if (bytes_equal_text(word, "skip"))
		number = &d->skip;
	else if (bytes_equal_text(word, "seek"))
		number = &d->seek;
	else if (bytes_equal_text(word, "conv"))
		d->keeps |= bytes_find(value, "notrunc") < value.len;
	else {
		call_usage(c);
		return false;
	}
	if (number && !read_size(value, number)) {
		call_error(c, "invalid number '%.*s'", BYTES_FMT(value));
		return false;
	}
	return true;
}

/* What is copied: from `skip` blocks on, at most `count` blocks. */
static struct bytes chosen(const struct copy *d, struct bytes all)
{
	uint64_t start = d->skip * d->block;
	if (d->skip && start / d->skip != d->block)
		start = all.len;
	if (start > all.len)
		start = all.len;
	struct bytes part = {all.at + start, all.len - start};
	if (d->has_count && d->count <= SHELL_PIPE_MAX && d->count * d->block < part.len)
		part.len = d->count * d->block;
	return part;
}

static int dd_output(struct call *c, const struct copy *d, struct bytes part)
{
	struct stream out;
	if (!d->to.len) {
		call_out(c, part);
		return 0;
	}
	int error = 0;
	struct vfs_change *file;
	if (d->seek || d->keeps) {
		error = vfs_open(&c->shell->vfs, d->to, 0, 0644, &file);
		if (!error && file)
			error = vfs_write_at(&c->shell->vfs, file,
			                     d->seek * d->block > VFS_FILE_MAX
			                             ? VFS_FILE_MAX
			                             : (uint32_t)(d->seek * d->block),
			                     part);
	} else {
		error = stream_open_write(c->shell, d->to, false, &out);
		if (!error && !stream_write(c->shell, &out, part))
			error = -ENOSPC;
	}
	if (error == -ENOSPC)
		call_error(c, "writing '%.*s': %s", BYTES_FMT(d->to), strerror(-error));
	else if (error)
		call_error(c, "can't open '%.*s': %s", BYTES_FMT(d->to), strerror(-error));
	return error;
}

static int dd_run(struct call *c)
{
	struct copy d = {.block = 512};
	struct bytes all = BYTES("");
	struct stream in;
	for (size_t i = 1; i < c->argc; i++)
		if (!read_operand(c, c->argv[i], &d))
			return 1;
	if (d.block == 0 || d.block > 1u << 24) {
		call_error(c, "number 0 is not in 1..2147483647 range");
		return 1;
	}
	int error = d.from.len ? stream_open_read(c->shell, c->arena, d.from, &in)
	                       : call_read(c, BYTES("-"), &all);
	if (error) {
		call_error(c, "can't open '%.*s': %s", BYTES_FMT(d.from), strerror(-error));
		return 1;
	}
	if (d.from.len) {
		if (!in.text.at)
			in.text = BYTES("");
		if (in.kind == STREAM_ZERO || in.kind == STREAM_NOISE) {
			uint64_t want =
			        d.has_count && d.count < 4096 ? d.count * d.block : SHELL_PIPE_MAX;
			in.text.len = want < SHELL_PIPE_MAX ? (size_t)want : SHELL_PIPE_MAX;
			in.text.at = arena_alloc(c->arena, in.text.len);
			if (!in.text.at)
				in.text.len = 0;
		}
		all = in.text;
	}
	struct bytes part = chosen(&d, all);
	call_spend(c, part.len / d.block + part.len / 64 + 1);
	error = dd_output(c, &d, part);
	call_say_error(c, "%zu+%d records in\n%zu+%d records out\n", (size_t)(part.len / d.block),
	               part.len % d.block != 0, (size_t)(part.len / d.block),
	               part.len % d.block != 0);
	return error != 0;
}

static const struct applet applet_dd = {"dd", "/bin",
                                        "[if=FILE] [of=FILE] [ibs=N] [obs=N] [bs=N] [count=N] "
                                        "[skip=N]\n\t[seek=N] [conv=notrunc|noerror|sync|fsync]",
                                        dd_run};
APPLET(applet_dd);
