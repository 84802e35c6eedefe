// SPDX-License-Identifier: GPL-2.0-or-later
/* A command line in words, as a shell would have them. */
#include <config.h>

#include "words.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { WORDS_MAX = 6 };

static const struct {
	const char *text;
	const char *words[WORDS_MAX];
} splits[] = {
	{ "", { NULL } },
	{ " \t\n ", { NULL } },
	{ "a", { "a" } },
	{ "a b  c\td\ne", { "a", "b", "c", "d", "e" } },
	{ "  a  ", { "a" } },
	/* '...': nothing in it counts */
	{ "'a b' c", { "a b", "c" } },
	{ "'a\\' b", { "a\\", "b" } },
	{ "'a\"b$c'", { "a\"b$c" } },
	{ "'a\nb'", { "a\nb" } },
	{ "''", { "" } },
	{ "a '' b", { "a", "", "b" } },
	/* "...": a backslash counts before $ ` " \ and newline */
	{ "\"a b\" c", { "a b", "c" } },
	{ "\"it's\"", { "it's" } },
	{ "\"\\$\\`\\\"\\\\\"", { "$`\"\\" } },
	{ "\"\\a\\n\\'\"", { "\\a\\n\\'" } },
	{ "\"a\\\nb\"", { "ab" } },
	{ "\"\"", { "" } },
	/* the backslash outside */
	{ "a\\ b c", { "a b", "c" } },
	{ "\\a\\'\\\"\\\\", { "a'\"\\" } },
	{ "a\\\nb", { "ab" } },
	{ "a \\\n b", { "a", "b" } },
	{ "\\\na\\\n", { "a" } },
	{ "a \\\n\\\n\t\\\n", { "a" } },
	{ "a \\\n''", { "a", "" } },
	/* one word of several parts */
	{ "a'b'\"c\"\\d", { "abcd" } },
	{ "--x='a b'", { "--x=a b" } },
	{ "'a'\\''b'", { "a'b" } },
	{ "python3 -c 'print(\"x\")'", { "python3", "-c", "print(\"x\")" } },
	{ "gr\xc3\xbc\xc3\x9f \xff", { "gr\xc3\xbc\xc3\x9f", "\xff" } },
};

static const char *const unbalanced[] = {
	"'",	   "\"",     "a 'b", "a \"b", "'a\"",  "\"a'",
	"\"a\\\"", "'a' 'b", "\\",   "a b\\", "\"a\\",
};

static const struct {
	const char *text;
	bool wanted;
} shells[] = {
	{ "", false },
	{ "python3 script.py --x=1 a,b %d @f +x ^y", false },
	{ "a | b", true },
	{ "a|b", true },
	{ "a && b", true },
	{ "a; b", true },
	{ "a &", true },
	{ "a > f", true },
	{ "a 2>&1", true },
	{ "a < f", true },
	{ "(a)", true },
	{ "a\nb", true },
	{ "\n a", false },
	{ "a *.py", true },
	{ "a ?", true },
	{ "a [x]", true },
	{ "a $HOME", true },
	{ "a \"$HOME\"", true },
	{ "a `b`", true },
	{ "a \"`b`\"", true },
	{ "a # b", true },
	{ "a#b", false },
	{ "a ~/b", true },
	{ "a b~", false },
	/* quoted, they are words like others */
	{ "a '| & ; < > ( ) * ? [ $ ` # ~'", false },
	{ "a \"| & ; < > ( ) * ? [ # ~\"", false },
	{ "a \\| \\& \\; \\< \\> \\( \\) \\* \\? \\[ \\$ \\` \\# \\~", false },
	{ "a \"\\$b \\`\"", false },
	{ "a \"it's\" $b", true },
	{ "a \"it's\" b", false },
	{ "a 'b\"' | c", true },
	{ "a '\\' | b", true },
	{ "a \"\\\"\" | b", true },
	{ "a \"b\nc\"", false },
	{ "a \\\n b", false },
	/* assignments, in front only */
	{ "A=1 b", true },
	{ "  A=1 b", true },
	{ "\\\n A=1 b", true },
	{ "_a9= b", true },
	{ "9A=1 b", false },
	{ "env A=1 b", false },
	{ "--a=1", false },
	{ "=a", false },
	/* unbalanced: must end */
	{ "a\\", false },
	{ "'", false },
	{ "\"\\", false },
};

static void check_split(const char *text, const char *const *wanted)
{
	char **words = NULL;
	size_t i = 0;

	CHECK_INT(words_split(text, &words), 0);
	for (; words && words[i] && wanted[i]; i++)
		CHECK_STR(words[i], wanted[i]);
	CHECK(words && !words[i] && !wanted[i]);
	words_free(words);
}

/* What is joined is split into the same words again. */
static void check_join(const char *bytes, size_t size, const char *wanted)
{
	char *line = words_join(bytes, size), **words = NULL;
	const char *word = bytes;
	size_t i = 0;

	CHECK_STR(line, wanted);
	CHECK_INT(words_split(line, &words), 0);
	for (; words && words[i] && word < bytes + size; i++, word += strlen(word) + 1)
		CHECK_STR(words[i], word);
	CHECK(word == bytes + size);
	words_free(words);
	free(line);
}

/* More words than a list begins with. */
static void check_many(void)
{
	char text[2 * 1000 + 1], **words;
	size_t n = 0;

	for (size_t i = 0; i < 1000; i++) {
		text[2 * i] = 'a' + i % 26;
		text[2 * i + 1] = ' ';
	}
	text[2000] = '\0';
	CHECK_INT(words_split(text, &words), 0);
	for (; words[n]; n++)
		CHECK(words[n][0] == (char)('a' + n % 26) && !words[n][1]);
	CHECK_INT(n, 1000);
	words_free(words);
}

int main(void)
{
	char **words;

	for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++)
		check_split(splits[i].text, splits[i].words);
	for (size_t i = 0; i < sizeof(unbalanced) / sizeof(unbalanced[0]); i++)
		CHECK_INT(words_split(unbalanced[i], &words), -EINVAL);
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		check_int(words_need_shell(shells[i].text), shells[i].wanted,
			  shells[i].text, __FILE__, __LINE__);
	check_many();
	check_join("", 0, "");
	check_join("", 1, "''");
	check_join("\0\0", 3, "'' '' ''");
	check_join("a", 2, "a");
	check_join("python3\0-c\0f('x y')", 20, "python3 -c 'f('\\''x y'\\'')'");
	check_join("a\nb\0''\0$x\0\xff", 12, "'a\nb' ''\\'''\\''' '$x' '\xff'");
	words_free(NULL);
	return check_done();
}
