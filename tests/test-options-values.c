// SPDX-License-Identifier: GPL-2.0-or-later
/* What the values of options mean. */
#include <config.h>

#include "options-values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What a number is before a value is read that is none: it must stay. */
enum { BEFORE = 77 };

static void check_words(void)
{
	char said[64], small[8];

	CHECK_INT(value_word("a", "a|bc|d"), 0);
	CHECK_INT(value_word("bc", "a|bc|d"), 1);
	CHECK_INT(value_word("d", "a|bc|d"), 2);
	CHECK_INT(value_word("b", "a|bc|d"), -1);
	CHECK_INT(value_word("bcd", "a|bc|d"), -1);
	CHECK_INT(value_word("a|bc", "a|bc|d"), -1);
	CHECK_INT(value_word("|", "a|bc|d"), -1);
	CHECK_INT(value_word("A", "a|bc|d"), -1);
	CHECK_INT(value_word("", "a|bc|d"), -1);
	CHECK_INT(value_word("", ""), -1);
	CHECK_INT(value_word("summary", FORMAT_WORDS), FORMAT_SUMMARY);
	CHECK_INT(value_word("chrome", FORMAT_WORDS), FORMAT_CHROME);
	value_say_words("a|bc|d", " or ", said, sizeof(said));
	CHECK_STR(said, "a, bc or d");
	value_say_words("a|bc", " and ", said, sizeof(said));
	CHECK_STR(said, "a and bc");
	value_say_words("a", " or ", said, sizeof(said));
	CHECK_STR(said, "a");
	value_say_words("", " or ", said, sizeof(said));
	CHECK_STR(said, "");
	value_say_words("abcd|efgh|i|j", " or ", small, sizeof(small));
	CHECK_STR(small, "abcd, e");
	value_say_words("abcdefg|hi", " or ", small, sizeof(small));
	CHECK_STR(small, "abcdefg");
}

static void check_pids(void)
{
	static const char *const bad[] = { "",		 "x",  ",",   "1,",  ",1",
					   "1,,2",	 "0",  "-1",  "+1",  " 1",
					   "1 ",	 "1x", "1;2", "0x1", "1.0",
					   "2147483648", "1,0" };
	pid_t *pids = NULL;
	size_t count = 0;

	CHECK_INT(value_pids("12", &pids, &count), 0);
	CHECK_INT(value_pids("3,12,2147483647,3", &pids, &count), 0);
	CHECK_INT(count, 3);
	CHECK_INT(pids[0], 12);
	CHECK_INT(pids[1], 3);
	CHECK_INT(pids[2], 2147483647);
	for (size_t i = 0; i < COUNT(bad); i++)
		CHECK_INT(value_pids(bad[i], &pids, &count), -1);
	free(pids);
}

static void check_numbers(void)
{
	static const char *const bad[] = { "",	  "0",	"00",
					   "-1",  "+1", " 1",
					   "1 ",  "1x", "x",
					   "1.5", "1K", "0x1",
					   "1e3", "-0", "18446744073709551616x" };
	unsigned int n = BEFORE;

	for (size_t i = 0; i < COUNT(bad); i++)
		CHECK_INT(value_number(bad[i], 100, &n), -1);
	CHECK_INT(n, BEFORE);
	CHECK_INT(value_number("1", 100, &n), 0);
	CHECK_INT(n, 1);
	CHECK_INT(value_number("0042", 100, &n), 0);
	CHECK_INT(n, 42);
	CHECK_INT(value_number("101", 100, &n), 0);
	CHECK_INT(n, 100);
	CHECK_INT(value_number("4294967297", UINT32_MAX, &n), 0);
	CHECK_INT(n, UINT32_MAX);
	CHECK_INT(value_number("99999999999999999999999", UINT32_MAX, &n), 0);
	CHECK_INT(n, UINT32_MAX);
}

