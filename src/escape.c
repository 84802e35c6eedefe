// SPDX-License-Identifier: GPL-2.0-or-later
/* Make names harmless to a terminal. */
#include <config.h>

#include "escape.h"

#include <stdio.h>

struct range {
	uint32_t first, last;
};

/* Characters that are valid UTF-8 and yet change how a terminal shows what is around
 * them. */
static const struct range unsafe[] = {
	{ 0x00, 0x1f },	    { 0x7f, 0x9f },	{ 0xad, 0xad },	      { 0x61c, 0x61c },
	{ 0x180e, 0x180e }, { 0x200b, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f },
	{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
};

static bool is_unsafe(uint32_t c)
{
	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++)
		if (c >= unsafe[i].first && c <= unsafe[i].last)
			return true;
	return false;
}

/* Bytes of the UTF-8 character at s (RFC 3629: shortest form, no surrogates, up to
 * U+10FFFF), of which there is one byte at least; 0 if none. */
static size_t decode(const unsigned char *s, size_t size, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80	 ? 1
		   : s[0] < 0xc2 ? 0
		   : s[0] < 0xe0 ? 2
		   : s[0] < 0xf0 ? 3
		   : s[0] < 0xf5 ? 4
				 : 0;

	*c = n < 2 ? s[0] : s[0] & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if (i == size || (s[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (s[i] & 0x3f);
	}
	if (*c >= 0xd800 && *c <= 0xdfff)
		return 0;
	return n && *c >= least[n] && *c <= 0x10ffff ? n : 0;
}

static size_t escape_byte(char *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	const char *name = c == '\n' ? "n" : c == '\t' ? "t" : c == '\r' ? "r" : NULL;

	out[0] = '\\';
	if (name) {
		out[1] = name[0];
		return 2;
	}
	out[1] = 'x';
	out[2] = hex[c >> 4];
	out[3] = hex[c & 15];
	return 4;
}

size_t escape(char *out, const char *text, enum escape_style style)
{
	const unsigned char *s = (const unsigned char *)text;
	char *o = out;

	while (*s) {
		uint32_t c;
		size_t n = decode(s, SIZE_MAX, &c); /* the NUL ends it */
		bool plain = n && !is_unsafe(c);

		if (c == '\\' && n == 1 && style == ESCAPE_NAME)
			*o++ = '\\';
		for (size_t i = 0; i < (n ? n : 1); i++, s++) {
			if (plain)
				*o++ = *s;
			else
				o += escape_byte(o, *s);
		}
	}
	return o - out;
}

size_t escape_look(const char *text, size_t size, uint32_t *c, bool *is_safe)
{
	size_t n = size ? decode((const unsigned char *)text, size, c) : 0;

	*is_safe = n && !is_unsafe(*c);
	return n;
}
