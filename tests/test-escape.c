// SPDX-License-Identifier: GPL-2.0-or-later
/* No name can write to a terminal, and each can be told exactly. */
#include <config.h>

#include "escape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "xalloc.h"

static const struct {
	const char *text, *name, *message; /* message: NULL if it is the same */
} cases[] = {
	{ "", "", NULL },
	{ "function_3", "function_3", NULL },
	{ "<listcomp>", "<listcomp>", NULL },
	{ " !\"#$%&'()*+,-./:;=?@[]^_`{|}~", " !\"#$%&'()*+,-./:;=?@[]^_`{|}~", NULL },
	/* the backslash */
	{ "a\\b", "a\\\\b", "a\\b" },
	{ "\\", "\\\\", "\\" },
	{ "\\n", "\\\\n", "\\n" },
	{ "\\x1b", "\\\\x1b", "\\x1b" },
	/* C0 and DEL */
	{ "a\nb", "a\\nb", NULL },
	{ "a\tb", "a\\tb", NULL },
	{ "a\rb", "a\\rb", NULL },
	{ "\001\037\177", "\\x01\\x1f\\x7f", NULL },
	{ "\033[31mred", "\\x1b[31mred", NULL },
	{ "\a\b\v\f", "\\x07\\x08\\x0b\\x0c", NULL },
	/* C1: U+0080, U+009B (CSI), U+009F; U+00A0 is a space, U+00AD the soft hyphen */
	{ "\xc2\x80", "\\xc2\\x80", NULL },
	{ "\xc2\x9b"
	  "2J",
	  "\\xc2\\x9b2J", NULL },
	{ "\xc2\x9f", "\\xc2\\x9f", NULL },
	{ "\xc2\xa0", "\xc2\xa0", NULL },
	{ "\xc2\xad", "\\xc2\\xad", NULL },
	/* plain characters of two, three and four bytes */
	{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", NULL },
	{ "\xe5\x90\x8d\xe5\x89\x8d", "\xe5\x90\x8d\xe5\x89\x8d", NULL },
	{ "\xf0\x9f\x90\x8d", "\xf0\x9f\x90\x8d", NULL },
	{ "\xdf\xbf\xe0\xa0\x80", "\xdf\xbf\xe0\xa0\x80", NULL },
	{ "\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80", NULL },
	{ "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf", NULL },
	/* zero width, bidirectional, separators, byte order mark, tags */
	{ "a\xe2\x80\x8b"
	  "b",
	  "a\\xe2\\x80\\x8bb", NULL },
	{ "\xe2\x80\x8d", "\\xe2\\x80\\x8d", NULL },
	{ "\xe2\x80\x8f", "\\xe2\\x80\\x8f", NULL },
	{ "\xe2\x80\xa8\xe2\x80\xa9", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9", NULL },
	{ "\xe2\x80\xaa\xe2\x80\xae", "\\xe2\\x80\\xaa\\xe2\\x80\\xae", NULL },
	{ "\xe2\x81\xa0\xe2\x81\xa6\xe2\x81\xa9",
	  "\\xe2\\x81\\xa0\\xe2\\x81\\xa6\\xe2\\x81\\xa9", NULL },
	{ "\xd8\x9c", "\\xd8\\x9c", NULL },
	{ "\xef\xbb\xbf", "\\xef\\xbb\\xbf", NULL },
	{ "\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81", NULL },
	{ "\xe2\x80\x8a\xe2\x80\xaf", "\xe2\x80\x8a\xe2\x80\xaf", NULL },
	/* not UTF-8: a lone continuation, bytes that never occur */
	{ "\x80", "\\x80", NULL },
	{ "a\xbf"
	  "b",
	  "a\\xbfb", NULL },
	{ "\xfe\xff\xf8\x88", "\\xfe\\xff\\xf8\\x88", NULL },
	/* overlong */
	{ "\xc0\x80", "\\xc0\\x80", NULL },
	{ "\xc1\xbf", "\\xc1\\xbf", NULL },
	{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf", NULL },
	{ "\xe0\x9f\xbf", "\\xe0\\x9f\\xbf", NULL },
	{ "\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf", NULL },
	{ "\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf", NULL },
	/* truncated, at the end and before other text */
	{ "\xc3", "\\xc3", NULL },
	{ "\xe5\x90", "\\xe5\\x90", NULL },
	{ "\xf0\x9f\x90", "\\xf0\\x9f\\x90", NULL },
	{ "\xc3"
	  "a",
	  "\\xc3a", NULL },
	{ "\xe5\x90"
	  "a",
	  "\\xe5\\x90a", NULL },
	{ "\xf0\x9f\xc3\xbc", "\\xf0\\x9f\xc3\xbc", NULL },
	{ "\xc3\033", "\\xc3\\x1b", NULL },
	/* surrogates, which Python's surrogateescape can leave */
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80", NULL },
	{ "\xed\xbf\xbf", "\\xed\\xbf\\xbf", NULL },
	/* beyond U+10FFFF */
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", NULL },
	{ "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80", NULL },
};

/* out is filled before, so that a NUL that should not be written shows. */
static void check_one(const char *text, const char *wanted, enum escape_style style)
{
	size_t room = ESCAPE_MAX * strlen(text) + 2;
	char *out = xcalloc(room, 1);
	size_t n;

	memset(out, '#', room - 1);
	n = escape(out, text, style);
	CHECK(out[n] == '#');
	CHECK(n <= ESCAPE_MAX * strlen(text));
	out[n] = '\0';
	CHECK_STR(out, wanted);
	free(out);
}

/* Each single byte: what is printable stays, everything else is told in hex. */
static void check_bytes(void)
{
	for (int c = 1; c < 256; c++) {
		char text[] = { c, '\0' }, wanted[8] = { c };

		if (c == '\n' || c == '\t' || c == '\r')
			strcpy(wanted, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
		else if (c == '\\')
			strcpy(wanted, "\\\\");
		else if (c < 0x20 || c > 0x7e)
			sprintf(wanted, "\\x%02x", c);
		check_one(text, wanted, ESCAPE_NAME);
	}
}

/* The same said character by character, for those who escape in another way. */
static const struct {
	const char *text;
	size_t size, n;
	uint32_t c; /* if there is one */
	bool is_safe;
} looks[] = {
	{ "ab", 2, 1, 'a', true },
	{ "\\", 1, 1, '\\', true },
	{ "\0", 1, 1, 0, false },
	{ "\177", 1, 1, 0x7f, false },
	{ "\xc3\xbc", 2, 2, 0xfc, true },
	{ "\xc2\x9b", 2, 2, 0x9b, false },
	{ "\xe2\x80\xae", 3, 3, 0x202e, false },
	{ "\xf0\x9f\x90\x8d", 4, 4, 0x1f40d, true },
	{ "\xf3\xa0\x81\x81", 4, 4, 0xe0041, false },
	/* what follows the size does not count */
	{ "", 0, 0, 0, false },
	{ "\xc3\xbc", 1, 0, 0, false },
	{ "\xe2\x80\xae", 2, 0, 0, false },
	{ "\xf0\x9f\x90\x8d", 3, 0, 0, false },
	{ "\xc0\x80", 2, 0, 0, false },
	{ "\xed\xa0\x80", 3, 0, 0, false },
	{ "\xed\xbf\xbf", 3, 0, 0, false },
	{ "\xf4\x90\x80\x80", 4, 0, 0, false },
};

static void check_looks(void)
{
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		uint32_t c;
		bool is_safe;
		size_t n = escape_look(looks[i].text, looks[i].size, &c, &is_safe);

		CHECK_INT(n, looks[i].n);
		CHECK(!n || c == looks[i].c);
		CHECK(is_safe == looks[i].is_safe);
	}
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *message = cases[i].message ? cases[i].message : cases[i].name;

		check_one(cases[i].text, cases[i].name, ESCAPE_NAME);
		check_one(cases[i].text, message, ESCAPE_MESSAGE);
	}
	check_bytes();
	check_looks();
	return check_done();
}
