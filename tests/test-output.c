// SPDX-License-Identifier: GPL-2.0-or-later
/* Outputs: what is read back, compressed or not; limits, and files that take turns;
 * several printers as one. */
#include <config.h>

#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "check.h"
#include "outputs.h"
#include "xalloc.h"

enum { PIECES = 3000, MAX_READ = 32 << 20 };

static char folder[] = "/tmp/test-output.XXXXXX";

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static size_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_size;
}

/* ---- reading back ---- */

static char *read_raw(const char *path, size_t *size)
{
	FILE *f = fopen(path, "r");
	char *data = xcalloc(1, MAX_READ);

	CHECK(f);
	*size = f ? fread(data, 1, MAX_READ, f) : 0;
	if (f)
		fclose(f);
	return data;
}

/* gzread(3) reads what is not compressed, too, and what ends too early. */
static char *read_gzip(const char *path, size_t *size)
{
	gzFile f = gzopen(path, "r");
	char *data = xcalloc(1, MAX_READ);
	int n = f ? gzread(f, data, MAX_READ - 1) : -1;

	*size = n < 0 ? 0 : n;
	if (f)
		gzclose(f);
	return data;
}

static char *read_zstd(const char *path, size_t *size)
{
	size_t raw_size;
	char *raw = read_raw(path, &raw_size), *data = xcalloc(1, MAX_READ);
	ZSTD_DStream *stream = ZSTD_createDStream();
	ZSTD_inBuffer in = { raw, raw_size, 0 };
	ZSTD_outBuffer out = { data, MAX_READ - 1, 0 };

	while (in.pos < in.size &&
	       !ZSTD_isError(ZSTD_decompressStream(stream, &out, &in)))
		;
	CHECK_INT(in.pos, in.size);
	*size = out.pos;
	ZSTD_freeDStream(stream);
	free(raw);
	return data;
}

static char *read_back(const char *path, enum compression c, size_t *size)
{
	return c == COMPRESSION_GZIP   ? read_gzip(path, size)
	       : c == COMPRESSION_ZSTD ? read_zstd(path, size)
				       : read_raw(path, size);
}

/* ---- one output ---- */

/* Pieces of all sizes, some larger than any buffer. */
static size_t piece(char *out, size_t i)
{
	size_t n = i % 500 ? check_below(300) : 200000 + check_below(100000);

	for (size_t j = 0; j < n; j++)
		out[j] = 'a' + check_below(j % 3 ? 2 : 26);
	return n;
}

static void check_round_trip(enum compression c)
{
	char *path = path_of("round"), *wanted = xcalloc(1, MAX_READ), *got;
	struct output *o;
	size_t size = 0, got_size;

	CHECK_INT(output_open(path, c, &o), 0);
	for (size_t i = 0; i < PIECES; i++) {
		size_t n = piece(wanted + size, i);

		output_add(o, wanted + size, n);
		size += n;
		if (!check_below(100))
			output_flush(o);
	}
	CHECK_STR(output_name(o), path);
	CHECK(!output_is_terminal(o) && !output_width(o));
	CHECK_INT(output_close(o), 0);
	got = read_back(path, c, &got_size);
	CHECK_INT(got_size, size);
	CHECK(!memcmp(got, wanted, size));
	CHECK(c == COMPRESSION_NONE || size_of(path) < size);
	unlink(path);
	free(path);
	free(wanted);
	free(got);
}

/* What was flushed is there though the file was never finished. */
static void check_flush(enum compression c)
{
	char *path = path_of("flush"), *got;
	struct output *o;
	size_t size;

	CHECK_INT(output_open(path, c, &o), 0);
	output_add(o, "hello", 5);
	CHECK(output_flush(o));
	got = read_back(path, c, &size);
	CHECK_INT(size, 5);
	CHECK(!memcmp(got, "hello", 5));
	free(got);
	/* Nothing to be flushed is flushed; what is compressed is not flushed often. */
	CHECK(output_flush(o));
	output_add(o, "!", 1);
	CHECK_INT(output_flush(o), c == COMPRESSION_NONE);
	CHECK_INT(output_close(o), 0);
	got = read_back(path, c, &size);
	CHECK_INT(size, 6);
	free(got);
	unlink(path);
	free(path);
}

