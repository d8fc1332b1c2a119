/* What was found, as the members of a JSON object: the same for `kansoku analyse` and for reports. */
#include "lab/lab.h"
#include "event/event.h"

static void text(struct writer *w, const char *name, const char *value)
{
	write_fmt(w, "\"%s\":", name);
	write_json_string(w, bytes_of_text(value));
}

static void indicators_write(struct writer *w, const struct findings *f)
{
	write_text(w, ",\"indicators\":[");
	for (size_t i = 0; i < f->indicator_count; i++) {
		const struct indicator *it = &f->indicators[i];
		write_fmt(w, "%s{\"type\":\"%s\",\"value\":", i ? "," : "", indicator_type_name(it->type));
		write_json_string(w, it->value);
		write_fmt(w, ",\"role\":\"%s\",", indicator_role_name(it->role));
		text(w, "how", it->how);
		write_fmt(w, ",\"confidence\":%u,\"part\":%u", it->confidence, it->part);
		if (it->offset != UINT64_MAX)
			write_fmt(w, ",\"offset\":%llu", (unsigned long long)it->offset);
		write_u8(w, '}');
	}
	write_u8(w, ']');
}

static void families_write(struct writer *w, const struct findings *f)
{
	write_text(w, ",\"families\":[");
	for (size_t i = 0; i < f->family_count; i++) {
		write_text(w, i ? ",{" : "{");
		text(w, "name", f->families[i].name);
		write_fmt(w, ",\"points\":%u,", f->families[i].points);
		text(w, "reasons", f->families[i].reasons);
		write_u8(w, '}');
	}
	write_u8(w, ']');
}

static void parts_write(struct writer *w, const struct findings *f)
{
	write_text(w, ",\"parts\":[");
	for (size_t i = 0; i < f->part_count; i++) {
		const struct part *p = &f->parts[i];
		write_fmt(w, "%s{\"number\":%u,\"inside\":%u,\"depth\":%u,\"size\":%zu,", i ? "," : "", p->number, p->inside,
			  p->depth, p->content.len);
		text(w, "name", p->name);
		write_u8(w, ',');
		text(w, "type", p->type);
		write_u8(w, ',');
		text(w, "architecture", p->architecture);
		write_u8(w, ',');
		text(w, "sha256", p->sha256);
		write_u8(w, '}');
	}
	write_u8(w, ']');
}

static void facts_write(struct writer *w, const struct findings *f)
{
	write_text(w, ",\"facts\":[");
	for (size_t i = 0; i < f->fact_count; i++) {
		write_text(w, i ? ",{" : "{");
		text(w, "name", f->facts[i].name);
		write_u8(w, ',');
		text(w, "value", f->facts[i].value);
		write_fmt(w, ",\"part\":%u}", f->facts[i].part);
	}
	write_u8(w, ']');
}

static void words_write(struct writer *w, const char *name, const char *const *words, size_t count)
{
	write_fmt(w, ",\"%s\":[", name);
	for (size_t i = 0; i < count; i++) {
		write_text(w, i ? "," : "");
		write_json_string(w, bytes_of_text(words[i]));
	}
	write_u8(w, ']');
}

void write_findings(struct writer *w, const struct findings *f)
{
	text(w, "sha256", f->sha256);
	write_u8(w, ',');
	text(w, "sha1", f->sha1);
	write_u8(w, ',');
	text(w, "md5", f->md5);
	write_fmt(w, ",\"size\":%llu,", (unsigned long long)f->size);
	text(w, "type", f->type);
	write_u8(w, ',');
	text(w, "architecture", f->architecture);
	write_u8(w, ',');
	text(w, "tlsh", f->tlsh);
	families_write(w, f);
	indicators_write(w, f);
	words_write(w, "yara", f->yara, f->yara_count);
	facts_write(w, f);
	parts_write(w, f);
	words_write(w, "limits", f->limits, f->limit_count);
}
