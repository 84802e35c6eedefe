dnl SPDX-License-Identifier: GPL-2.0-or-later
dnl PF_WARNINGS
dnl Sets PF_WARN_CFLAGS to those of our warnings that the compiler knows.
AC_DEFUN([PF_WARNINGS],
[PF_WARN_CFLAGS=
for pf_flag in -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wundef -Wvla \
	-Wformat=2 -Wlogical-op -Wduplicated-cond -Wnull-dereference; do
	AC_MSG_CHECKING([whether $CC knows $pf_flag])
	pf_saved_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS $pf_flag -Werror"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
		[AC_MSG_RESULT([yes])
		 PF_WARN_CFLAGS="$PF_WARN_CFLAGS $pf_flag"],
		[AC_MSG_RESULT([no])])
	CFLAGS=$pf_saved_CFLAGS
done])
