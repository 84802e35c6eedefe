# SPDX-License-Identifier: GPL-2.0-or-later
"""What the Pythons of job.test do, by their own hooks, and how a trace compares with it.

    import truth_of_job; truth_of_job.use(FOLDER)

in each process, before job.py: each thread writes its events of job.py to FOLDER/PID.TID as they
happen, so it does not matter how it ends, or what it becomes.

    truth_of_job.py [--unmarked=VERSION] TRACE FOLDER

compares them (of several such folders in FOLDER, in the order of their names), thread by thread,
each known by the functions is_*() that it calls: processes, threads, kind, depth, function, line,
order, and how a function was left; that not for a Python whose source cannot tell. Says how many
events there were, or where they first differ; status 1.

    truth_of_job.py --begins TRACE FORKS ALONE=COUNT...

Are all events of a Python up to its first module in the TRACE of the whole job, as they are in that
of the same Python ALONE: at the beginning of so many processes, or behind the last event before an
exec? But for so many FORKS, no process begins otherwise. And has each line its place in a tree?"""
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from events import LINE, parse  # noqa: E402

FILE = "job.py"
VERSION = "%d.%d" % sys.version_info[:2]


# ---- in the process ----

folder = None
files = {}      # (PID, TID): descriptor
depths = {}     # by TID
forking = []


