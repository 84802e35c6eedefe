dnl SPDX-License-Identifier: GPL-2.0-or-later
dnl PF_BPF
dnl Finds a compiler for BPF, clang or gcc, by compiling our program. Sets BPF_CC,
dnl BPF_CFLAGS (both can be given) and PF_BPF_TARGET, the flags that this compiler must have.
AC_DEFUN([PF_BPF],
[AC_ARG_VAR([BPF_CC], [compiler for BPF programs: clang, or bpf-gcc])
AC_ARG_VAR([BPF_CFLAGS], [flags for it])
: ${BPF_CFLAGS=-O2}
pf_multiarch=$($CC -print-multiarch 2>/dev/null)
PF_BPF_TARGET=
pf_why="none was found"
for pf_cc in ${BPF_CC:-clang clang-22 clang-21 clang-20 clang-19 clang-18 clang-17 clang-16 clang-15 clang-14 bpf-gcc bpf-unknown-none-gcc}; do
	AC_MSG_CHECKING([whether $pf_cc compiles BPF with BTF])
	AS_IF([! command -v $pf_cc >/dev/null 2>&1],
		[AC_MSG_RESULT([not there])
		 continue])
	AS_IF([$pf_cc --version 2>/dev/null | grep -q clang],
		[pf_target="-target bpf -g"], [pf_target="-gbtf -mco-re"])
	pf_target="$pf_target -mcpu=v3 -D__TARGET_ARCH_$PF_BPF_ARCH -idirafter /usr/include"
	AS_IF([test -n "$pf_multiarch"],
		[pf_target="$pf_target -idirafter /usr/include/$pf_multiarch"])
	PF_BPF_TRY([$pf_cc $pf_target])
	AS_IF([test "x$pf_works" = xyes],
		[AC_MSG_RESULT([yes])
		 BPF_CC=$pf_cc
		 PF_BPF_TARGET=$pf_target
		 break],
		[AC_MSG_RESULT([no])
		 pf_why="$pf_cc cannot do it (config.log says why)"])
done
AS_IF([test -z "$PF_BPF_TARGET"],
	[AC_MSG_ERROR([a compiler for BPF is needed, and $pf_why: install the package clang, or give BPF_CC])])
AC_SUBST([PF_BPF_TARGET])])

dnl PF_BPF_TRY(COMMAND)
dnl Sets pf_works to yes if the compiler makes an object with BTF from the real thing.
AC_DEFUN([PF_BPF_TRY],
[pf_works=no
AS_IF([AC_TRY_COMMAND([$1 $BPF_CFLAGS -c "$srcdir/bpf/pyflow.bpf.c" -o conftest.bpf.o >&AS_MESSAGE_LOG_FD 2>&1])],
	[AS_IF([grep -q '\.BTF' conftest.bpf.o], [pf_works=yes])])
rm -f conftest.bpf.o])
