/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why the kernel refuses, and what to do about it. */
#ifndef PYFLOW_ATTACH_EXPLAIN_H
#define PYFLOW_ATTACH_EXPLAIN_H

#include <stdbool.h>

/* Say in one line why `what` failed with err (-errno): looks at the capabilities,
 * sysctls, lockdown and kernel features that are usually behind it. */
void attach_explain(const char *what, int err);

/* Does this process have a capability (CAP_..., <linux/capability.h>) now? */
bool attach_has_capability(int cap);

#endif