def record(kind, code, line, how=""):
    if os.path.basename(code.co_filename) != FILE:
        return
    tid = threading.get_native_id()
    key = os.getpid(), tid
    if key not in files:
        files[key] = os.open(os.path.join(folder, "%d.%d" % key),
                             os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    # What was there before the hooks can still return.
    if kind == "<=":
        depths[tid] = max(depths.get(tid, 0) - 1, 0)
    words = kind, str(depths.get(tid, 0)), f"{FILE}:{code.co_name}:{line}", how, VERSION
    os.write(files[key], ("|".join(words) + "\n").encode())
    if kind == "=>":
        depths[tid] = depths.get(tid, 0) + 1


def forks():
    forking[:] = [threading.get_native_id()]


def has_been_forked():
    depths[threading.get_native_id()] = depths.get(forking[0], 0)


def use(where):
    global folder
    import truth
    folder = where
    truth.record = record
    os.register_at_fork(before=forks, after_in_child=has_been_forked)
    truth.use_hooks()


# ---- comparing ----

def traced(path):
    """{PID: {TID: [(kind, depth, what, how)]}}, files without their folders."""
    pids = {}
    with open(path, encoding="utf-8", newline="\n") as f:
        heads = [m.groups() for m in map(LINE.match, f) if m]
    for (_, _, pid, _), (tid, kind, depth, what, how) in zip(heads, parse(path)):
        event = kind, depth, os.path.basename(what) if FILE in what else what, how
        pids.setdefault(int(pid), {}).setdefault(tid, []).append(event)
    return pids


def recorded(where):
    """The same, with versions. A process that has become another Python has a file in each."""
    pids = {}
    for each in sorted(os.listdir(where)):
        for name in os.listdir(os.path.join(where, each)):
            pid, tid = map(int, name.split("."))
            with open(os.path.join(where, each, name), encoding="utf-8") as f:
                for line in f:
                    kind, depth, what, how, version = line.rstrip("\n").split("|")
                    event = kind, int(depth), what, how, version
                    pids.setdefault(pid, {}).setdefault(tid, []).append(event)
    return pids


def roles(events):
    return tuple(e[2].split(":")[1][3:] for e in events
                 if e[0] == "=>" and e[2].startswith(f"{FILE}:is_"))


def by_roles(pids):
    """{roles of a thread: its events}, and {roles of a process: those of its threads}."""
    threads, processes = {}, {}
    for pid, its in pids.items():
        names = {tid: roles(events) for tid, events in its.items()}
        for tid, events in its.items():
            key = names[tid]
            if key in threads:
                fail(f"there is more than one thread {key}")
            threads[key] = events
        processes[names.get(pid)] = sorted(names.values())
    return threads, processes


def fail(*words):
    print(*words)
    sys.exit(1)


def show(who, got, wanted):
    i = next((i for i, (g, w) in enumerate(zip(got, wanted)) if g != w), min(len(got), len(wanted)))
    print(f"{who}: {len(got)} events traced, {len(wanted)} true; the first difference is at {i}:")
    for j in range(max(0, i - 5), i + 6):
        print("  traced", *(got[j] if j < len(got) else ("nothing",)))
        if got[j:j + 1] != wanted[j:j + 1]:
            print("  true  ", *(wanted[j] if j < len(wanted) else ("nothing",)))
    sys.exit(1)


def as_traced(event, unmarked):
    """A true event in the form of the trace."""
    kind, depth, what, how, version = event
    return kind, depth, what, "" if kind == "=>" or version == unmarked or how == "return" else how


def compare(trace, where, unmarked):
    got, got_processes = by_roles(traced(trace))
    wanted, wanted_processes = by_roles(recorded(where))
    for who in sorted(wanted):
        true = [as_traced(event, unmarked) for event in wanted[who]]
        if got.get(who, []) != true:
            show(who, got.get(who, []), true)
    if got_processes != wanted_processes:
        fail("processes traced:", got_processes, "true:", wanted_processes)
    if len(got) != len(wanted) or not wanted:
        fail(f"{len(got)} threads traced, {len(wanted)} true")
    print(sum(map(len, wanted.values())), "events of", len(wanted), "threads in",
          len(wanted_processes), "processes are equal")


# ---- how Pythons begin ----

def is_first_module(event):
    file, name, _ = event[2].rsplit(":", 2)
    return name == "<module>" and os.path.basename(file) in (FILE, "run.py", "<string>")


def beginning(path):
    """Up to the first module, of a Python alone: its only thread so far."""
    its = [thread for threads in traced(path).values() for thread in threads.values()]
    events = next((t for t in its if any(map(is_first_module, t))), [])
    if not events:
        fail(f"{path}: no module")
    return events[:next(i for i, e in enumerate(events) if is_first_module(e)) + 1]


def check_tree(who, events):
    """Each return is that of the call above it. A forked thread begins where its parent was."""
    calls = [None] * events[0][1]
    for kind, depth, what, _ in events:
        name = what.rsplit(":", 1)[0]
        if kind == "<=" and len(calls) > depth:
            if calls[depth] not in (name, None):
                fail(f"{who}: {what} returns, and {calls[depth]} was called")
        elif kind == "<=" or depth > len(calls):
            fail(f"{who}: {kind} {what} at depth {depth}, below {len(calls)}")
        calls[depth:] = [name] if kind == "=>" else []


def begins(trace, forks, *words):
    alone = {}
    for word in words:
        path, count = word.rsplit("=", 1)
        alone[path] = beginning(path), int(count)
    seen = dict.fromkeys(alone, 0)
    without, total = [], 0
    for pid, threads in traced(trace).items():
        events = threads.get(pid, [])
        total += sum(map(len, threads.values()))
        for tid, its in threads.items():
            check_tree((pid, tid), its)
        # What an exec has made of it begins at depth 0, in the middle of what it was.
        places = [i for i, e in enumerate(events) if i == 0 or
                  (e[1] == 0 and e[0] == "=>" and events[i - 1][:2] != ("<=", 0))]
        found = 0
        for i in places:
            for path, (wanted, _) in alone.items():
                if events[i:i + len(wanted)] == wanted:
                    seen[path] += 1
                    found += 1
                    break
        if not found:
            without.append((pid, roles(events), events[:3]))
    for path, (wanted, count) in alone.items():
        if seen[path] != count:
            print(f"{path}: {len(wanted)} events are at the beginning of {seen[path]} Pythons, "
                  f"and should of {count}; processes without any:", *without, sep="\n")
            sys.exit(1)
    if len(without) != int(forks):
        fail("processes without a beginning:", *without)
    print(sum(seen.values()), "Pythons begin with", sum(len(w) * n for w, n in alone.values()),
          "events as they do alone;", total, "in all")


def main():
    words = sys.argv[1:]
    if words[0] == "--begins":
        begins(*words[1:])
        return
    unmarked = words.pop(0).split("=")[1] if words[0].startswith("--unmarked=") else None
    compare(*words, unmarked)


if __name__ == "__main__":
    main()
