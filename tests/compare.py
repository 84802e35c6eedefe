# SPDX-License-Identifier: GPL-2.0-or-later
"""compare.py TRACE TRUTH FILE...: are the events of a trace, in the files named (parts of their
paths), those of the truth, thread by thread: kind, file, function, line, order and depth? Says
how many there were, or where they first differ; status 1 then."""
import ast
import sys

from events import by_thread, parse


def from_program(events):
    """From the first event of the program's module on."""
    for i, e in enumerate(events):
        if "/program.py:<module>:" in e[3] and e[1] == "=>":
            return events[i:]
    return []


def until_program(events):
    """Up to the last event of the program's module."""
    for i in range(len(events) - 1, -1, -1):
        if "/program.py:<module>:" in events[i][3]:
            return events[:i + 1]
    return events


def first_difference(got, wanted):
    for i, (g, w) in enumerate(zip(got, wanted)):
        if g != w:
            return i
    return min(len(got), len(wanted))


def main():
    trace, truth = sys.argv[1:3]
    with open(truth, encoding="utf-8") as f:
        wanted = by_thread(ast.literal_eval(f.read()))
    got = by_thread(until_program(from_program(parse(trace))))
    if got == wanted and wanted:
        print(f"{sum(map(len, wanted))} events of {len(wanted)} threads are equal")
        return
    print(f"threads: {len(got)} traced, {len(wanted)} true")
    for g, w in zip(got, wanted):
        if g == w:
            continue
        i = first_difference(g, w)
        print(f"{len(g)} events traced, {len(w)} true; the first difference is at {i}:")
        for j in range(max(0, i - 3), i + 4):
            print("  traced", g[j] if j < len(g) else None, "  true", w[j] if j < len(w) else None)
        break
    sys.exit(1)


main()
