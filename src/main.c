// SPDX-License-Identifier: GPL-2.0-or-later
/* pyflow: print the call and return hierarchy of Python code from outside the process. */
#include <config.h>

#include <locale.h>

#include "list.h"
#include "log.h"
#include "options.h"
#include "trace.h"

int main(int argc, char **argv)
{
	struct options options;
	int status;

	/* Characters, not bytes, are what ? and [ in patterns stand for. */
	setlocale(LC_CTYPE, "");
	options_parse(&options, argc, argv);
	log_set_level(options.verbose);
	status = options.list ? list_run(&options) : trace_run(&options);
	options_free(&options);
	return status;
}
