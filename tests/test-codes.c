// SPDX-License-Identifier: GPL-2.0-or-later
/* Code objects from the pieces in which they are sent, or from memory. */
#include <config.h>

#include "codes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "xalloc.h"

enum { PAGE = 4096, MAX_TEXT = 4 << 20, STEPS = 20000, SENDERS = 6 };

/* ---- characters ---- */

#define BYTES(...) { __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static const struct {
	const char *what;
	uint8_t data[16];
	size_t size;
	unsigned int width;
	const char *wanted;
} texts[] = {
	{ "ASCII", BYTES('a', 0x7f, 1), 1, "a\x7f\x01" },
	{ "latin-1", BYTES('a', 0x80, 0xfc, 0xff), 1, "a\xc2\x80\xc3\xbc\xc3\xbf" },
	{ "NUL", BYTES('a', 0, 'b'), 1,
	  "a\xc0\x80"
	  "b" },
	{ "BMP", BYTES('a', 0, 0xff, 0x07, 0, 0x08, 0x50, 0x65, 0xff, 0xff), 2,
	  "a\xdf\xbf\xe0\xa0\x80\xe6\x95\x90\xef\xbf\xbf" },
	{ "NUL of two bytes", BYTES(0, 0, 'b', 0), 2,
	  "\xc0\x80"
	  "b" },
	/* pairs of surrogates are two characters in a str object */
	{ "surrogates", BYTES(0, 0xd8, 0x00, 0xdc, 0xff, 0xdf), 2,
	  "\xed\xa0\x80\xed\xb0\x80\xed\xbf\xbf" },
	{ "astral", BYTES(0, 0, 1, 0, 0x40, 0xf6, 1, 0, 0xff, 0xff, 0x10, 0), 4,
	  "\xf0\x90\x80\x80\xf0\x9f\x99\x80\xf4\x8f\xbf\xbf" },
	{ "four bytes", BYTES('a', 0, 0, 0, 0xfc, 0, 0, 0, 0xac, 0x20, 0, 0), 4,
	  "a\xc3\xbc\xe2\x82\xac" },
	{ "a wide surrogate", BYTES(0, 0xdc, 0, 0), 4, "\xed\xb0\x80" },
	{ "NUL of four bytes", BYTES(0, 0, 0, 0), 4, "\xc0\x80" },
	{ "none", BYTES(0, 0, 0x11, 0), 4, "\xf4\x90\x80\x80" },
	{ "the last of 21 bits", BYTES(0xff, 0xff, 0x1f, 0), 4, "\xf7\xbf\xbf\xbf" },
	/* what does not fill a character is left out */
	{ "one byte of two", BYTES('a'), 2, "" },
	{ "three of two", BYTES('a', 0, 'b'), 2, "a" },
	{ "three of four", BYTES('a', 0, 0), 4, "" },
	{ "seven of four", BYTES('a', 0, 0, 0, 'b', 0, 0), 4, "a" },
	/* widths that there are not */
	{ "0", BYTES('a', 0xfc), 0, "a\xc3\xbc" },
	{ "3", BYTES('a', 'b', 'c'), 3, "abc" },
	{ "255", BYTES('a'), 255, "a" },
};

static void check_texts(void)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t size = SIZE_MAX;
		char *s = codes_utf8(texts[i].data, texts[i].size, texts[i].width, &size);

		check_str(s, texts[i].wanted, texts[i].what, __FILE__, __LINE__);
		check_int(size, strlen(texts[i].wanted), texts[i].what, __FILE__,
			  __LINE__);
		free(s);
	}
}

static void check_no_text(void)
{
	for (unsigned int width = 0; width <= 4; width++) {
		size_t size = SIZE_MAX;
		char *s = codes_utf8("x", 0, width, &size);

		CHECK_STR(s, "");
		CHECK_INT(size, 0);
		free(s);
	}
}

/* Whatever number there is, it takes no more than four bytes, and none of them ends the
 * string. */
static void check_all_widths(void)
{
	uint32_t c = 1;
	int wrong = 0;

	for (int i = 0; i < STEPS; i++, c = c * 1664525 + 1013904223) {
		uint32_t one = i % 2 ? c : c >> 11;
		size_t size;
		char *s = codes_utf8(&one, sizeof(one), 4, &size);

		wrong += !size || size > 4 || strlen(s) != size;
		free(s);
	}
	CHECK_INT(wrong, 0);
}

