#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Is it the Trace Event Format, and would importers show what was meant?

chrome.py FILE...: says what is wrong, status 1; else, for each trace in the files, how many
events of each kind it has. A file may have several traces, one behind the other."""
import decimal
import json
import re
import sys

PHASES = {"B", "E", "X", "i", "M"}
METADATA = {"process_name", "thread_name"}
MEMBERS = {
    "B": {"cat", "args"},
    "E": {"args"},
    "X": {"cat", "args", "dur"},
    "i": {"cat", "args", "s"},
    "M": {"args"},
}
# What must not come out of a traced process as it is: see src/escape.c.
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


class Wrong(Exception):
    pass


def need(true, *words):
    if not true:
        raise Wrong(" ".join(str(word) for word in words))


def no_twins(pairs):
    members = dict(pairs)
    need(len(members) == len(pairs), "a member twice:", pairs)
    return members


def refuse(word):
    raise Wrong(word + " is not JSON")


def load(text):
    try:
        return json.loads(text, object_pairs_hook=no_twins, parse_float=decimal.Decimal,
                          parse_constant=refuse)
    except ValueError as error:
        raise Wrong("not JSON: %s" % error)


def repair(text):
    """What catapult's importer does before it reads, and Perfetto in effect."""
    text = re.sub(r"\s*,\s*$", "", text.strip())
    return text if text.endswith("]") else text + "]"


def is_number(value):
    return isinstance(value, int) and not isinstance(value, bool)


def ns(value):
    need(is_number(value) or isinstance(value, decimal.Decimal), "not a time:", value)
    value *= 1000
    need(value == int(value), "less than a nanosecond:", value)
    # Perfetto drops negative times, and JavaScript has 53 bits.
    need(value >= 0, "a negative time:", value)
    return int(value)


def check_event(e):
    need(isinstance(e, dict), "not an object")
    need(e.get("ph") in PHASES, "an unknown ph")
    members = {"ph", "pid", "tid", "ts", "name"} | MEMBERS[e["ph"]]
    need(set(e) - {"cat"} == members - {"cat"}, "other members")
    need("cat" in e or "cat" not in members, "no category")
    for key in "pid", "tid":
        need(is_number(e[key]) and 0 <= e[key] < 1 << 32, "not a", key)
    for key in "name", "cat":
        need(isinstance(e.get(key, ""), str), "not a string:", key)
    need(isinstance(e["args"], dict), "args is no object")
    for value in e["args"].values():
        need(is_number(value) or isinstance(value, (bool, str)), "an odd value:", value)
        need(not is_number(value) or abs(value) < 1 << 64, "too large:", value)
    ns(e["ts"])
    if e["ph"] == "i":
        need(e["s"] in ("g", "p", "t"), "an unknown scope")
    if e["ph"] == "X":
        ns(e["dur"])
    if e["ph"] == "M":
        need(e["name"] in METADATA, "metadata that importers warn about")
        need(set(e["args"]) == {"name"} and e["args"]["name"], "no name")


class Thread:
    def __init__(self):
        self.open = []
        self.slices = []  # begin, number of the line, end, name
        self.last = -1

    def add(self, number, e):
        ts = ns(e["ts"])
        if e["ph"] == "X":
            self.slices.append((ts, number, ts + ns(e["dur"]), e["name"]))
            return
        need(ts > self.last, "time stands still or goes back")
        self.last = ts
        if e["ph"] == "B":
            self.open.append((ts, number, e))
        elif e["ph"] == "E":
            need(self.open, "an E without a B")
            begin, number, b = self.open.pop()
            need(b["name"] == e["name"], "the E of another B:", b["name"])
            need(e.get("cat", b["cat"]) == b["cat"], "the E of another category:", b["cat"])
            # Perfetto takes the E of what it left out for that of another.
            need(len(self.open) < 256 or "cat" in e and "python" != e["cat"] and
                 all(e["cat"] != other["cat"] for _, _, other in self.open[256:]), "too deep")
            need(not set(b["args"]) & set(e["args"]), "an argument in both B and E")
            self.slices.append((begin, number, ts, e["name"]))

    def check_nesting(self):
        """By the beginning, and of equal ones in the order of the file, as Perfetto has it."""
        need(not self.open, "no E of", self.open and self.open[-1][2])
        around = []
        for begin, _, end, name in sorted(self.slices):
            while around and around[-1][0] <= begin:
                around.pop()
            need(not around or end <= around[-1][0], "overlap:", name, around[-1:])
            around.append((end, name))


def check_trace(text):
    need(text.startswith("[\n") and text.endswith("\n]\n"), "not an array, an event in each line")
    need(not UNSAFE.search(text), "an unsafe character")
    lines = text.split("\n")[1:-2]
    events = load(text)
    need(len(lines) == len(events), "not an event in each line")
    # Each line by itself, so what is cut off behind any of them can be loaded.
    for i, (line, event) in enumerate(zip(lines, events)):
        need(line.endswith(",") == (i + 1 < len(lines)), "no comma, or one too many:", line)
        need(load(line.rstrip(",")) == event, "not one event:", line)
    for cut in {len(lines), len(lines) // 2, 1}:
        for end in "", ",", ",\n", "\n":
            need(len(load(repair("[\n" + "\n".join(lines[:cut]).rstrip(",") + end))) == cut, "cut")
    return events


def check(text):
    counts = dict.fromkeys(sorted(PHASES), 0)
    counts["continued"] = 0
    threads, named = {}, set()
    for number, e in enumerate(check_trace(text)):
        try:
            check_event(e)
            key = e["pid"], e["tid"]
            counts[e["ph"]] += 1
            counts["continued"] += e["ph"] == "B" and "continued" in e["args"]
            if e["ph"] == "M" and e["name"] == "thread_name":
                named.add(key)
            if e["ph"] in "BEX" or e.get("s") == "t":
                need(key in named, "a thread without a name")
                threads.setdefault(key, Thread()).add(number, e)
        except Wrong as wrong:
            raise Wrong("line %d: %s: %s" % (number + 2, wrong, e))
    for key, thread in threads.items():
        try:
            thread.check_nesting()
        except Wrong as wrong:
            raise Wrong("process %d, thread %d: %s" % (*key, wrong))
    return " ".join("%s=%d" % count for count in counts.items())


def main(paths):
    status = 0
    for path in paths:
        with open(path, "rb") as file:
            data = file.read()
        try:
            traces = re.split(r"(?m)^(?=\[$)", data.decode("utf-8"))
            need(traces[0] == "" and len(traces) > 1, "no trace")
            for text in traces[1:]:
                print(check(text))
        except (Wrong, UnicodeDecodeError) as error:
            print("%s: %s" % (path, error))
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
