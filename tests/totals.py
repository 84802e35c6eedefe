"""totals.py JSON CHROME FOLDED FOLDED-CALLS SUMMARY [PROFILE]: do these traces of one run say the
same? Prints what does not agree, and then the number of calls.

JSON is read line by line, CHROME as a list of events, and PROFILE is what calls.py prints of
cProfile's counts: lines of file, function and calls."""
import collections
import json
import sys


def read_json(path):
    calls, self_time, roots = collections.Counter(), 0, 0
    for line in open(path, encoding="utf-8"):
        record = json.loads(line)
        if record["type"] == "enter":
            calls[record["file"], record["func"]] += 1
        elif record["type"] == "leave" and "elapsed" in record:
            self_time += record["self"]
            roots += record["elapsed"] if record["depth"] == 0 else 0
    return calls, self_time, roots


def read_chrome(path):
    with open(path, encoding="utf-8") as f:
        events = json.load(f)
    return (sum(event["ph"] == "B" for event in events),
            sum(event["ph"] == "E" for event in events))


def read_folded(path):
    lines = open(path, encoding="utf-8").read().splitlines()
    return sum(int(line.rsplit(" ", 1)[1]) for line in lines), len(lines)


def read_summary(path):
    """The sum of the column CALLS, whose heading says where it is."""
    calls, column = 0, None
    for line in open(path, encoding="utf-8"):
        words = line.split()
        if "CALLS" in words:
            column = words.index("CALLS")
        elif column is not None and len(words) > column and words[column].isdigit():
            calls += int(words[column])
    return calls


def read_profile(path):
    calls = collections.Counter()
    for line in open(path, encoding="utf-8"):
        file, name, number = line.rsplit(" ", 2)
        calls[name] += int(number)
    return calls


def main():
    json_path, chrome_path, folded_path, calls_path, summary_path, *profile = sys.argv[1:]
    calls, self_time, roots = read_json(json_path)
    total = sum(calls.values())
    begins, ends = read_chrome(chrome_path)
    folded, lines = read_folded(folded_path)

    def same(what, got, wanted):
        if got != wanted:
            print(what, got, "not", wanted)

    same("B events", begins, total)
    same("E events", ends, total)
    same("calls in the folded stacks", read_folded(calls_path)[0], total)
    same("calls in the summary", read_summary(summary_path), total)
    same("the sum of self times", self_time, roots)
    # Each line is rounded.
    if abs(folded * 1000 - roots) > lines * 500:
        print("folded stacks:", folded * 1000, "ns in", lines, "lines, not", roots)
    if profile:
        wanted = read_profile(profile[0])
        got = collections.Counter()
        for (file, name), number in calls.items():
            if name in wanted and file.endswith("calls.py"):
                got[name] += number
        for name in wanted:
            same("calls of " + name, got[name], wanted[name])
    print(total)


main()
