# SPDX-License-Identifier: GPL-2.0-or-later
"""truth.py [--late] [--wait FIFO] OUTPUT PROGRAM: run PROGRAM under Python's own hooks
(sys.monitoring, or where there is none a profile function) and write the events of all files that
match PATTERNS, in the form of tests/events.py as a Python literal. With - for OUTPUT it just runs
PROGRAM in the same way.

--late: the hooks begin when PROGRAM calls begin(), not before.
--wait: without hooks, and at that point, it says "ready" and waits for somebody to open FIFO.

PROGRAM finds these names: HOOKED, begin(), begin_thread() to be called first by a thread that is
there before begin(), and interpreter_begins() and interpreter_ends()."""
import ast
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from events import escape  # noqa: E402

PATTERNS = ("/program.py", "/deep.py", "/json/", "/heapq.py", "/functools.py", "/contextlib.py",
            "some where/")

events = []
chosen = {}


def record(kind, code, line, how=""):
    name = code.co_filename
    if name not in chosen:
        chosen[name] = any(p in name for p in PATTERNS)
    if chosen[name]:
        events.append((threading.get_native_id(), kind, name, code.co_name, line, how))


# ---- 3.12 and later ----

def use_monitoring():
    monitoring = sys.monitoring
    kinds = monitoring.events

    def hook(kind, how=""):
        def called(code, *args):
            record(kind, code, sys._getframe(1).f_lineno, how)
        return called

    monitoring.use_tool_id(2, "truth")
    for event in (kinds.PY_START, kinds.PY_RESUME):
        monitoring.register_callback(2, event, hook("=>"))
    monitoring.register_callback(2, kinds.PY_THROW, hook("=>", "throw"))
    monitoring.register_callback(2, kinds.PY_RETURN, hook("<=", "return"))
    monitoring.register_callback(2, kinds.PY_YIELD, hook("<=", "yield"))
    monitoring.register_callback(2, kinds.PY_UNWIND, hook("<=", "raise"))
    monitoring.set_events(2, kinds.PY_START | kinds.PY_RESUME | kinds.PY_THROW |
                          kinds.PY_RETURN | kinds.PY_YIELD | kinds.PY_UNWIND)


def stop_monitoring():
    sys.monitoring.set_events(2, 0)


# ---- before it ----

# A function of sys.setprofile() gets None for what is returned, and for an exception: the function
# in C behind it gets NULL for the second. What is left is whether a generator's value is its last.

CO_GENERATORS = 0x20 | 0x80 | 0x200
PROFILE_CALL, PROFILE_RETURN = 0, 3


def how_left(code, instruction):
    import opcode
    if not code.co_flags & CO_GENERATORS:
        return "return"
    here = opcode.opname[code.co_code[instruction]]
    return "return" if here == "RETURN_VALUE" else "yield"


# 3.11 has no call event for a generator that goes on after throw() was caught, and answered by a
# return, in another one that it delegates to (gen_send_ex() in _gen_throw(): it goes on behind the
# RESUME). It is seen by what it does next. It goes on in the line where it was left.

suspended = {}      # frames of generators, by id(): where they were left


def goes_on(frame):
    line, _ = suspended.pop(id(frame))
    if sys.version_info[:2] == (3, 11):
        record("=>", frame.f_code, line)


def entered(frame):
    caller = frame.f_back
    # While throw() looks for the innermost, the others are its callers, and do not run.
    if id(caller) in suspended and suspended[id(caller)][1] != caller.f_lasti:
        goes_on(caller)
    suspended.pop(id(frame), None)
    record("=>", frame.f_code, frame.f_lineno)


def left(frame, how):
    if id(frame) in suspended:
        goes_on(frame)
    record("<=", frame.f_code, frame.f_lineno, how)
    if how == "yield":
        suspended[id(frame)] = frame.f_lineno, frame.f_lasti


