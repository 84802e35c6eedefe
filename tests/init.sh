# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What every *.test begins with: results in the Test Anything Protocol, and the things they use.
# See tests/README.

srcdir=$(cd "${srcdir:-.}" && pwd) || exit 99
builddir=$(cd "${builddir:-.}" && pwd) || exit 99
# shellcheck disable=SC2034
pyflow=$builddir/pyflow
[ -x "$pyflow" ] || { echo "Bail out! $pyflow is not there: build it first"; exit 99; }
LC_ALL=C.UTF-8 TZ=UTC
export LC_ALL TZ
unset TMPDIR

results=0
failures=0

ok() { results=$((results + 1)); echo "ok $results - $*"; }

# not_ok WHAT [FILE...]: the files are shown.
not_ok() {
	results=$((results + 1))
	failures=$((failures + 1))
	echo "not ok $results - $1"
	shift
	for file; do
		[ -e "$file" ] && head -c 3000 "$file" | sed 's/^/# /'
	done
}

skip() { results=$((results + 1)); echo "ok $results - $1 # SKIP $2"; }

# check WHAT COMMAND...: is it true?
check() {
	what=$1
	shift
	if "$@"; then ok "$what"; else not_ok "$what"; fi
}

# same WHAT GOT WANTED: two words or numbers.
same() {
	if [ "$2" = "$3" ]; then ok "$1"; else
		not_ok "$1"
		echo "# got: $2"
		echo "# not: $3"
	fi
}

# same_file WHAT GOT WANTED
same_file() {
	if diff -u "$3" "$2" > "$work/diff" 2>&1; then ok "$1"; else not_ok "$1" "$work/diff"; fi
}

# says WHAT PATTERN FILE: is there a line like it?
says() {
	if grep -q -e "$2" "$3"; then ok "$1"; else
		not_ok "$1" "$3"
		echo "# no line matches: $2"
	fi
}

# lost_nothing WHAT: pyflow's words in $work/words end so, and what it saw was what it expected.
lost_nothing() {
	says "nothing lost: $1" '^pyflow: [1-9][0-9]* events, 0 lost$' "$work/words"
	if has_line 'did not look as expected' "$work/words"; then
		not_ok "nothing odd: $1" "$work/words"
	fi
}

skip_all() { echo "1..0 # SKIP $*"; exit 0; }

finish() {
	echo "1..$results"
	[ "$failures" -eq 0 ]
	exit
}

work=$(mktemp -d "${TMPDIR:-/tmp}/pyflow-test.XXXXXX") || exit 99
made=$work
pids=
cleanup() {
	for pid in $pids; do kill -9 "$pid"; done 2> /dev/null
	# shellcheck disable=SC2086
	rm -rf $made
}
trap cleanup EXIT
trap 'exit 99' INT TERM HUP

# The kernel must let us: asks pyflow itself, so that its reasons are the ones that are shown.
need_bpf() {
	"$pyflow" -p $$ > /dev/null 2> "$work/need"
	! grep -q -e 'not permitted' -e 'too old' -e 'was built without' "$work/need" ||
		skip_all "$(head -n 1 "$work/need")"
}

need_fakepy() {
	fakepy=$builddir/tests/fakepy
	[ -x "$fakepy" ] || skip_all "tests/fakepy was not built: sys/sdt.h is missing"
}

# use_python VERSION: sets $root, a folder $dir in it (as the program in there sees it), where
# this test's Python files are, and $python, a command that runs it. Status 1 if it is missing.
use_python() {
	version=$1
	root=$("$srcdir/tests/pyroots" path "$version") || return 1
	real=$(mktemp -d "$root/tmp/test.XXXXXX") || return 1
	chmod 755 "$real"
	made="$made $real"
	dir=${real#"$root"}
	cp "$srcdir"/tests/*.py "$real"
	python="chroot $root /usr/bin/python$version"
	name="python$version"
}

# use_roots FUNCTION VERSION...: calls it once for each, with everything set as by use_python.
use_roots() {
	calls=$1
	shift
	for each; do
		if use_python "$each"; then
			"$calls"
		else
			skip "$calls on python$each" "python$each is not there (tests/pyroots make)"
		fi
	done
}

# for_each_python FUNCTION: those that were built with probes for functions.
for_each_python() { use_roots "$1" 3.9 3.15; }

# With PYFLOW_TEST_FEW one of each kind: probes, loop, and both.
some_roots() {
	if [ -n "${PYFLOW_TEST_FEW-}" ]; then echo 3.9 3.13 3.15; else "$srcdir/tests/pyroots" list; fi
}

# shellcheck disable=SC2046
for_each_root() { use_roots "$1" $(some_roots); }

# The Pythons of this machine, each file once: in PATH, of pyenv, and $PYFLOW_TEST_PYTHONS.
machine_pythons() {
	{
		for file in $(echo "$PATH" | tr : '\n' | sed 's|$|/python3*|') \
				"${HOME:-/root}"/.pyenv/versions/*/bin/python3*; do
			case $file in */python3 | */python3.[0-9] | */python3.[0-9][0-9]) echo "$file" ;; esac
		done
		echo "${PYFLOW_TEST_PYTHONS-}" | tr : '\n'
	} | while read -r file; do
		[ -f "$file" ] && [ -x "$file" ] && realpath "$file"
	done | awk '!seen[$0]++' | while read -r file; do
		# Those of pyenv that are in PATH are scripts.
		[ "$(head -c 4 "$file" | od -An -c | tr -d ' ')" = '177ELF' ] && echo "$file"
	done
}

