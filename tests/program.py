# SPDX-License-Identifier: GPL-2.0-or-later
"""What Python programs do with calls, each kind of it once and in a fixed order. It runs alike
on 3.8 and 3.15, under a profiler and without: nothing here depends on time or on the collector,
and generators that are left over have handlers, since a profiler makes CPython close the others in
another way. How deep a recursion gets before it fails does depend on the profiler: what is in
"some where/recursion.py" counts itself, and is done only where truth.py's hooks are not.

Of truth.py, which runs it, are the names HOOKED (are there hooks?) and interpreter_begins() and
interpreter_ends(), since hooks are an interpreter's own."""
import asyncio
import contextlib
import functools
import gc
import heapq
import json
import sys
import threading
import warnings


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


def stubborn():
    try:
        yield 1
    except GeneratorExit:
        fib(1)
        yield 2


def leaving():
    try:
        yield 1
    except GeneratorExit:
        return


def around(inside):
    try:
        return (yield from inside())
    except LookupError:
        yield "around"
    finally:
        fib(0)


def around_twice(inside):
    try:
        yield from around(inside)
    finally:
        fib(0)


def endings(make):
    """Throw and close in all forms, at each place of a generator's life."""
    for error in (ValueError, ValueError("x"), KeyError, LookupError("x"), OSError, GeneratorExit):
        for steps in (0, 1, 2, 9):
            g = make()
            for _ in range(steps):
                next(g, None)
            with contextlib.suppress(Exception, GeneratorExit):
                g.throw(error)
                next(g)
                g.throw(error)
            with contextlib.suppress(RuntimeError):
                g.close()
            g.close()
    g = make()
    next(g)
    with contextlib.suppress(ValueError):
        g.throw(ValueError, "three", None)
    with contextlib.suppress(StopIteration, ValueError, TypeError):
        g.send(1)
    with contextlib.suppress(RuntimeError):
        g.close()
    make().close()
    g = make()
    with contextlib.suppress(TypeError):
        g.send("too early")
    next(g)
    del g   # Its end closes it.


def running_itself():
    with contextlib.suppress(ValueError):
        next(itself[0])
    yield 1


itself = []


def thrown_into():
    for make in (catching, cleaning, leaving, stubborn):
        endings(make)
        endings(lambda: around(make))
        endings(lambda: around_twice(make))
    itself.append(running_itself())
    list(itself[0])
    itself.clear()


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


async def echo(n):
    got = None
    try:
        while n:
            n -= 1
            try:
                got = yield got
            except ValueError:
                await asyncio.sleep(0)
                got = "caught"
    finally:
        await asyncio.sleep(0)
        fib(1)


async def stubborn_ticks():
    try:
        yield 1
    except GeneratorExit:
        await asyncio.sleep(0)
        yield 2


async def async_generators():
    g = echo(9)
    await g.asend(None)
    await g.asend(1)
    await g.athrow(ValueError)
    await g.__anext__()
    await g.aclose()
    await g.aclose()
    await echo(1).aclose()
    for error in (KeyError, ValueError("x"), StopAsyncIteration, GeneratorExit):
        for steps in (0, 1, 2):
            g = echo(2)
            for _ in range(steps):
                await g.__anext__()
            with contextlib.suppress(Exception, GeneratorExit):
                await g.athrow(error)
                await g.asend(None)
                await g.athrow(error)
            await g.aclose()
    g = stubborn_ticks()
    await g.asend(None)
    with contextlib.suppress(RuntimeError):
        await g.aclose()
    return [i + j async for i in ticks(2) async for j in ticks(i) if await inner(1)]


class Steps:
    """What can be awaited: written by hand, and stepped by hand."""
    def __init__(self, n):
        self.n = n

    def __await__(self):
        try:
            for i in range(self.n):
                yield i
        finally:
            fib(0)
        return self.n


async def stepping(n):
    try:
        return await Steps(n) + await Steps(n - 1)
    except LookupError:
        return await Steps(1)
    finally:
        fib(1)


