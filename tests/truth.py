# SPDX-License-Identifier: GPL-2.0-or-later
"""truth.py OUTPUT PROGRAM: run PROGRAM under Python's own hooks (sys.monitoring, or where there
is none sys.setprofile) and write the events of all files that match PATTERNS, in the form of
tests/events.py as a Python literal. With - for OUTPUT it just runs PROGRAM in the same way."""
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from events import escape  # noqa: E402

PATTERNS = ("/program.py", "/json/", "/heapq.py", "/functools.py", "/contextlib.py", "some where/",
            "<string>")

events = []
depths = {}


def record(tid, kind, code, line):
    if any(p in code.co_filename for p in PATTERNS):
        events.append((tid, kind, code.co_filename, code.co_name, line))


def use_monitoring():
    monitoring = sys.monitoring
    kinds = monitoring.events

    def hook(kind):
        def called(code, *args):
            record(threading.get_ident(), kind, code, sys._getframe(1).f_lineno)
        return called

    monitoring.use_tool_id(2, "truth")
    for event in (kinds.PY_START, kinds.PY_RESUME, kinds.PY_THROW):
        monitoring.register_callback(2, event, hook("=>"))
    for event in (kinds.PY_RETURN, kinds.PY_YIELD, kinds.PY_UNWIND):
        monitoring.register_callback(2, event, hook("<="))
    monitoring.set_events(2, kinds.PY_START | kinds.PY_RESUME | kinds.PY_THROW |
                          kinds.PY_RETURN | kinds.PY_YIELD | kinds.PY_UNWIND)
    return lambda: monitoring.set_events(2, 0)


def use_profile():
    def hook(frame, event, arg):
        if event in ("call", "return"):
            record(threading.get_ident(), "=>" if event == "call" else "<=", frame.f_code,
                   frame.f_lineno)

    threading.setprofile(hook)
    sys.setprofile(hook)
    return lambda: sys.setprofile(None)


def with_depth():
    for tid, kind, file, name, line in events:
        if kind == "<=":
            depths[tid] -= 1
        yield tid, kind, depths.get(tid, 0), f"{escape(file)}:{escape(name)}:{line}"
        if kind == "=>":
            depths[tid] = depths.get(tid, 0) + 1


def main():
    output, path = sys.argv[1:]
    sys.argv = [path]
    # So that nothing is imported for the first time inside of what is compared.
    import asyncio, contextlib, functools, heapq, json, threading  # noqa: E401, F401
    with open(path, encoding="utf-8") as f:
        code = compile(f.read(), path, "exec")
    space = {"__name__": "__main__", "__file__": path, "__builtins__": __builtins__}
    if output == "-":
        exec(code, space)
        return
    stop = use_monitoring() if hasattr(sys, "monitoring") else use_profile()
    try:
        exec(code, space)
    finally:
        stop()
    with open(output, "w", encoding="utf-8") as f:
        f.write(repr(list(with_depth())))


main()
