/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes in, compressed bytes out: gzip by zlib, zstd by libzstd. */
#ifndef PYFLOW_COMPRESS_H
#define PYFLOW_COMPRESS_H

#include <stddef.h>

#include "options.h"

struct compressor;

enum compress_until {
	COMPRESS_ON,	/* more comes */
	COMPRESS_FLUSH, /* all that was given can be read from what is written */
	COMPRESS_END,	/* and nothing more comes */
};

/* Compressed bytes go to write(). */
struct compressor *compressor_new(enum compression kind,
				  void (*write)(void *arg, const void *data, size_t size),
				  void *arg);
void compressor_free(struct compressor *c);

void compressor_add(struct compressor *c, const void *data, size_t size,
		    enum compress_until until);

#endif