static void check_sizes(void)
{
	static const struct {
		const char *text;
		uint64_t unit, wanted;
	} good[] = {
		{ "1", 1, 1 },
		{ "1", 4096, 4096 },
		{ "3", 4096, 12288 },
		{ "1B", 4096, 1 },
		{ "7b", 1, 7 },
		{ "1K", 4096, 1024 },
		{ "2k", 1, 2048 },
		{ "1M", 1, 1048576 },
		{ "16m", 1, 16777216 },
		{ "1G", 1, 1073741824 },
		{ "008g", 1, UINT64_C(8) << 30 },
		{ "17179869183G", 1, UINT64_C(17179869183) << 30 },
		{ "18446744073709551615", 1, UINT64_MAX },
		{ "18446744073709551615B", 4096, UINT64_MAX },
	};
	static const char *const bad[] = { "",
					   "0",
					   "0K",
					   "K",
					   "1KB",
					   "1T",
					   "1 K",
					   " 1",
					   "-1",
					   "+1",
					   "1.5M",
					   "1K ",
					   "0x1",
					   "1\xff",
					   "17179869184G",
					   "18446744073709551616",
					   "99999999999999999999999B" };
	uint64_t n = BEFORE;

	for (size_t i = 0; i < COUNT(bad); i++)
		CHECK_INT(value_size(bad[i], 1, &n), -1);
	CHECK_INT(value_size("18446744073709551615", 2, &n), -1);
	CHECK_INT(n, BEFORE);
	for (size_t i = 0; i < COUNT(good); i++) {
		CHECK_INT(value_size(good[i].text, good[i].unit, &n), 0);
		CHECK_INT(n, good[i].wanted);
	}
}

static void check_last(void)
{
	uint64_t events = BEFORE, bytes = BEFORE;

	CHECK_INT(value_last("0", &events, &bytes), -1);
	CHECK_INT(value_last("0K", &events, &bytes), -1);
	CHECK_INT(value_last("", &events, &bytes), -1);
	CHECK_INT(value_last("K", &events, &bytes), -1);
	CHECK_INT(value_last("1s", &events, &bytes), -1);
	CHECK(events == BEFORE && bytes == BEFORE);
	CHECK_INT(value_last("1000", &events, &bytes), 0);
	CHECK(events == 1000 && bytes == 0);
	CHECK_INT(value_last("1000B", &events, &bytes), 0);
	CHECK(events == 0 && bytes == 1000);
	CHECK_INT(value_last("2m", &events, &bytes), 0);
	CHECK(events == 0 && bytes == 2 << 20);
	CHECK_INT(value_last("7", &events, &bytes), 0);
	CHECK(events == 7 && bytes == 0);
}

static void check_times(void)
{
	static const struct {
		const char *text;
		uint64_t wanted;
	} good[] = {
		{ "0s", 0 },
		{ "0.000ms", 0 },
		{ "100ns", 100 },
		{ "10us", 10000 },
		{ "10\xc2\xb5s", 10000 },
		{ "10\xce\xbcs", 10000 },
		{ "1.5ms", 1500000 },
		{ "2s", 2000000000 },
		{ "3m", UINT64_C(180000000000) },
		{ "0.5m", UINT64_C(30000000000) },
		{ "1.000000001s", 1000000001 },
		{ "0.10us", 100 },
		{ "0.001us", 1 },
		{ "1.999999999s", 1999999999 },
		{ "007.0s", UINT64_C(7000000000) },
		/* rounded up to whole ns */
		{ "0.1ns", 1 },
		{ "1.0001ns", 2 },
		{ "0.0001us", 1 },
		{ "0.9999999999s", 1000000000 },
		{ "0.00000000000000000000000000000000000000001s", 1 },
		{ "0.99999999999999999999999999999999999999999s", 1000000000 },
		{ "0.33333333333m", UINT64_C(20000000000) },
		/* the largest */
		{ "9223372036854775807ns", INT64_MAX },
		{ "9223372036854775808ns", UINT64_C(1) << 63 },
		{ "9223372036.854775808s", UINT64_C(1) << 63 },
		{ "153722867.2809129301m", UINT64_C(9223372036854775806) },
	};
	static const char *const bad[] = {
		"",
		"s",
		"10",
		"1.5",
		"1.s",
		".5s",
		".s",
		".",
		"1..5s",
		"1.5.s",
		"-1s",
		"+1s",
		" 1s",
		"1 s",
		"1s ",
		"1S",
		"1sec",
		"1h",
		"1min",
		"1MS",
		"1e3us",
		"0x1s",
		"1,5s",
		"inf",
		"1\xc2s",
		"1\xb5s",
		"1\xc2\xb5",
		"nans",
		"1m30s",
		"1us\n",
		"9223372036854775809ns",
		"9223372036854775808.1ns",
		"9223372036.854775809s",
		"153722868m",
		"18446744073709551616ns",
		"99999999999999999999999999s",
	};
	uint64_t ns = BEFORE;

	for (size_t i = 0; i < COUNT(bad); i++) {
		int err = value_time(bad[i], &ns);

		CHECK_INT(err, -1);
		if (!err)
			CHECK_STR(bad[i], "not a time");
	}
	CHECK_INT(ns, BEFORE);
	for (size_t i = 0; i < COUNT(good); i++) {
		CHECK_INT(value_time(good[i].text, &ns), 0);
		CHECK_INT(ns, good[i].wanted);
	}
}

