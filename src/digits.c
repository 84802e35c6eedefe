// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers as text. */
#include <config.h>

#include "digits.h"

#include <string.h>

char *digits_put(char *out, uint64_t value)
{
	char digits[DIGITS_MAX];
	int n = sizeof(digits);

	do
		digits[--n] = '0' + value % 10;
	while (value /= 10);
	memcpy(out, digits + n, sizeof(digits) - n);
	return out + sizeof(digits) - n;
}

char *digits_put_hex(char *out, uint64_t value)
{
	static const char hex[] = "0123456789abcdef";
	int shift = 60;

	while (shift && !(value >> shift))
		shift -= 4;
	*out++ = '0';
	*out++ = 'x';
	for (; shift >= 0; shift -= 4)
		*out++ = hex[value >> shift & 15];
	return out;
}

char *digits_put_line(char *out, uint32_t line)
{
	if ((int32_t)line >= 0)
		return digits_put(out, line);
	*out++ = '-';
	return digits_put(out, -(int64_t)(int32_t)line);
}
