# SPDX-License-Identifier: GPL-2.0-or-later
"""What Python programs do with calls, each kind of it once and in a fixed order. It runs alike
on 3.9 and 3.15, under a profiler and without: nothing here depends on time, and generators that
are left over have handlers, since a profiler makes CPython close the others in another way."""
import asyncio
import contextlib
import functools
import heapq
import json
import threading


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def numbers(n):
    for i in range(n):
        got = yield i
        if got:
            yield got * 2
    return n


def delegating():
    a = yield from numbers(3)
    b = yield from numbers(a)
    return b


def catching():
    while True:
        try:
            yield 1
        except ValueError:
            yield 2
        except KeyError:
            return


def cleaning():
    try:
        yield 1
    finally:
        fib(1)


def failing():
    yield 1
    raise LookupError


def generators():
    list(numbers(3))
    list(delegating())
    g = numbers(5)
    next(g)
    g.send(7)
    for _ in g:
        pass
    g = catching()
    next(g)
    g.throw(ValueError)
    next(g)
    with contextlib.suppress(StopIteration):
        g.throw(KeyError)
    g = catching()
    with contextlib.suppress(OSError):
        g.throw(OSError)
    for _ in range(3):
        list(numbers(2))
        g = catching()
        with contextlib.suppress(OSError):
            g.throw(OSError)
    g = cleaning()
    next(g)
    g.close()
    with contextlib.suppress(LookupError):
        list(failing())
    sum(i * fib(i) for i in range(3))
    return [fib(i) for i in range(3)], {fib(i) for i in (1, 2)}, {i: fib(i) for i in (1, 2)}


async def inner(n):
    await asyncio.sleep(0)
    return fib(n)


async def ticks(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i


class Resource:
    async def __aenter__(self):
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *args):
        await asyncio.sleep(0)


async def cancelled():
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        fib(1)
        raise


async def outer():
    await inner(2)
    await asyncio.gather(inner(1), inner(2), inner(3))
    async for i in ticks(3):
        fib(i)
    async with Resource():
        fib(1)
    total = [i async for i in ticks(2)]
    task = asyncio.ensure_future(cancelled())
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return total


def raising(n):
    if n == 0:
        raise KeyError(n)
    try:
        return raising(n - 1)
    finally:
        fib(0)


def reraising(n):
    try:
        raising(n)
    except KeyError as e:
        raise RuntimeError from e


def deep(n):
    return deep(n - 1) if n else 1 // 0


def exceptions():
    for f, n in ((raising, 5), (reraising, 3), (deep, 300)):
        try:
            f(n)
        except (KeyError, RuntimeError, ZeroDivisionError):
            fib(1)


class Meta(type):
    def __new__(mcs, name, bases, space):
        return super().__new__(mcs, name, bases, space)

    def __call__(cls, *args):
        return super().__call__(*args)


def decorate(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return f(*args, **kwargs)
    return wrapper


def with_argument(value):
    def decorator(f):
        def wrapper(*args):
            return f(*args), value
        return wrapper
    return decorator


def classes():
    class Thing(metaclass=Meta):
        class Nested:
            size = fib(2)

        def __init__(self, value):
            self.value = value

        def __lt__(self, other):
            return self.value < other.value

        def __getattr__(self, name):
            return fib(1)

        @property
        def double(self):
            return self.value * 2

        @staticmethod
        def static():
            return fib(1)

        @classmethod
        def make(cls):
            return cls(1)

        @decorate
        @with_argument(3)
        def method(self, n):
            return fib(n)

        def __call__(self):
            return self.value

        def __del__(self):
            fib(0)

        def __hash__(self):
            return self.value

        def __eq__(self, other):
            return self.value == other.value

        def __enter__(self):
            return self

        def __exit__(self, *args):
            return True

    things = [Thing(3), Thing(1), Thing(2)]
    things.sort()
    heapq.heapify(things)
    with things[0] as t:
        t.method(2)
        t.missing
        t.double
        t()
        raise ValueError
    Thing.static()
    {Thing.make(): 1}[Thing.make()]
    return len(set(things))


def callbacks():
    sorted([3, 1, 2], key=lambda n: fib(n))
    list(map(fib, [1, 2]))
    list(filter(lambda n: n, [0, 1]))
    functools.reduce(lambda a, b: a + b, [1, 2, 3])
    max([1, 2], key=functools.partial(fib))
    json.dumps({"a": [1, {"b": object()}]}, default=lambda o: str(fib(1)), indent=1)
    json.loads('{"a": 1}', object_hook=lambda o: fib(1))

    @functools.lru_cache(None)
    def cached(n):
        return n if n < 2 else cached(n - 1) + cached(n - 2)

    cached(5)


@contextlib.contextmanager
def managed():
    fib(1)
    try:
        yield
    except ValueError:
        fib(2)


def managers():
    with managed():
        fib(0)
    with managed():
        raise ValueError


def größe_函数():
    return fib(1)


def names():
    größe_函数()
    scope = {"fib": fib}
    for name in ("x" * 300, "generated"):
        exec(compile(f"def {name}(): return fib(1)\n{name}()", "some where/" + name + ".py", "exec"),
             scope)
    odd = fib.__code__.replace(co_name="two\nlines \x1b[31m\u202e\\")
    scope["fib"] = type(fib)(odd, globals())
    scope["fib"](1)
    for i in range(50):
        exec(f"def passing_{i}(): return {i}\npassing_{i}()", scope)


class Worker(threading.Thread):
    def __init__(self, n, before, after):
        super().__init__()
        self.n, self.before, self.after = n, before, after

    def run(self):
        self.before.acquire()
        fib(self.n)
        list(numbers(self.n))
        try:
            raising(self.n)
        except KeyError:
            pass
        self.after.release()


def threads(n):
    gates = [threading.Semaphore(0) for _ in range(n + 1)]
    workers = [Worker(i + 1, gates[i], gates[i + 1]) for i in range(n)]
    for w in workers:
        w.start()
    gates[0].release()
    for w in workers:
        w.join()


def main():
    fib(6)
    generators()
    asyncio.run(outer())
    exceptions()
    classes()
    callbacks()
    managers()
    names()
    threads(4)


main()