static void check_columns(void)
{
	static const char *const bad[] = {
		"",    ",",    "time,", ",time", "time,,cpu", "none,time", "time,none",
		"all", "Time", "tim",	"times", "time cpu",  "time|cpu",  "time, cpu"
	};
	unsigned int columns = BEFORE;

	for (size_t i = 0; i < COUNT(bad); i++)
		CHECK_INT(value_columns(bad[i], &columns), -1);
	CHECK_INT(columns, BEFORE);
	CHECK_INT(value_columns("time", &columns), 0);
	CHECK_INT(columns, PRINT_TIME);
	CHECK_INT(value_columns("cpu", &columns), 0);
	CHECK_INT(columns, PRINT_CPU);
	CHECK_INT(value_columns("pid", &columns), 0);
	CHECK_INT(columns, PRINT_PID);
	CHECK_INT(value_columns("tid", &columns), 0);
	CHECK_INT(columns, PRINT_TID);
	CHECK_INT(value_columns("task", &columns), 0);
	CHECK_INT(columns, PRINT_TASK);
	CHECK_INT(value_columns("duration", &columns), 0);
	CHECK_INT(columns, PRINT_DURATION);
	CHECK_INT(value_columns("duration,time,time", &columns), 0);
	CHECK_INT(columns, PRINT_TIME | PRINT_DURATION);
	CHECK_INT(value_columns("none", &columns), 0);
	CHECK_INT(columns, PRINT_NO_COLUMNS);
}

