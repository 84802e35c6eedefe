// SPDX-License-Identifier: GPL-2.0-or-later
/* Which printer each output format has. */
#include <config.h>

#include "print.h"

const struct print_ops *const print_formats[FORMATS] = {
	[FORMAT_TEXT] = &print_text,	 [FORMAT_GRAPH] = &print_graph,
	[FORMAT_JSON] = &print_json,	 [FORMAT_CHROME] = &print_chrome,
	[FORMAT_FOLDED] = &print_folded, [FORMAT_SUMMARY] = &print_summary,
};
