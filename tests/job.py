# SPDX-License-Identifier: GPL-2.0-or-later
"""job.py ROLE [WORD...]: a part of a job that is many Pythons in many processes, see job.test.
What it calls is the same each time, and each process and thread says who it is by a function of
that name. It knows nothing of who is looking: see truth_of_job.py."""
import contextlib
import os
import signal
import sys
import threading


def identify(name):
    space = {}
    exec(compile(f"def is_{name}(): pass", sys._getframe().f_code.co_filename, "exec"), space)
    space[f"is_{name}"]()


# ---- work: calls, generators, exceptions; it ends where it began ----

def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def numbers(n):
    try:
        for i in range(n):
            try:
                yield fib(i % 3)
            except KeyError:
                yield -1
    finally:
        fib(0)


def delegating(n):
    yield from numbers(n)
    return (yield from (fib(i) for i in range(2)))


def unwinding(n):
    if not n:
        raise LookupError(n)
    try:
        return unwinding(n - 1)
    finally:
        fib(0)


@contextlib.contextmanager
def managed():
    try:
        yield fib(1)
    except LookupError:
        fib(2)


class Value:
    def __init__(self, value):
        self.value = value

    def __lt__(self, other):
        return self.value < other.value

    def __del__(self):
        fib(0)


class Once:
    def __await__(self):
        got = yield fib(1)
        return got


async def waiting():
    return await Once()


def generators(n):
    list(delegating(n))
    g = numbers(3)
    next(g)
    g.throw(KeyError)
    g.close()
    g = numbers(2)
    next(g)
    with contextlib.suppress(OSError):
        g.throw(OSError)
    coroutine = waiting()
    coroutine.send(None)
    with contextlib.suppress(StopIteration):
        coroutine.send(n)


def work(n):
    for i in range(n + 3):
        fib(5)
        generators(i % 4)
        with managed():
            unwinding(3)
        with contextlib.suppress(LookupError):
            list(map(unwinding, [2]))
        sorted(Value(-j) for j in range(3))
        sorted(range(3), key=lambda j: -j)


# ---- threads ----

def in_threads(name, n):
    """They work at the same time; one more will not have ended when the process does."""
    barrier = threading.Barrier(n + 1)

    def runs(i):
        identify(f"{name}_thread_{i}")
        barrier.wait()
        work(i)

    def waits():
        identify(f"{name}_waiting")
        barrier.wait()
        lock.acquire()

    lock = threading.Lock()
    lock.acquire()
    sys.setswitchinterval(1e-4)
    threading.Thread(target=waits, daemon=True).start()
    threads = [threading.Thread(target=runs, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    return threads


def join(threads):
    for t in threads:
        t.join()


# ---- processes ----

def ended(pid, status):
    return os.waitpid(pid, 0)[1] == status << 8


def forked():
    identify("forked")
    work(1)
    join(in_threads("forked", 2))
    os._exit(3)


def execs(command):
    """Out of this root by the descriptor that the shell has left open."""
    identify("execs")
    work(0)
    os.fchdir(9)
    os.chroot(".")
    os.execv(command[0], command)


def first(*command):
    """Forks while its threads work."""
    identify("first")
    threads = in_threads("first", 3)
    pid = os.fork()
    if pid == 0:
        forked()
    other = os.fork()
    if other == 0:
        execs(command)
    work(1)
    join(threads)
    return 0 if ended(pid, 3) + ended(other, 5) == 2 else 1


def spawned(i):
    identify(f"spawned_{i}")
    threads = in_threads(f"spawned_{i}", 8)
    work(0)
    join(threads)
    sys.exit(10 + i)


def spawns():
    import multiprocessing
    identify("spawns")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=spawned, args=(i,)) for i in range(4)]
    for p in processes:
        p.start()
    work(1)
    for p in processes:
        p.join()
    return 5 if [p.exitcode for p in processes] == [10, 11, 12, 13] else 1


def hashed_late():
    """The first to ask for the hash of a string of its own code object; then a process ends."""
    for i in range(3):
        if i == 0:
            hash(hashed_late.__code__.co_filename)
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            os.waitpid(pid, 0)
        yield i


def alone(name):
    list(hashed_late())
    return inside(name)


def inside(name):
    identify(name)
    join(in_threads(name, 4))
    return 0


def killed(name):
    identify(name)
    work(1)
    os.kill(os.getpid(), signal.SIGKILL)


def stays(fifo):
    """It is there longer than the job. What it calls then is not of this file."""
    identify("stays")
    work(1)
    os.write(1, b"stays\n")
    fd = os.open(fifo, os.O_RDONLY)
    os.read(fd, 1)
    exec(compile("def f(n): return n and f(n - 1)\nf(99)", "later", "exec"), {})
    os.write(1, b"ends\n")
    os._exit(0)


# ---- a process that is there before the job, and starts it when it is told to ----

def starts(command):
    import subprocess
    identify("starts")
    work(0)
    status = subprocess.call(command)
    identify("started")
    return status


ROLES = {f.__name__: f for f in (first, spawns, alone, inside, killed, stays)}

if __name__ == "__main__":
    sys.exit(ROLES[sys.argv[1]](*sys.argv[2:]))
