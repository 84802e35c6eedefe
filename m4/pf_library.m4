dnl SPDX-License-Identifier: GPL-2.0-or-later
dnl PF_LIBRARY(VARIABLE, MODULE, DEBIAN-PACKAGE, FEDORA-PACKAGE)
dnl A library by pkg-config; without it an error that names its package.
AC_DEFUN([PF_LIBRARY],
[PKG_CHECK_MODULES([$1], [$2], [],
	[AC_MSG_ERROR([$2 is needed: install the package $3 (Debian, Ubuntu) or $4 (Fedora)])])])