/* At the end of memory: nothing behind it is read. */
static void check_edge(void)
{
	uint8_t *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t size;

	CHECK(page != MAP_FAILED && !munmap(page + PAGE, PAGE));
	memset(page, 'x', PAGE);
	for (size_t n = 0; n < 9; n++) {
		for (unsigned int width = 1; width <= 4; width *= 2) {
			char *s = codes_utf8(page + PAGE - n, n, width, &size);

			CHECK_INT(size, width == 1   ? n
					: width == 2 ? n / 2 * 3
						     : n / 4 * 4);
			free(s);
		}
	}
	munmap(page, PAGE);
}

/* ---- pieces ---- */

static struct event_part make_part(uint64_t sender, uint64_t code, uint8_t part,
				   const char *data, bool is_first)
{
	struct event_part p = {
		.kind = EVENT_PART,
		.part = part,
		.width = 1,
		.is_first = is_first,
		.size = strlen(data),
		.sender = sender,
		.code = code,
	};

	memcpy(p.data, data, p.size);
	return p;
}

static void send(struct codes *c, uint64_t sender, uint64_t code, uint8_t part,
		 const char *data)
{
	struct event_part p = make_part(sender, code, part, data, false);

	codes_add(c, &p);
}

static void send_first(struct codes *c, uint64_t sender, uint64_t code, const char *data)
{
	struct event_part p = make_part(sender, code, PART_FILE, data, true);

	codes_add(c, &p);
}

static bool end(struct codes *c, uint64_t sender, uint64_t code, struct code *out)
{
	struct event_code e = { .kind = EVENT_CODE, .sender = sender, .code = code };

	return codes_end(c, &e, out);
}

/* Is this the end of a code object with these names? */
static bool ends_as(struct codes *c, uint64_t sender, uint64_t code, const char *file,
		    const char *func)
{
	struct code got = { 0 };
	bool ok;

	if (!end(c, sender, code, &got))
		return false;
	ok = !strcmp(got.texts[PART_FILE], file) && !strcmp(got.texts[PART_FUNC], func) &&
	     got.sizes[PART_FILE] == strlen(file) && got.sizes[PART_FUNC] == strlen(func);
	code_free(&got);
	return ok;
}

static void check_pieces(void)
{
	struct codes *c = codes_new();
	struct code got;

	send_first(c, 1, 7, "/w/");
	send(c, 1, 7, PART_FILE, "a.p");
	send(c, 1, 7, PART_FILE, "y");
	send(c, 1, 7, PART_FUNC, "f");
	send(c, 1, 7, PART_QUALNAME, "C.");
	send(c, 1, 7, PART_QUALNAME, "f\xfc");
	send(c, 1, 7, PART_LINES, "\xd8\xfc");
	CHECK(end(c, 1, 7, &got));
	CHECK_STR(got.texts[PART_FILE], "/w/a.py");
	CHECK_STR(got.texts[PART_FUNC], "f");
	CHECK_STR(got.texts[PART_QUALNAME], "C.f\xc3\xbc");
	CHECK_INT(got.sizes[PART_QUALNAME], 5);
	/* The line table is no text. */
	CHECK_STR(got.texts[PART_LINES], "\xd8\xfc");
	CHECK_INT(got.sizes[PART_LINES], 2);
	code_free(&got);
	/* It is over. */
	CHECK(!end(c, 1, 7, &got));
	codes_free(c);
	codes_free(NULL);
}

/* What was never sent is empty, also where the first piece was. */
static void check_empty(void)
{
	struct codes *c = codes_new();
	struct code got;

	send_first(c, 1, 7, "");
	CHECK(end(c, 1, 7, &got));
	for (int i = 0; i < CODE_PARTS; i++) {
		CHECK_STR(got.texts[i], "");
		CHECK_INT(got.sizes[i], 0);
	}
	code_free(&got);
	codes_free(c);
}

/* Wide characters, cut where a piece is full, but never within one. */
static void check_wide(void)
{
	struct codes *c = codes_new();
	struct event_part p = make_part(1, 7, PART_FILE, "", true);
	struct code got;
	int wrong = 0;

	p.width = 2;
	p.size = PART_DATA;
	for (size_t i = 0; i < PART_DATA; i += 2) {
		p.data[i] = 0xac;
		p.data[i + 1] = 0x20;
	}
	for (int i = 0; i < 10; i++, p.is_first = false)
		codes_add(c, &p);
	CHECK(end(c, 1, 7, &got));
	CHECK_INT(got.sizes[PART_FILE], 10 * PART_DATA / 2 * 3);
	for (size_t i = 0; i < got.sizes[PART_FILE]; i += 3)
		wrong += memcmp(got.texts[PART_FILE] + i, "\xe2\x82\xac", 3) != 0;
	CHECK_INT(wrong, 0);
	code_free(&got);
	codes_free(c);
}

