# SPDX-License-Identifier: GPL-2.0-or-later
"""compare.py [--marks] TRACE TRUTH [FIRST]: are the events of a trace those of the truth, thread by
thread: kind, file, function, line, order, depth, and how a function was left? That last one only
where the trace tells it, which --marks requires. Only what is between the first and the last event
of a module is compared: of a file whose name ends in FIRST, by default program.py, which is the
first of its thread. Says how many events there were, or where they first differ; status 1 then."""
import ast
import re
import sys

from events import by_thread, parse

RECURSION = "some where/recursion.py:"


def between(events, module):
    """From the first event of the module on, up to its last one."""
    its = [i for i, e in enumerate(events) if module in e[3]]
    return events[its[0]:its[-1] + 1] if its else []


# ---- the events of a thread: (kind, depth, what, how) ----

def with_returns(thread):
    """What is left without a mark is left by a return."""
    return [(*event, how or ("return" if event[0] == "<=" else "")) for *event, how in thread]


def without_ways_in(thread):
    return [(*event, how if event[0] == "<=" else "") for *event, how in thread]


def without_ways(thread):
    return [(*event, "") for *event, how in thread]


def without_line(kind, depth, what, how):
    return kind, depth, what.rsplit(":", 1)[0]


def with_lines(got, wanted):
    """A trace without marks cannot know the line at which throw() enters a generator, if it has not
    seen it being left. That is in deep.py only."""
    return [w if w[3] == "throw" and "/deep.py:" in w[2] and without_line(*g) == without_line(*w)
            else g for g, w in zip(got, wanted)] + got[len(wanted):]


# ---- recursion ----

def run_of(events, start, kind, name):
    """How many events in a row are this one?"""
    n = 0
    for e in events[start:]:
        if e[1] != kind or f":{name}:" not in e[3]:
            break
        n += 1
    return n


def check_recursion(events, marked):
    """How deep it gets differs from run to run; it has counted itself, and the trace must agree."""
    seen = 0
    its = [e for e in events if RECURSION in e[3] and ":<lambda>:" not in e[3]]
    i = 0
    while i < len(its):
        m = re.search(r":(endless|in_\w+):", its[i][3])
        if not m or its[i][1] != "=>":
            i += 1
            continue
        entered = run_of(its, i, "=>", m[1])
        left = its[i + entered:][:run_of(its, i + entered, "<=", m[1])]
        i += entered + len(left)
        counted = next((e[3] for e in its[i:] if ":counted_" in e[3]), "nothing counted")
        assert f":counted_{entered}:" in counted, (m[1], entered, counted)
        assert entered == len(left) and entered > 100, (m[1], entered, len(left))
        first = left[-1][2]
        assert [e[2] for e in left] == list(range(first + entered - 1, first - 1, -1)), m[1]
        assert not marked or all(e[4] == "raise" for e in left), m[1]
        seen += 1
    assert seen == 4, f"{seen} recursions"


# ---- all of it ----

def first_difference(got, wanted):
    for i, (g, w) in enumerate(zip(got, wanted)):
        if g != w:
            return i
    return min(len(got), len(wanted))


def show(got, wanted):
    i = first_difference(got, wanted)
    print(f"{len(got)} events traced, {len(wanted)} true; the first difference is at {i}:")
    for j in range(max(0, i - 5), i + 6):
        print("  traced", *(got[j] if j < len(got) else ("nothing",)))
        if got[j:j + 1] != wanted[j:j + 1]:
            print("  true  ", *(wanted[j] if j < len(wanted) else ("nothing",)))


def main():
    words = sys.argv[1:]
    must_have_marks = words[0] == "--marks"
    trace, truth, *module = words[must_have_marks:]
    module = f"/{module[0]}:" if module else "/program.py:<module>:"
    got = between(parse(trace), module)
    with open(truth, encoding="utf-8") as f:
        wanted = ast.literal_eval(f.read())
    marked = any(e[4] for e in got)
    if must_have_marks and not marked:
        print(f"{len(got)} events; none tells how a function was left")
        sys.exit(1)
    check_recursion(got, marked)
    got = by_thread(e for e in got if RECURSION not in e[3])
    wanted = by_thread(wanted)
    for g, w in zip(got, wanted):
        g, w = (with_returns(g), without_ways_in(w)) if marked else (
            without_ways(with_lines(g, w)), without_ways(w))
        if g != w:
            show(g, w)
            sys.exit(1)
    if len(got) != len(wanted) or not wanted:
        print(f"{len(got)} threads traced, {len(wanted)} true")
        sys.exit(1)
    print(f"{sum(map(len, wanted))} events of {len(wanted)} threads are equal" +
          (", and how functions were left" if marked else ""))


main()