def coroutines():
    for n in range(1, 5):
        c = stepping(2)
        with contextlib.suppress(StopIteration, LookupError):
            for _ in range(n):
                c.send(None)
            c.throw(KeyError)
            c.send(None)
        c.close()
        c.close()
    c = stepping(1)
    with contextlib.suppress(OSError):
        c.throw(OSError)
    c = stepping(3)
    c.send(None)
    c.close()
    stepping(1).close()


async def outer():
    await async_generators()
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


def deep_again(n):
    try:
        return deep_again(n - 1) if n else 1 // 0
    except ZeroDivisionError:
        raise


def deep_other(n):
    try:
        return deep_other(n - 1) if n else 1 // 0
    except ZeroDivisionError as e:
        raise e
    finally:
        n += 1


def deep_through_c(n):
    return list(map(deep_through_c, [n - 1])) if n else 1 // 0


def deep_generator(n):
    yield n
    if not n:
        raise ValueError
    yield from deep_generator(n - 1)


def deep_caught(n):
    """Caught in the midst of it."""
    try:
        return deep_caught(n - 1) if n else 1 // 0
    except ZeroDivisionError:
        if n % 7:
            raise
    return 1 // n


class Swallow:
    def __enter__(self):
        return self

    def __exit__(self, kind, *args):
        return kind is not None and issubclass(kind, LookupError)


def swallowing(n):
    for _ in range(2):
        with Swallow():
            raising(n)
        with contextlib.suppress(OSError), Swallow(), contextlib.suppress(ValueError):
            raising(n)
    with Swallow():
        with Swallow():
            1 // 0


def loops():
    for i in range(4):
        try:
            if i == 1:
                continue
            if i == 2:
                raising(1)
            if i == 3:
                return fib(i)
        except KeyError:
            continue
        finally:
            fib(i)


def exceptions():
    for f, n in ((raising, 5), (reraising, 3), (deep, 300), (raising, 300), (deep_again, 300),
                 (deep_other, 300), (deep_through_c, 100), (deep_caught, 300), (swallowing, 3)):
        try:
            f(n)
        except (KeyError, RuntimeError, ZeroDivisionError):
            fib(1)
    try:
        list(deep_generator(100))
    except ValueError:
        fib(1)
    loops()


class Trying:
    """What C code asks for, and makes nothing of the answer that it is none."""
    def __init__(self, n):
        self.n = n

    @property
    def missing(self):
        return self.lost(self.n)

    def lost(self, n):
        if n == 0:
            raise AttributeError
        return self.lost(n - 1)

    def __lt__(self, other):
        raise ValueError

    def __eq__(self, other):
        raise LookupError

    def __hash__(self):
        return 1

    def __len__(self):
        raise TypeError

    def __length_hint__(self):
        raise TypeError

    def __iter__(self):
        return self

    def __next__(self):
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n

    def __index__(self):
        raise OverflowError

    def __del__(self):
        raise OSError


class Asking(Trying):
    def __getattr__(self, name):
        return self.lost(1)


def unheard(args):
    fib(1)


def last(values):
    return values.pop()     # At the end an IndexError, which __getitem__() passes on.


class Sequence:
    def __init__(self):
        self.values = [1, 2, 3]

    def __getitem__(self, i):
        return last(self.values)

    def __contains__(self, value):
        raise LookupError


def stopping(n):
    if n == 2:
        raise StopIteration
    return n


