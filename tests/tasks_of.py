# SPDX-License-Identifier: GPL-2.0-or-later
"""tasks_of.py TRACE TRUTH [--own | --none | --or-none]: is each event of a trace (JSON) of the task that it is
of by the truth of tests/async.py? --own: of the program's own file only, whatever the numbers of
tasks without a name, and whichever thread was first: for what several threads do. --none: no event
may have a task. --or-none: one may have none where it should, but not another. Says how many events there were, or where they first differ; status 1 then."""
import ast
import json
import os
import re
import sys

KINDS = {"enter": "=>", "leave": "<="}
SETUP = ("<module>", "run", "hook", "record", "<lambda>")


def read_trace(path):
    threads = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            e = json.loads(line)
            if e["type"] not in KINDS:
                continue
            # A name may be unknown, but not what tells the task.
            if ("task" in e) < ("task_name" in e):
                raise ValueError(f"a name, and no task: {e}")
            yield (threads.setdefault(e["tid"], len(threads)), KINDS[e["type"]], e["file"],
                   e["func"], e.get("task_name", "?" if "task" in e else None))


def read_truth(path):
    with open(path, encoding="utf-8") as f:
        return ast.literal_eval(f.read())


def by_thread(events):
    threads = {}
    for thread, kind, file, func, task in events:
        if func not in SETUP:
            threads.setdefault(thread, []).append((kind, os.path.basename(file), func, task))
    return list(threads.values())


def the_part(thread):
    """From the beginning to the end of the part of the program, if that is in this thread."""
    its = [i for i, e in enumerate(thread) if e[2] in ("one", "eager", "threads")]
    return thread[its[0]:its[-1] + 1] if its else thread


def own(threads):
    plain = [[(k, file, func, task and re.sub(r"^Task-\d+$", "Task-N", task))
              for k, file, func, task in t if file == "async.py"] for t in threads]
    return sorted((t for t in plain if t), key=repr)


def without_unknown(got, wanted):
    return [[w if g[3] is None and g[:3] == w[:3] else g for g, w in zip(a, b)] + a[len(b):]
            for a, b in zip(got, wanted)]


def compare(got, wanted):
    if len(got) != len(wanted):
        return f"{len(got)} threads, not {len(wanted)}"
    for g, w in zip(got, wanted):
        for i, pair in enumerate(zip(g, w)):
            if pair[0] != pair[1]:
                return f"event {i}: got {pair[0]}, not {pair[1]}"
        if len(g) != len(w):
            return f"{len(g)} events, not {len(w)}"
    return None


def main(trace, truth, *options):
    got = [the_part(t) for t in by_thread(read_trace(trace))]
    count = sum(map(len, got))
    if "--none" in options:
        wrong = [e for t in got for e in t if e[3]]
        return wrong and f"{len(wrong)} events of a task", count, 0
    wanted = [the_part(t) for t in by_thread(read_truth(truth))]
    if "--own" in options:
        got, wanted = own(got), own(wanted)
    if "--or-none" in options:
        got = without_unknown(got, wanted)
    tasks = {e[3] for t in wanted for e in t}
    return compare(got, wanted), sum(map(len, got)), len(tasks - {None})


if __name__ == "__main__":
    difference, events, names = main(*sys.argv[1:])
    print(difference or f"{events} events, {names} names")
    sys.exit(1 if difference or not events else 0)