static void check_outputs(void)
{
	static const struct {
		const char *text;
		int format;
		const char *path;
		enum print_format wanted;
		enum compression compression;
	} good[] = {
		{ "x", -1, "x", FORMAT_TEXT, COMPRESSION_NONE },
		{ "x.txt", -1, "x.txt", FORMAT_TEXT, COMPRESSION_NONE },
		{ "x.json", -1, "x.json", FORMAT_JSON, COMPRESSION_NONE },
		{ "x.jsonl", -1, "x.jsonl", FORMAT_JSON, COMPRESSION_NONE },
		{ "x.trace.json", -1, "x.trace.json", FORMAT_CHROME, COMPRESSION_NONE },
		{ "x.trace.jsonl", -1, "x.trace.jsonl", FORMAT_JSON, COMPRESSION_NONE },
		{ "trace.json", -1, "trace.json", FORMAT_JSON, COMPRESSION_NONE },
		{ "x.folded", -1, "x.folded", FORMAT_FOLDED, COMPRESSION_NONE },
		{ "x.summary", -1, "x.summary", FORMAT_SUMMARY, COMPRESSION_NONE },
		{ "x.graph", -1, "x.graph", FORMAT_GRAPH, COMPRESSION_NONE },
		{ "x.chrome", -1, "x.chrome", FORMAT_TEXT, COMPRESSION_NONE },
		{ "x.JSON", -1, "x.JSON", FORMAT_TEXT, COMPRESSION_NONE },
		{ "xjson", -1, "xjson", FORMAT_TEXT, COMPRESSION_NONE },
		{ "x.json/y", -1, "x.json/y", FORMAT_TEXT, COMPRESSION_NONE },
		{ "x.json.1", -1, "x.json.1", FORMAT_TEXT, COMPRESSION_NONE },
		{ "x.json.gz", -1, "x.json.gz", FORMAT_JSON, COMPRESSION_GZIP },
		{ "x.trace.json.gz", -1, "x.trace.json.gz", FORMAT_CHROME,
		  COMPRESSION_GZIP },
		{ "x.trace.json.zst", -1, "x.trace.json.zst", FORMAT_CHROME,
		  COMPRESSION_ZSTD },
		{ "x.zst", -1, "x.zst", FORMAT_TEXT, COMPRESSION_ZSTD },
		{ "x.gz.json", -1, "x.gz.json", FORMAT_JSON, COMPRESSION_NONE },
		{ "x.json.gz.zst", -1, "x.json.gz.zst", FORMAT_TEXT, COMPRESSION_ZSTD },
		{ "x.GZ", -1, "x.GZ", FORMAT_TEXT, COMPRESSION_NONE },
		{ ".gz", -1, ".gz", FORMAT_TEXT, COMPRESSION_GZIP },
		{ "gz", -1, "gz", FORMAT_TEXT, COMPRESSION_NONE },
		{ "\xff\n.json", -1, "\xff\n.json", FORMAT_JSON, COMPRESSION_NONE },
		/* --format */
		{ "x", FORMAT_GRAPH, "x", FORMAT_GRAPH, COMPRESSION_NONE },
		{ "x.json.gz", FORMAT_TEXT, "x.json.gz", FORMAT_TEXT, COMPRESSION_GZIP },
		/* FORMAT: */
		{ "text:x.json", -1, "x.json", FORMAT_TEXT, COMPRESSION_NONE },
		{ "text:x.json", FORMAT_JSON, "x.json", FORMAT_TEXT, COMPRESSION_NONE },
		{ "chrome:x.zst", FORMAT_JSON, "x.zst", FORMAT_CHROME, COMPRESSION_ZSTD },
		{ "json:graph:x", -1, "graph:x", FORMAT_JSON, COMPRESSION_NONE },
		{ "json::", -1, ":", FORMAT_JSON, COMPRESSION_NONE },
		{ "summary:.gz", -1, ".gz", FORMAT_SUMMARY, COMPRESSION_GZIP },
		{ "C:x", -1, "C:x", FORMAT_TEXT, COMPRESSION_NONE },
		{ "a:b.json", -1, "a:b.json", FORMAT_JSON, COMPRESSION_NONE },
		{ "JSON:x", -1, "JSON:x", FORMAT_TEXT, COMPRESSION_NONE },
		{ "./json:x", -1, "./json:x", FORMAT_TEXT, COMPRESSION_NONE },
		{ ":x", -1, ":x", FORMAT_TEXT, COMPRESSION_NONE },
		{ "jso:x", -1, "jso:x", FORMAT_TEXT, COMPRESSION_NONE },
		{ "text|graph:x", -1, "text|graph:x", FORMAT_TEXT, COMPRESSION_NONE },
		{ "json", -1, "json", FORMAT_TEXT, COMPRESSION_NONE },
		/* the standard output */
		{ "-", -1, NULL, FORMAT_TEXT, COMPRESSION_NONE },
		{ "-", FORMAT_SUMMARY, NULL, FORMAT_SUMMARY, COMPRESSION_NONE },
		{ "json:-", FORMAT_SUMMARY, NULL, FORMAT_JSON, COMPRESSION_NONE },
		{ "-.json", -1, "-.json", FORMAT_JSON, COMPRESSION_NONE },
		{ "a:-", -1, "a:-", FORMAT_TEXT, COMPRESSION_NONE },
	};
	static const char *const bad[] = { "", "text:", "json:", "summary:" };
	struct output_option output;

	for (size_t i = 0; i < COUNT(bad); i++)
		CHECK_INT(value_output(bad[i], -1, &output), -1);
	for (size_t i = 0; i < COUNT(good); i++) {
		memset(&output, 0xa5, sizeof(output));
		CHECK_INT(value_output(good[i].text, good[i].format, &output), 0);
		CHECK_STR(output.path ? output.path : "(stdout)",
			  good[i].path ? good[i].path : "(stdout)");
		CHECK_INT(output.format, good[i].wanted);
		CHECK_INT(output.compression, good[i].compression);
	}
}

int main(void)
{
	check_words();
	check_pids();
	check_numbers();
	check_sizes();
	check_last();
	check_times();
	check_columns();
	check_outputs();
	return check_done();
}
