// SPDX-License-Identifier: GPL-2.0-or-later
/* The words of a command line given as one string, by the quoting rules of POSIX.1-2017,
 * Shell Command Language, 2.2. */
#include <config.h>

#include "words.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

#define BLANKS " \t\n"

/* Blanks, and backslash-newline pairs, which continue the line and make no word. */
static const char *skip_blanks(const char *s)
{
	while (*s && (strchr(BLANKS, *s) || (*s == '\\' && s[1] == '\n')))
		s += *s == '\\' ? 2 : 1;
	return s;
}

/* Copy the '...' at *s to *o, without the quotes. */
static bool copy_single(const char **s, char **o)
{
	const char *end = strchr(*s + 1, '\'');

	if (!end)
		return false;
	memcpy(*o, *s + 1, end - *s - 1);
	*o += end - *s - 1;
	*s = end + 1;
	return true;
}

/* Copy the "..." at *s to *o; a backslash in it counts before $ ` " \ and newline only.
 */
static bool copy_double(const char **s, char **o)
{
	const char *p = *s + 1;

	for (; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1] && strchr("$`\"\\\n", p[1])) {
			if (*++p == '\n')
				continue;
		}
		*(*o)++ = *p;
	}
	*s = p + 1;
	return *p;
}

static bool copy_word(const char **s, char **o)
{
	while (**s && !strchr(BLANKS, **s)) {
		if (**s == '\'') {
			if (!copy_single(s, o))
				return false;
		} else if (**s == '"') {
			if (!copy_double(s, o))
				return false;
		} else if (**s == '\\') {
			if (!*++*s)
				return false;
			if (**s != '\n')
				*(*o)++ = **s;
			++*s;
		} else {
			*(*o)++ = *(*s)++;
		}
	}
	*(*o)++ = '\0';
	return true;
}

int words_split(const char *text, char ***words)
{
	char *buffer = xcalloc(strlen(text) + 2, 1), *o = buffer, **list = NULL;
	size_t count = 0;

	for (;;) {
		char *start = o;

		text = skip_blanks(text);
		list = xgrow(list, count, sizeof(*list));
		list[count] = NULL;
		if (!*text)
			break;
		if (!copy_word(&text, &o)) {
			free(buffer);
			words_free(list);
			return -EINVAL;
		}
		list[count++] = xstrdup(start);
	}
	free(buffer);
	*words = list;
	return 0;
}

void words_free(char **words)
{
	for (char **w = words; w && *w; w++)
		free(*w);
	free(words);
}

/* NAME=value in front of a command. */
static bool is_assignment(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return false;
	while (isalnum((unsigned char)*s) || *s == '_')
		s++;
	return *s == '=';
}

bool words_need_shell(const char *text)
{
	char quote = 0, before = ' ';
	const char *s = skip_blanks(text);

	if (is_assignment(s))
		return true;
	for (; *s; before = *s++) {
		if (quote == '\'' || *s == '\'') {
			quote = *s != '\''	? quote
				: quote == '\'' ? 0
				: quote		? quote
						: '\'';
			continue;
		}
		if (*s == '\\') {
			if (!*++s)
				return false;
			continue;
		}
		if (*s == '"')
			quote = quote ? 0 : '"';
		else if (strchr("$`", *s))
			return true;
		else if (!quote && strchr("|&;<>()*?[\n", *s))
			return true;
		else if (!quote && strchr("#~", *s) && strchr(BLANKS, before))
			return true;
	}
	return false;
}

/* Does a shell take it as it is? */
static bool is_plain(const char *word)
{
	return *word &&
	       !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789_@%+=:,./-")];
}

/* Quote a word; returns what is behind it. */
static char *quote(char *out, const char *word)
{
	*out++ = '\'';
	for (; *word; word++)
		if (*word == '\'')
			out = stpcpy(out, "'\\''");
		else
			*out++ = *word;
	*out++ = '\'';
	return out;
}

char *words_join(const char *bytes, size_t size)
{
	/* The worst are quotes, of which each becomes four, and empty words. */
	char *line = xcalloc(size + 1, 4), *out = line, *copy = xcalloc(size + 1, 1);
	const char *word = copy;

	if (size)
		memcpy(copy, bytes, size);
	for (; word < copy + size; word += strlen(word) + 1) {
		if (word > copy)
			*out++ = ' ';
		out = is_plain(word) ? stpcpy(out, word) : quote(out, word);
	}
	*out = '\0';
	free(copy);
	return line;
}