static void check_limit(enum compression c, uint64_t max, bool flushes)
{
	char *path = path_of("limit"), *text = xcalloc(1, 400000), *got;
	size_t size = 0, got_size;
	struct output *o;

	CHECK_INT(output_open(path, c, &o), 0);
	output_limit(o, max);
	for (size_t i = 1;; i++) {
		size_t n = piece(text, i % 500 ? i : 1);

		if (!output_has_room(o, n))
			break;
		output_add(o, text, n);
		size += n;
		if (flushes && !check_below(50))
			output_flush(o);
	}
	CHECK_INT(output_close(o), 0);
	CHECK(size_of(path) <= max);
	CHECK(size_of(path) + 300 > max || c != COMPRESSION_NONE);
	/* Compressed, it holds more. */
	CHECK(c == COMPRESSION_NONE ? size <= max : max < 1 << 20 || size > max);
	got = read_back(path, c, &got_size);
	CHECK_INT(got_size, size);
	free(got);
	unlink(path);
	free(path);
	free(text);
}

static void check_rotation(void)
{
	char *path = path_of("r");
	struct output *o;

	CHECK_INT(output_open(path, COMPRESSION_NONE, &o), 0);
	for (unsigned int i = 0; i < 5; i++) {
		char digit = '0' + i;

		output_add(o, &digit, 1);
		CHECK(output_can_rotate(o));
		CHECK_INT(output_rotate(o, 2), 0);
	}
	output_add(o, "5", 1);
	CHECK_INT(output_close(o), 0);
	for (unsigned int i = 0; i < 4; i++) {
		char *name = i ? xasprintf("%s.%u", path, i) : xstrdup(path), *got;
		size_t size;

		if (i == 3) {
			CHECK(access(name, F_OK));
		} else {
			got = read_raw(name, &size);
			CHECK_INT(size, 1);
			CHECK_INT(got[0], '5' - i);
			free(got);
		}
		unlink(name);
		free(name);
	}
	free(path);
}

/* A link is not ours to rename, nor is what somebody else has put in the place of a file.
 */
static void check_no_rotation(void)
{
	char *path = path_of("r"), *link = path_of("l");
	struct output *o;

	CHECK(!symlink(path, link));
	CHECK_INT(output_open(link, COMPRESSION_NONE, &o), 0);
	CHECK(!output_can_rotate(o));
	CHECK_INT(output_close(o), 0);
	CHECK_INT(output_open(path, COMPRESSION_NONE, &o), 0);
	CHECK(output_can_rotate(o));
	unlink(path);
	CHECK(!output_can_rotate(o));
	CHECK(!symlink("elsewhere", path));
	CHECK(!output_can_rotate(o));
	CHECK_INT(output_close(o), 0);
	unlink(path);
	unlink(link);
	free(path);
	free(link);
}

/* A file that cannot be renamed is not written over. */
static void check_rotation_in_vain(void)
{
	char *path = path_of("r"), *in_the_way = path_of("r.1");
	struct output *o;

	CHECK(!mkdir(in_the_way, 0755));
	CHECK_INT(output_open(path, COMPRESSION_NONE, &o), 0);
	output_add(o, "full", 4);
	CHECK(output_rotate(o, 1) < 0);
	CHECK(output_error(o) < 0);
	output_add(o, "more", 4);
	CHECK(output_close(o) < 0);
	CHECK_INT(size_of(path), 4);
	unlink(path);
	rmdir(in_the_way);
	free(path);
	free(in_the_way);
}

static void check_errors(void)
{
	struct output *o;

	CHECK_INT(output_open("/dev/full", COMPRESSION_GZIP, &o), 0);
	output_add(o, "x", 1);
	CHECK_INT(output_error(o), 0);
	CHECK_INT(output_close(o), -ENOSPC);
	CHECK_INT(output_open("/dev/full", COMPRESSION_NONE, &o), 0);
	output_add(o, "x", 1);
	output_flush(o);
	CHECK_INT(output_error(o), -ENOSPC);
	CHECK_INT(output_close(o), -ENOSPC);
	CHECK_INT(output_open("/dev/null", COMPRESSION_NONE, &o), 0);
	CHECK(!output_can_rotate(o));
	CHECK_INT(output_close(o), 0);
	CHECK_INT(output_close(NULL), 0);
}