/* Two senders at once, even of the same code object. */
static void check_interleaved(void)
{
	struct codes *c = codes_new();

	send_first(c, 1, 7, "a.");
	send_first(c, 2, 8, "b.");
	send(c, 1, 7, PART_FILE, "py");
	send(c, 2, 8, PART_FILE, "py");
	send(c, 2, 8, PART_FUNC, "g");
	send(c, 1, 7, PART_FUNC, "f");
	CHECK(ends_as(c, 1, 7, "a.py", "f"));
	CHECK(ends_as(c, 2, 8, "b.py", "g"));
	send_first(c, 1, 7, "a");
	send_first(c, 2, 7, "b");
	CHECK(ends_as(c, 2, 7, "b", ""));
	CHECK(ends_as(c, 1, 7, "a", ""));
	codes_free(c);
}

/* One that was begun, and not ended, has no part in the next. */
static void check_restarted(void)
{
	struct codes *c = codes_new();
	struct code got;

	send_first(c, 1, 7, "old.py");
	send(c, 1, 7, PART_FUNC, "old");
	send_first(c, 1, 8, "a.py");
	CHECK(ends_as(c, 1, 8, "a.py", ""));
	send_first(c, 1, 7, "old.py");
	send_first(c, 1, 7, "a.py");
	send(c, 1, 7, PART_FUNC, "f");
	CHECK(ends_as(c, 1, 7, "a.py", "f"));
	CHECK(!end(c, 1, 7, &got));
	codes_free(c);
}

static void check_incomplete(void)
{
	struct codes *c = codes_new();
	struct code got;

	/* nothing at all, only later pieces, another's, another */
	CHECK(!end(c, 1, 7, &got));
	send(c, 1, 7, PART_FUNC, "f");
	CHECK(!end(c, 1, 7, &got));
	send_first(c, 1, 7, "a.py");
	CHECK(!end(c, 2, 7, &got));
	CHECK(!end(c, 1, 8, &got));
	/* The wrong end was one. */
	CHECK(!end(c, 1, 7, &got));
	/* A piece of another in between is passed over. */
	send_first(c, 1, 7, "a.py");
	send(c, 1, 8, PART_FUNC, "f");
	CHECK(end(c, 1, 7, &got));
	CHECK_STR(got.texts[PART_FUNC], "");
	code_free(&got);
	send_first(c, 1, 7, "a.py");
	codes_free(c);
}

/* Pieces that cannot be are passed over. */
static void check_bad_pieces(void)
{
	static const uint32_t sizes[] = { PART_DATA + 1, INT32_MAX, UINT32_MAX };
	struct codes *c = codes_new();
	struct event_part p;

	send_first(c, 1, 7, "a.py");
	send(c, 1, 7, CODE_PARTS, "x");
	send(c, 1, 7, 255, "x");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		p = make_part(1, 7, PART_FUNC, "x", false);
		p.size = sizes[i];
		codes_add(c, &p);
	}
	send(c, 1, 7, PART_FUNC, "f");
	CHECK(ends_as(c, 1, 7, "a.py", "f"));
	p = make_part(3, 7, CODE_PARTS, "x", true);
	codes_add(c, &p);
	send(c, 3, 7, PART_FUNC, "f");
	CHECK(ends_as(c, 3, 7, "", "f"));
	codes_free(c);
}

/* There is an end to what a process may claim. */
static void check_too_long(void)
{
	struct codes *c = codes_new();
	struct event_part p = make_part(1, 7, PART_FILE, "", true);
	struct code got;

	p.size = PART_DATA - 1;
	memset(p.data, 'x', PART_DATA);
	for (size_t sent = 0; sent < MAX_TEXT + 3 * PART_DATA; sent += p.size) {
		codes_add(c, &p);
		p.is_first = false;
	}
	CHECK(end(c, 1, 7, &got));
	CHECK_INT(got.sizes[PART_FILE], MAX_TEXT);
	code_free(&got);
	codes_free(c);
}

/* Threads that end within a code object leave drafts behind; not too many. */
static void check_many_senders(void)
{
	struct codes *c = codes_new();
	int whole = 0;

	for (uint64_t i = 0; i < 5000; i++)
		send_first(c, i, i + 1, "a.py");
	for (uint64_t i = 0; i < 5000; i++)
		whole += ends_as(c, i, i + 1, "a.py", "");
	CHECK_INT(whole, 4096);
	codes_free(c);
}

/* Senders that begin, go on and end at random, some with another code object than they
 * began: never a mixture. */