# use_machine_python FILE: sets the same as use_python; $root is empty. Status 1 if it is too old.
use_machine_python() {
	version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])
sys.exit(sys.version_info < (3, 8))') || return 1
	root=
	chmod 755 "$work"
	real=$(mktemp -d "$work/python.XXXXXX") || return 1
	chmod 755 "$real"
	dir=$real
	cp "$srcdir"/tests/*.py "$real"
	python=$1
	name="python$version ($1)"
}

# for_all_pythons FUNCTION: the roots', and the machine's.
for_all_pythons() {
	for_each_root "$1"
	[ -z "${PYFLOW_TEST_FEW-}" ] || return 0
	for each in $(machine_pythons); do
		if use_machine_python "$each"; then "$1"; fi
	done
}

# Is it older than what can be traced without probes of its own?
is_older() { [ "${version#3.}" -lt 11 ]; }

# pyflow's own words for not being able to.
cannot_be_traced() { # STATUS
	[ "$1" -eq 125 ] && has_line 'cannot be traced' "$work/words"
}

# A trace without what is different each time: time, CPU, and process and thread IDs by their
# order of appearance.
plain() {
	awk '/^[0-9][0-9]:/ {
		pid = substr($0, 21, 7) + 0; tid = substr($0, 29, 7) + 0
		if (!(pid in p)) p[pid] = ++np
		if (!(tid in t)) t[tid] = ++nt
		print p[pid], t[tid], substr($0, 37); next
	} /^Tracing/ { sub(/process [0-9]+/, "process N") } { print }' "$@"
}

# wait_for CONDITION...: until it is true, a minute at most. For what cannot be waited for in
# any better way; never to let time pass.
wait_for() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 1200 ] || return 1
		sleep 0.05
	done
}

has_line() { grep -q -e "$1" "$2" 2> /dev/null; }

has_lines() { [ "$(wc -l < "$2")" -ge "$1" ]; } # NUMBER FILE

# start_attached ARGS...: pyflow in the background, its header on $work/trace; returns when its
# probes are in. Sets $tracer.
start_attached() {
	rm -f "$work/trace"
	"$pyflow" "$@" > "$work/trace" 2> "$work/words" &
	tracer=$!
	pids="$pids $tracer"
	wait_for has_line '^Tracing' "$work/trace" || not_ok "pyflow attaches" "$work/words"
}

# state PID: the letter of proc_pid_stat(5).
state() { sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2> /dev/null; }

# ---- what is at the probes of a process that runs $fakepy ----

# The offsets in the file of fakepy's probes.
probe_offsets() {
	# shellcheck disable=SC2046
	set -- $(readelf -lW "$fakepy" | awk '$1 == "LOAD" && / R E / { print $2, $3 }')
	for location in $(readelf -n "$fakepy" |
			awk '/^ *Name: / { n = $2 } n ~ /^function__/ && sub(",", "") && /Location:/ { print $2 }' |
			sed 's/,.*//'); do
		echo $((location - $2 + $1))
	done
}

code_bytes() { # FILE OFFSET...: one byte at each
	from=$1
	shift
	for at; do dd if="$from" bs=1 skip="$at" count=1 2> /dev/null | od -An -tx1; done | xargs
}

memory_bytes() { # PID: the code at the probes
	# shellcheck disable=SC2046
	set -- "$1" $(awk '$2 ~ /x/ && /fakepy/ { sub("-.*", "", $1); print "0x" $1, "0x" $3 }' "/proc/$1/maps")
	pid=$1
	base=$(($2 - $3))
	# shellcheck disable=SC2046
	set -- $(probe_offsets)
	for offset; do
		shift
		set -- "$@" $((base + offset))
	done
	code_bytes "/proc/$pid/mem" "$@"
}
