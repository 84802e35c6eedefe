# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the scripts in here begin with. They define write_program().
set -u

: "${srcdir:=.}" "${builddir:=.}" "${BENCH_ROUNDS:=5}"
pyflow=$builddir/pyflow
floor=$builddir/bench/floor
LC_ALL=C PYTHONHASHSEED=0
export LC_ALL PYTHONHASHSEED
unset TMPDIR
pyenv=${PYENV_ROOT:-${HOME:-/root}/.pyenv}

say() { echo "bench: $*" >&2; }

[ "$(id -u)" -eq 0 ] || { say "only root can trace"; exit 1; }
for file in "$pyflow" "$floor" "$floor.bpf.o"; do
	[ -e "$file" ] || { say "$file is missing: make bench builds it"; exit 1; }
done

work=$(mktemp -d /tmp/bench.XXXXXX) || exit 1
made=$work
pids=
cleanup() {
	for pid in $pids; do kill -9 "$pid"; done 2> /dev/null
	# shellcheck disable=SC2086
	rm -rf $made
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# Sets $elf, the file with the interpreter, $option, what pyflow is to be told, $dir (a folder of
# ours, as Python sees it), $real (the same as we see it), and $python, a command that runs our
# program. Status 1 if that is not to be had.
use_python() { # VERSION
	root=
	option=
	case $1 in
	*-eval) option=--probes=eval ;;
	esac
	version=${1%-eval}
	case $version in
	3.*.*)
		elf=$pyenv/versions/$version/lib/libpython${version%.*}.so.1.0
		command=$pyenv/versions/$version/bin/python${version%.*}
		;;
	*)
		root=$("$srcdir/tests/pyroots" path "$version") ||
			{ say "python$version is not there: tests/pyroots make"; return 1; }
		elf=$root/usr/bin/python$version
		command="chroot $root /usr/bin/python$version"
		;;
	esac
	[ -e "$elf" ] || { say "$elf is not there"; return 1; }
	real=$(mktemp -d "$root/tmp/bench.XXXXXX") || return 1
	made="$made $real"
	dir=${real#"$root"}
	write_program "$real/work.py"
	mkfifo "$real/go" || return 1
	python="$command $dir/work.py"
	"$pyflow" --list -vv $option "$elf" > "$work/list" 2>&1 ||
		{ say "python$1 cannot be traced:$(grep ' no: ' "$work/list" | tail -n 1)"; return 1; }
}

# pyflow's last words are "N events, M lost".
totals() { sed -n 's/^pyflow: \([0-9]*\) events, \([0-9]*\) lost.*/\1 \2/p' "$work/words"; }

# What comes of the rounds: add() a figure to others of its key, and take the median.
# shellcheck disable=SC2034
awk_functions='
	function median(key,    n, i, j, a, t) {
		n = count[key]
		if (!n) return ""
		for (i = 1; i <= n; i++) {
			t = value[key, i]
			for (j = i - 1; j > 0 && a[j] > t; j--) a[j + 1] = a[j]
			a[j + 1] = t
		}
		return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
	}
	function add(key, v) { if (v != "-") value[key, ++count[key]] = v + 0 }
	function show(format, v) { return v == "" ? "-" : sprintf(format, v) }
	function per(a, b) { return a == "" || !b ? "" : a / b }'

print_machine() {
	echo "$(uname -sr), $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)," \
		"$(getconf _NPROCESSORS_ONLN) CPUs, $(date -u +%Y-%m-%d), medians of $BENCH_ROUNDS rounds"
}