/* ---- several ---- */

static struct name name = { .file = "/w/a.py", .func = "f", .size = 8 };

/* Calls that go deeper and deeper, until there is no more room, and all the way back. */
static unsigned int fill(struct printer *p, unsigned int most)
{
	struct print_event e = { .pid = 1, .tid = 1, .name = &name };
	unsigned int given = 0;

	for (e.depth = 0; e.depth < most && !p->is_full; e.depth++) {
		p->ops->event(p, &e);
		given += !p->is_full;
	}
	/* Those behind it are not written, neither begun nor ended. */
	for (unsigned int i = 0; i < 3; i++, e.depth++)
		p->ops->event(p, &e);
	e.kind = PRINT_LEAVE;
	e.is_timed = true;
	while (e.depth--)
		p->ops->event(p, &e);
	return given;
}

static size_t count_in(const char *path, const char *what)
{
	size_t size, n = 0;
	char *text = read_raw(path, &size);

	for (char *at = text; (at = strstr(at, what)); at++)
		n++;
	free(text);
	return n;
}

static void check_several(unsigned int rotate)
{
	struct options o = { .output_count = 2, .max_size = 20000, .rotate = rotate };
	char *a = path_of("a"), *b = path_of("b"), *old = path_of("a.1");
	struct print_begin begin = { .pids = &(pid_t){ 1 }, .count = 1 };
	struct print_totals totals = { .status = -1 };
	struct outputs *all;
	const char *failed;
	unsigned int given;
	struct printer *p;

	o.outputs[0].path = a;
	o.outputs[1].path = b;
	all = outputs_new(&o, "/w");
	CHECK_INT(outputs_clear(all), 0);
	CHECK_INT(outputs_open(all), 0);
	p = outputs_printer(all);
	p->ops->begin(p, &begin);
	given = fill(p, 400);
	CHECK_INT(p->is_full, !rotate);
	p->ops->end(p, &totals);
	CHECK_INT(outputs_error(all, &failed), 0);
	CHECK_INT(outputs_close(all, &failed), 0);
	CHECK(size_of(a) && size_of(a) <= o.max_size && size_of(b) <= o.max_size);
	if (rotate) {
		CHECK(size_of(old) && size_of(old) <= o.max_size);
		CHECK_INT(count_in(a, "Tracing"), 1);
	} else {
		CHECK_INT(count_in(a, "=>"), given);
		CHECK_INT(count_in(b, "=>"), given);
		CHECK_INT(count_in(a, "<="), 0);
		CHECK(access(old, F_OK));
	}
	/* They can be opened again, and are empty then. */
	CHECK_INT(outputs_open(all), 0);
	CHECK(!p->is_full && !size_of(a));
	outputs_free(all);
	free(a);
	free(b);
	free(old);
}

/* Labels are those of the format that made them. */
static void forget_labels(void)
{
	for (size_t i = 0; i < MAX_LABELS; i++)
		free(name.labels[i].text);
	memset(name.labels, 0, sizeof(name.labels));
}

/* What ends calls in a full file has had room kept for it, however long its names are
 * when they are escaped. */
static void check_full(enum print_format format, const struct name *called,
		       uint64_t max_size)
{
	struct options o = { .output_count = 1, .max_size = max_size };
	struct print_begin begin = { .pids = &(pid_t){ 1 }, .count = 1 };
	struct print_totals totals = { .status = -1 };
	char *path = path_of("a");
	struct outputs *all;
	const char *failed;
	struct printer *p;

	forget_labels();
	name = *called;
	o.outputs[0].path = path;
	o.outputs[0].format = format;
	all = outputs_new(&o, "/w");
	CHECK_INT(outputs_open(all), 0);
	p = outputs_printer(all);
	p->ops->begin(p, &begin);
	CHECK(fill(p, 4000) > 0);
	CHECK(p->is_full);
	p->ops->end(p, &totals);
	CHECK_INT(outputs_close(all, &failed), 0);
	CHECK(size_of(path) > 4096 && size_of(path) <= o.max_size);
	outputs_free(all);
	free(path);
}