def swallowed_by_c():
    for i in range(3):
        getattr(Trying(i), "missing", None)
        hasattr(Trying(i), "missing")
        hasattr(Asking(i), "missing")
        getattr(Asking(i), "nothing", None)
        next(Trying(i), None)
        list(Trying(i))
        tuple(map(stopping, range(4)))
        list(Sequence())
        for _ in Trying(i):
            fib(i)
        [a for a in Trying(i)]
        next(filter(stopping, [0, 2]), None)
        list(iter(functools.partial(stopping, 2), None))
        list(a for a in Trying(i))
        list(zip(numbers(i), Trying(i)))
        a, *b = Trying(2)
    for f in (lambda: sorted([Trying(1), Trying(2)]), lambda: {Trying(1): 1}[Trying(2)],
              lambda: Trying(1) in [Trying(2)], lambda: [1, 2][Trying(1)], lambda: len(Trying(1)),
              lambda: 1 in Sequence(), lambda: min(Trying(1), Trying(2)),
              lambda: sum(stopping(i) for i in range(3)), lambda: ",".join(map(deep, [3])),
              lambda: max([1, 2], key=deep), lambda: functools.reduce(deep, [1, 2]),
              lambda: sorted([2, 1], key=functools.cmp_to_key(lambda a, b: deep(1))),
              lambda: json.dumps(object(), default=deep), lambda: {*failing()}):
        try:
            f()
        except Exception as e:
            stopping(type(e).__name__)


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


class Hot:
    """What CPython specializes when it has been done often enough, among it calls."""
    kept = 0

    def __init__(self, n):
        self.n = n
        if n % 11 == 10:
            raise LookupError

    @property
    def double(self):
        if self.n % 13 == 12:
            raise LookupError
        return self.n * 2

    def __getitem__(self, i):
        return self.method(i)

    def method(self, i, *more, key=None):
        if i % 17 == 16:
            raise LookupError
        return i

    def __lt__(self, other):
        return self.n < other.n

    def __add__(self, other):
        return Cold(self.n + other)


class Cold(Hot):
    def __init__(self, n):
        super().__init__(0)

    def method(self, i, *more, key=None):
        return super().method(i, *more, key=key)


class Slotted:
    __slots__ = ("n",)

    def __getattribute__(self, name):
        return fib(1)


def hot(i):
    thing = Hot(i)
    cold = thing + 1
    slotted = Slotted()
    return (thing.double, thing[i], cold[i], thing < cold, cold.method(i, 1, key=2), slotted.n,
            thing.method(*(i,), **{"key": 1}))


async def hot_async(i):
    return await inner_hot(i)


async def inner_hot(i):
    if i % 19 == 18:
        raise LookupError
    return i


def hot_numbers(n):
    for i in range(n):
        yield i
    yield from numbers(n)


def specialized():
    for i in range(150):
        try:
            hot(i)
        except LookupError:
            fib(1)
        try:
            hot_async(i).send(None)
        except (StopIteration, LookupError):
            pass
    for i in hot_numbers(80):
        for j in hot_numbers(2):
            pass
        a, b = numbers(2)
        -1 in numbers(2)


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


def some_where(name, source, scope):
    exec(compile(source, "some where/" + name + ".py", "exec"), scope)
    return scope


WIDE = """
def f(n):
    return [g(i) for i in (n, 2)]

def g(n):
    return n
"""


def names():
    größe_函数()
    scope = {"fib": fib}
    for name in ("x" * 300, "generated"):
        some_where(name, f"def {name}(): return fib(1)\n{name}()", scope)
    # The three widths of characters.
    for name in ("déjà_vu", "函数", "𝐟𝐮𝐧"):
        made = some_where(name, WIDE, {})
        type(fib)(made["f"].__code__.replace(co_name=name), made)(1)
        made = some_where("plain", WIDE, {})
        type(fib)(made["f"].__code__.replace(co_name=name), made)(1)
    odd = fib.__code__.replace(co_name="two\nlines \x1b[31m\u202e\\")
    scope["fib"] = type(fib)(odd, globals())
    scope["fib"](1)
    for i in range(300):
        some_where("passing", f"def passing_{i}(): return {i}\npassing_{i}()", scope)


MATCH = """
class Point:
    __match_args__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __eq__(self, other):
        return fib(self.x) == other

class Odd(Point):
    @property
    def z(self):
        raise AttributeError

def where(p):
    match p:
        case Odd(z=0):
            return 0
        case Point(0, y) if y > fib(2):
            return y
        case Point(
            x=1,
            y=[a, *_],
        ):
            return a
        case {"k": v, **rest}:
            return fib(v)
        case _:
            return fib(0)

for p in (Point(0, 2), Point(0, 0), Point(1, [2]), {"k": 2}, Odd(1, 1), 7):
    where(p)
"""


