"""Calls of each kind, the same in each run and in each version, of which a profiler's counts are
compared with pyflow's. calls.py [COUNT]: prints nothing, or has cProfile count the calls of the
functions of this file, and prints them: file, function, calls."""
import contextlib
import functools
import sys


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def even(n):
    return n == 0 or odd(n - 1)


def odd(n):
    return n != 0 and even(n - 1)


def count(n):
    for i in range(n):
        yield i


def chain(n):
    yield from count(n)
    yield from (i * i for i in count(n))


class Thing:
    kind = "thing"

    def __init__(self, n):
        self.n = n

    def __lt__(self, other):
        return self.n < other.n

    def __eq__(self, other):
        return self.n == other.n

    @property
    def double(self):
        return 2 * self.n

    @classmethod
    def make(cls, n):
        return cls(n)

    @staticmethod
    def same(n):
        return n


class Other(Thing):
    def __init__(self, n):
        super().__init__(n + 1)


def decorated(function):
    @functools.wraps(function)
    def inner(*args):
        return function(*args)
    return inner


@decorated
def wrapped(n):
    return n + 1


@contextlib.contextmanager
def context():
    yield 1


def fails(n):
    if n:
        fails(n - 1)
    raise ValueError(n)


def catches():
    try:
        fails(5)
    except ValueError:
        return True


async def leaf(n):
    return n


async def branch(n):
    total = 0
    for i in range(n):
        total += await leaf(i)
    return total


def drive(coroutine):
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value


def stop_early():
    generator = count(10)
    next(generator)
    next(generator)
    generator.close()
    thrown = count(3)
    next(thrown)
    try:
        thrown.throw(KeyError("x"))
    except KeyError:
        pass


def work():
    fib(12)
    even(20)
    assert sum(chain(10)) == 45 + 285
    things = sorted([Thing.make(i * 7 % 11) for i in range(11)] + [Other(3)])
    assert things[0].double == 0 and Thing.same(3) == 3
    for i in range(5):
        wrapped(i)
    with context():
        catches()
    assert drive(branch(6)) == 15
    stop_early()
    sorted(range(20), key=lambda n: -n)
    list(map(lambda n: n + 1, range(7)))
    exec("def late(n):\n    return n\nfor i in range(3): late(i)", {})


def main():
    if sys.argv[1:] != ["count"]:
        work()
        return
    import cProfile
    import pstats
    profile = cProfile.Profile()
    profile.runcall(work)
    for (file, _, name), (_, calls, *_) in pstats.Stats(profile).stats.items():
        if file.endswith("calls.py"):
            print("calls.py", name, calls)


main()
