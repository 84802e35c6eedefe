// SPDX-License-Identifier: GPL-2.0-or-later
/* The output formats. */
#include <config.h>

#include "print.h"

const struct print_ops *const print_formats[FORMATS] = {
	[FORMAT_TEXT] = &print_text,
};