def with_arguments(*values,
                   more=None):
    return values


@with_argument(
    fib(
        2
    )
)
@decorate
def spread(
    a,
    b=fib(1),
):
    return with_arguments(
        fib(a),
        fib(
            b
        ),
        more=fib(
            0
        ),
    )


def nested(n):
    def inside(m):
        def innermost():
            nonlocal n
            n += 1
            return n + m
        return innermost
    return (lambda m: inside(m)() +
            (lambda: fib(m))())(n)


def lines():
    spread(
        1
    )
    nested(2)
    (
        fib
        (1)
    )
    [
        fib(i)
        for i in range(2)
        if fib(
            i
        ) or
        fib(0)
    ]
    return [[fib(i + j) for i in range(2)] for j in (
        lambda: range(2))()], {(i, j) for i in numbers(2) for j in numbers(i)}


RECURSION = """
calls = 0

def endless(n):
    global calls
    calls += 1
    return endless(n + 1) + 1

def in_c(n):
    global calls
    calls += 1
    return list(map(in_c, [n + 1]))

def in_generators(n):
    global calls
    calls += 1
    yield from in_generators(n + 1)

def in_key(n):
    global calls
    calls += 1
    return sorted([n + 1], key=in_key)

def caught(f):
    global calls
    calls = 0
    try:
        f()
    except RecursionError:
        pass
    name = f"counted_{calls}"
    space = {}
    exec(compile(f"def {name}(): pass", "some where/recursion.py", "exec"), space)
    space[name]()

for f in (lambda: endless(0), lambda: in_c(0), lambda: list(in_generators(0)), lambda: in_key(0)):
    caught(f)
"""


INTERPRETER = """
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

def numbers(n):
    for i in range(n):
        try:
            yield i
        except ValueError:
            yield fib(i)

def deep(n):
    return deep(n - 1) if n else 1 // 0

fib(5)
list(numbers(3))
g = numbers(2)
next(g)
g.throw(ValueError)
g.close()
sorted([3, 1, 2], key=lambda n: -n)
try:
    deep(20)
except ZeroDivisionError:
    fib(3)
"""


def interpreter(api, exec_in, source):
    """Code of a file of its own, in an interpreter of its own, on this thread."""
    number = api.create()
    interpreter_begins(exec_in, number)
    # What goes beyond this is printed by Python code, after some imports.
    exec_in(number, f"try: exec(compile({source!r}, 'some where/interpreter.py', 'exec'), {{}})\n"
                    "except ZeroDivisionError: pass")
    interpreter_ends(exec_in, number)
    api.destroy(number)


def interpreters():
    if sys.version_info >= (3, 13):
        import _interpreters as api
        exec_in = api.exec
    elif sys.version_info >= (3, 12):
        import _xxsubinterpreters as api
        exec_in = api.run_string
    else:
        return
    interpreter(api, exec_in, INTERPRETER)
    interpreter(api, exec_in, INTERPRETER + "deep(3)")
    for _ in range(2):
        t = threading.Thread(target=interpreter, args=(api, exec_in, INTERPRETER))
        t.start()
        t.join()


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
    gc.disable()
    warnings.simplefilter("ignore")
    sys.unraisablehook = unheard
    fib(6)
    generators()
    thrown_into()
    coroutines()
    asyncio.run(outer())
    exceptions()
    swallowed_by_c()
    classes()
    specialized()
    callbacks()
    managers()
    names()
    if sys.version_info >= (3, 10):
        some_where("match", MATCH, {"fib": fib})
    lines()
    if not HOOKED:
        exec(compile(RECURSION, "some where/recursion.py", "exec"), {})
    interpreters()
    threads(4)


main()
