# SPDX-License-Identifier: GPL-2.0-or-later
"""async.py [--truth OUTPUT] PART: tasks, named and not, that await, fail, are cancelled, and call
what is not a coroutine (PART one), begin eagerly (eager), run in several threads (threads). --truth:
Python's own hooks write which task each event was of, by asyncio.current_task(): a Python literal,
(thread, kind, file, function, task) for each, the thread by order of appearance."""
import asyncio
import functools
import sys
import threading


# ---- the program ----

def plain(n):
    return sorted(range(n), key=by_key)


def by_key(n):
    return -n


def numbers(n):
    for i in range(n):
        yield i


def use_generators():
    list(numbers(2))
    for _ in numbers(1):
        plain(1)


class Awaitable:
    def __await__(self):
        yield
        plain(1)
        return 1


async def deep(n):
    if n:
        await asyncio.sleep(0)
        return await deep(n - 1)
    use_generators()
    return await Awaitable()


async def counting(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield plain(i)


async def working(n):
    plain(2)
    await deep(n)
    async for _ in counting(2):
        use_generators()
    return plain(1)


async def failing():
    await asyncio.sleep(0)
    raise KeyError(plain(1))


async def endless():
    try:
        while True:
            await asyncio.sleep(0)
    except asyncio.CancelledError:
        plain(1)
        await deep(1)
        raise
    finally:
        use_generators()


async def renamed(task):
    await asyncio.sleep(0)
    # It is called so from its next step on.
    task.set_name("another name")
    plain(1)


async def short(n):
    plain(n)


def is_done(*_):
    plain(1)


class Task(asyncio.Task):
    def __init__(self, *args, **options):
        plain(1)
        super().__init__(*args, **options)


def own_factory(loop, coro, **options):
    return Task(coro, loop=loop, **options)


async def by_factory(factory):
    loop = asyncio.get_running_loop()
    loop.set_task_factory(factory)
    tasks = [asyncio.create_task(working(1), name="of a factory"), asyncio.create_task(short(1)),
             asyncio.create_task(deep(2), name="another")]
    plain(1)
    await asyncio.gather(*tasks)
    loop.set_task_factory(None)
    plain(1)


async def main():
    loop = asyncio.get_running_loop()
    plain(1)
    loop.call_soon(plain, 2)
    names = ["named", "", "\x7f\n\x1b[1m \\ \"", "na\u00efve", "\u0416\u0437 \u540d\u524d",
             "\U0001f600 face", "x" * 128]
    tasks = [asyncio.create_task(working(i % 3), name=name) for i, name in enumerate(names)]
    tasks += [asyncio.create_task(working(i)) for i in range(3)]
    tasks[0].add_done_callback(is_done)
    loop.call_soon(use_generators)
    failed, cancelled = asyncio.create_task(failing()), asyncio.create_task(endless())
    await asyncio.sleep(0)
    loop.call_soon(plain, 1)
    # What C calls as deep in its stack as a step is, and is none.
    for _ in range(3):
        loop.call_soon(functools.partial(sorted, range(3), key=by_key))
        await asyncio.sleep(0)
    await asyncio.gather(*tasks, renamed(tasks[1]))
    try:
        await failed
    except KeyError:
        plain(1)
    cancelled.cancel()
    try:
        await cancelled
    except asyncio.CancelledError:
        plain(1)
    # Short lives: addresses are used again.
    for i in range(300):
        await asyncio.create_task(short(0), name=f"short {i}" if i % 3 else None)
    await by_factory(own_factory)
    return plain(1)


def one():
    plain(1)
    asyncio.run(main())
    plain(1)
    # Another loop, and without one.
    asyncio.run(short(1))
    plain(1)


def eager():
    plain(1)
    asyncio.run(by_factory(asyncio.eager_task_factory))
    plain(1)


# ---- threads ----

def in_thread():
    plain(2)


async def calling(n):
    plain(n)
    await asyncio.to_thread(in_thread)
    plain(1)


def loop_of(n):
    asyncio.run(calling(n))
    plain(1)


def threads():
    plain(1)
    others = [threading.Thread(target=loop_of, args=(i,)) for i in range(3)]
    for t in others:
        t.start()
        asyncio.run(deep(2))
    for t in others:
        t.join()
    asyncio.run(calling(2))


# ---- the truth ----

def record(events, threads, kind, code):
    if not (code.co_filename == __file__ or "/asyncio/" in code.co_filename):
        return
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    thread = threads.setdefault(threading.get_native_id(), len(threads))
    events.append((thread, kind, code.co_filename, code.co_name, task and task.get_name()))


def hook(events):
    monitoring = sys.monitoring
    kinds = monitoring.events
    threads = {}
    monitoring.use_tool_id(2, "async")
    chosen = 0
    for kind, mark in ((kinds.PY_START, "=>"), (kinds.PY_RESUME, "=>"), (kinds.PY_THROW, "=>"),
                       (kinds.PY_RETURN, "<="), (kinds.PY_YIELD, "<="), (kinds.PY_UNWIND, "<=")):
        monitoring.register_callback(
            2, kind, lambda code, *_, mark=mark: record(events, threads, mark, code))
        chosen |= kind
    monitoring.set_events(2, chosen)


def run(words):
    events = []
    if words[0] == "--truth":
        hook(events)
        globals()[words[2]]()
        sys.monitoring.set_events(2, 0)
        with open(words[1], "w", encoding="utf-8") as f:
            f.write(repr(events))
    else:
        globals()[words[0]]()


if __name__ == "__main__":
    run(sys.argv[1:])