static void check_random(void)
{
	static const char *const files[] = { "a", "bb", "ccc" };
	struct codes *c = codes_new();
	int wrong = 0, whole = 0;

	for (int i = 0; i < STEPS; i++) {
		uint64_t sender = check_below(SENDERS), code = check_below(3);
		struct code got;

		if (check_below(3)) {
			send_first(c, sender, code, files[code]);
			if (check_below(2))
				send(c, sender, code, 1 + check_below(5), "x");
		}
		if (check_below(2) || !end(c, sender, code, &got))
			continue;
		whole++;
		wrong += strncmp(got.texts[PART_FILE], files[code], code + 1) != 0;
		code_free(&got);
	}
	CHECK_INT(wrong, 0);
	CHECK(whole > STEPS / 10);
	codes_free(c);
}

/* ---- from memory ---- */

static struct text text_of(const void *at, size_t size, uint32_t width)
{
	return (struct text){ .at = (uintptr_t)at, .size = size, .width = width };
}

static void check_memory(void)
{
	static const char file[] = "/w/a.py", lines[] = "\xd8\x00\xfc";
	static const uint16_t func[] = { 'g', 0xfc, 0x20ac };
	static const uint32_t qualname[] = { 'C', '.', 0x1f640 };
	struct event_code e = {
		.kind = EVENT_CODE_AT,
		.pid = getpid(),
		.texts = { text_of(file, sizeof(file) - 1, 1),
			   text_of(func, sizeof(func), 2),
			   text_of(qualname, sizeof(qualname), 4), text_of(lines, 3, 1) },
	};
	struct code got;

	codes_read(&e, &got);
	CHECK_STR(got.texts[PART_FILE], "/w/a.py");
	CHECK_STR(got.texts[PART_FUNC], "g\xc3\xbc\xe2\x82\xac");
	CHECK_STR(got.texts[PART_QUALNAME], "C.\xf0\x9f\x99\x80");
	CHECK_INT(got.sizes[PART_LINES], 3);
	CHECK(!memcmp(got.texts[PART_LINES], lines, 4));
	code_free(&got);
}

/* What cannot be read is empty; of what ends within, there is the beginning. */
static void check_unreadable(void)
{
	uint8_t *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct event_code e = { .kind = EVENT_CODE_AT, .pid = getpid() };
	struct code got;

	CHECK(page != MAP_FAILED && !munmap(page + PAGE, PAGE));
	memset(page, 'x', PAGE);
	e.texts[PART_FILE] = text_of(NULL, 100, 1);
	e.texts[PART_FUNC] = text_of((void *)UINTPTR_MAX, UINT32_MAX, 4);
	e.texts[PART_QUALNAME] = text_of(page + PAGE - 5, 100, 1);
	e.texts[PART_LINES] = text_of(page + PAGE, 100, 1);
	codes_read(&e, &got);
	CHECK_STR(got.texts[PART_FILE], "");
	CHECK_STR(got.texts[PART_FUNC], "");
	CHECK_STR(got.texts[PART_QUALNAME], "xxxxx");
	CHECK_STR(got.texts[PART_LINES], "");
	CHECK_INT(got.sizes[PART_LINES], 0);
	code_free(&got);
	munmap(page, PAGE);
	/* No such process. */
	e.pid = INT32_MAX;
	codes_read(&e, &got);
	for (int i = 0; i < CODE_PARTS; i++)
		CHECK_STR(got.texts[i], "");
	code_free(&got);
}

/* Many pages, from the middle of one on, and no more than the most. */
static void check_long(void)
{
	size_t size = MAX_TEXT + 3 * PAGE;
	char *text = xcalloc(size, 1);
	struct event_code e = { .kind = EVENT_CODE_AT, .pid = getpid() };
	struct code got;

	memset(text, 'y', size);
	e.texts[PART_FILE] = text_of(text + 123, 10 * PAGE, 1);
	e.texts[PART_FUNC] = text_of(text, size, 1);
	e.texts[PART_LINES] = text_of(text, size, 1);
	codes_read(&e, &got);
	CHECK_INT(got.sizes[PART_FILE], 10 * PAGE);
	CHECK(!strncmp(got.texts[PART_FILE], text, 10 * PAGE));
	CHECK_INT(got.sizes[PART_FUNC], MAX_TEXT);
	CHECK_INT(got.sizes[PART_LINES], MAX_TEXT);
	code_free(&got);
	free(text);
}

int main(void)
{
	check_texts();
	check_no_text();
	check_all_widths();
	check_edge();
	check_pieces();
	check_empty();
	check_wide();
	check_interleaved();
	check_restarted();
	check_incomplete();
	check_bad_pieces();
	check_too_long();
	check_many_senders();
	check_random();
	check_memory();
	check_unreadable();
	check_long();
	return check_done();
}
