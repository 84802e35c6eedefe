# SPDX-License-Identifier: GPL-2.0-or-later
"""Read pyflow's text output back."""
import re
import unicodedata

LINE = re.compile(r"(\d\d:\d\d:\d\d\.\d{6}) (\d+) +(\d+) +(\d+) +")
DEEP = re.compile(r"\[(\d+)\] ")   # in place of more than 1024 levels
PREFIX = 36     # columns before the indentation, while IDs have seven digits at most


def escape(name):
    """As src/escape.c does it."""
    out = []
    for c in name.replace("\\", "\\\\"):
        short = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(c)
        if short:
            out.append(short)
        elif unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            out.extend(f"\\x{b:02x}" for b in c.encode("utf-8", "surrogatepass"))
        else:
            out.append(c)
    return "".join(out)


MARKS = {" (raised)": "raise", " (yielded)": "yield"}


def unmarked(what):
    """FILE:FUNC:LINE, and how it was left, which some sources tell and others do not."""
    for mark, how in MARKS.items():
        if what.endswith(mark):
            return what[:-len(mark)], how
    return what, ""


def parse(path):
    """A list of (tid, kind, depth, what, how), what being FILE:FUNC:LINE; how is "raise", "yield"
    or "", which is a return, or all of them where the source cannot tell. Other lines are left
    out."""
    events = []
    with open(path, encoding="utf-8", newline="\n") as f:
        for line in f:
            m = LINE.match(line)
            if not m:
                continue
            rest = line[PREFIX:].rstrip("\n")
            what = rest.lstrip(" ")
            indent = len(rest) - len(what)
            level = DEEP.match(what)
            if level:
                what = what[level.end():]
            assert indent % 2 == 0 and what[:4] in ("=>  ", "<=  "), line
            depth = int(level[1]) if level else indent // 2
            events.append((int(m[4]), what[:2], depth, *unmarked(what[4:])))
    return events


def by_thread(events):
    """The sequences of the threads, in an order that does not depend on their IDs, nor on how
    functions were left."""
    threads = {}
    for tid, *rest in events:
        threads.setdefault(tid, []).append(tuple(rest))
    return sorted(threads.values(), key=lambda thread: [event[:3] for event in thread])
