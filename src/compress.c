// SPDX-License-Identifier: GPL-2.0-or-later
/* Compression, by the libraries that have it. */
#include <config.h>

#include "compress.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "log.h"
#include "xalloc.h"

enum {
	CHUNK = 64 * 1024,
	GZIP = 15 + 16
}; /* zlib.h: the largest window, a gzip header */

struct compressor {
	void (*write)(void *arg, const void *data, size_t size);
	void *arg;
	ZSTD_CStream *zstd; /* else zlib */
	z_stream zlib;
	char out[CHUNK];
};

struct compressor *compressor_new(enum compression kind,
				  void (*write)(void *arg, const void *data, size_t size),
				  void *arg)
{
	struct compressor *c = xcalloc(1, sizeof(*c));

	c->write = write;
	c->arg = arg;
	if (kind == COMPRESSION_ZSTD)
		c->zstd = ZSTD_createCStream();
	if (kind == COMPRESSION_ZSTD
		    ? !c->zstd
		    : deflateInit2(&c->zlib, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP,
				   MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		die("out of memory");
	return c;
}

void compressor_free(struct compressor *c)
{
	if (!c)
		return;
	if (c->zstd)
		ZSTD_freeCStream(c->zstd);
	else
		deflateEnd(&c->zlib);
	free(c);
}

/* Neither can fail but for misuse. */
static void add_zlib(struct compressor *c, const void *data, size_t size, int flush)
{
	c->zlib.next_in = (void *)data;
	c->zlib.avail_in = size;
	do {
		c->zlib.next_out = (void *)c->out;
		c->zlib.avail_out = CHUNK;
		deflate(&c->zlib, flush);
		c->write(c->arg, c->out, CHUNK - c->zlib.avail_out);
	} while (!c->zlib.avail_out);
}

static void add_zstd(struct compressor *c, const void *data, size_t size,
		     ZSTD_EndDirective end)
{
	ZSTD_inBuffer in = { data, size, 0 };
	size_t left;

	do {
		ZSTD_outBuffer out = { c->out, CHUNK, 0 };

		left = ZSTD_compressStream2(c->zstd, &out, &in, end);
		c->write(c->arg, c->out, out.pos);
	} while (!ZSTD_isError(left) &&
		 (end == ZSTD_e_continue ? in.pos < in.size : left));
}

void compressor_add(struct compressor *c, const void *data, size_t size,
		    enum compress_until until)
{
	static const int zlib[] = { Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH };
	static const ZSTD_EndDirective zstd[] = { ZSTD_e_continue, ZSTD_e_flush,
						  ZSTD_e_end };

	if (c->zstd)
		add_zstd(c, data, size, zstd[until]);
	else
		add_zlib(c, data, size, zlib[until]);
}