def profile_function():
    import ctypes

    def hook(_, frame, event, value):
        if event == PROFILE_CALL:
            entered(frame)
        elif event == PROFILE_RETURN:
            left(frame, how_left(frame.f_code, frame.f_lasti) if value else "raise")
        return 0

    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.py_object, ctypes.c_int,
                            ctypes.c_void_p)
    set_profile = ctypes.pythonapi.PyEval_SetProfile
    set_profile.argtypes = [kind, ctypes.py_object]
    function = kind(hook)
    return lambda: set_profile(function, None)


def use_profile():
    hook_thread[0] = hook_thread[0] or profile_function()
    # Called in each new thread, once: then it is the other one's turn.
    threading.setprofile(first_of_thread)
    hook_thread[0]()


hook_thread = [None]


def first_of_thread(frame, event, arg):
    hook_thread[0]()
    if event == "call":
        entered(frame)


def stop_profile():
    threading.setprofile(None)
    sys.setprofile(None)


if hasattr(sys, "monitoring"):
    use_hooks, stop_hooks = use_monitoring, stop_monitoring
else:
    use_hooks, stop_hooks = use_profile, stop_profile


# ---- interpreters: each has its own hooks, and its own list ----

def interpreter_begins(exec_in, number):
    exec_in(number, f"import sys; sys.path.insert(0, {sys.path[0]!r}); import truth; "
                    "truth.use_hooks()")


def interpreter_ends(exec_in, number):
    reader, writer = os.pipe()
    exec_in(number, f"truth.write_events({writer})")
    with open(reader, encoding="utf-8") as f:
        events.extend(ast.literal_eval(f.read()))


def write_events(fd):
    stop_hooks()
    with open(fd, "w", encoding="utf-8") as f:
        f.write(repr(events))


# ---- the program ----

def with_depth():
    depths = {}
    for tid, kind, file, name, line, how in events:
        # What was there before the hooks can still return.
        if kind == "<=":
            depths[tid] = max(depths.get(tid, 0) - 1, 0)
        yield tid, kind, depths.get(tid, 0), f"{escape(file)}:{escape(name)}:{line}", how
        if kind == "=>":
            depths[tid] = depths.get(tid, 0) + 1


def nothing(*args):
    pass


def wait(fifo):
    print("ready", flush=True)
    fd = os.open(fifo, os.O_RDONLY)
    os.read(fd, 1)
    os.close(fd)


def options(words):
    late = words[0] == "--late"
    words = words[late:]
    fifo = None
    if words[0] == "--wait":
        fifo = words[1]
        words = words[2:]
    return (late, fifo, *words)


def begin_thread():
    """Without threads of our own before it, monitoring is all the interpreter's."""
    if not hasattr(sys, "monitoring"):
        hook_thread[0] = hook_thread[0] or profile_function()
        hook_thread[0]()


def main():
    late, fifo, output, path = options(sys.argv[1:])
    hooked = output != "-"
    sys.argv = [path]
    # So that nothing is imported for the first time inside of what is compared.
    import asyncio, contextlib, functools, heapq, json, threading  # noqa: E401, F401
    with open(path, encoding="utf-8") as f:
        code = compile(f.read(), path, "exec")
    begin = use_hooks if hooked else (lambda: wait(fifo)) if fifo else nothing
    space = {"__name__": "__main__", "__file__": path, "__builtins__": __builtins__,
             "HOOKED": hooked, "begin": begin,
             "begin_thread": begin_thread if hooked else nothing,
             "interpreter_begins": interpreter_begins if hooked else nothing,
             "interpreter_ends": interpreter_ends if hooked else nothing}
    if not late:
        begin()
    try:
        exec(code, space)
    finally:
        if hooked:
            stop_hooks()
    if hooked:
        with open(output, "w", encoding="utf-8") as f:
            f.write(repr(list(with_depth())))


if __name__ == "__main__":
    main()