static void check_all_full(void)
{
	static char bytes[1300], one[] = "/w/a.py", f[] = "f";
	const struct name usual = { .file = one, .func = f, .size = 8 };
	const struct name odd = { .file = f, .func = bytes, .size = sizeof(bytes) };

	memset(bytes, 1, sizeof(bytes) - 1);
	bytes[sizeof(bytes) - 2] = '\xff';
	for (enum print_format i = 0; i <= FORMAT_CHROME; i++) {
		for (uint64_t size = 60000; size < 90000; size += 2000) {
			check_full(i, &usual, size);
			check_full(i, &odd, size);
		}
	}
}

/* If one cannot be opened, no other is open; a link is not removed. */
static void check_opening(void)
{
	struct options o = { .output_count = 2 };
	char *a = path_of("a"), *link = path_of("l"), *b = path_of("none/b");
	struct outputs *all;
	struct stat st;
	int before = dup(0);

	close(before);
	o.outputs[0].path = link;
	o.outputs[1].path = b;
	CHECK(!symlink(a, link));
	all = outputs_new(&o, "/w");
	CHECK(outputs_clear(all) < 0);
	CHECK(!lstat(link, &st) && S_ISLNK(st.st_mode));
	CHECK_INT(outputs_open(all), -ENOENT);
	CHECK_INT(dup(0), before);
	close(before);
	outputs_free(all);
	unlink(link);
	free(a);
	free(link);
	free(b);
}

/* What cannot be rotated is ended once: a pipe. */
static void check_pipe(void)
{
	struct options o = { .output_count = 1, .max_size = 20000, .rotate = 2 };
	struct print_begin begin = { .pids = &(pid_t){ 1 }, .count = 1 };
	struct print_totals totals = { .status = -1 };
	char *path = path_of("p"), *text = xcalloc(1, 30000);
	int err = mkfifo(path, 0600), fd = open(path, O_RDWR);
	struct outputs *all;
	const char *failed;
	struct printer *p;
	ssize_t size;

	CHECK(!err && fd >= 0);
	o.outputs[0].path = path;
	o.outputs[0].format = FORMAT_CHROME;
	all = outputs_new(&o, "/w");
	CHECK_INT(outputs_open(all), 0);
	p = outputs_printer(all);
	p->ops->begin(p, &begin);
	forget_labels();
	fill(p, 400);
	CHECK(p->is_full);
	p->ops->end(p, &totals);
	CHECK_INT(outputs_close(all, &failed), 0);
	size = read(fd, text, 30000 - 1);
	CHECK(size > 0 && size <= 20000);
	CHECK(strstr(text, "\n]\n") && !strstr(text, "\n]\n")[3]);
	close(fd);
	unlink(path);
	outputs_free(all);
	forget_labels();
	free(path);
	free(text);
}

/* All of the folder. */
static void clean(void)
{
	static const char *const left[] = { "a", "b", "a.1", "b.1", "a.2", "b.2" };

	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		char *path = path_of(left[i]);

		unlink(path);
		free(path);
	}
	CHECK(!rmdir(folder));
}

int main(void)
{
	CHECK(mkdtemp(folder));
	for (enum compression c = COMPRESSION_NONE; c <= COMPRESSION_ZSTD; c++) {
		check_round_trip(c);
		check_flush(c);
		check_limit(c, 4096, false);
		check_limit(c, 100000, true);
		check_limit(c, 3 << 20, false);
	}
	check_rotation();
	check_no_rotation();
	check_rotation_in_vain();
	check_errors();
	check_several(0);
	check_several(2);
	check_opening();
	check_pipe();
	check_all_full();
	forget_labels();
	clean();
	return check_done();
}
