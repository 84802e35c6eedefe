# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of all widths and lengths, each way to leave a function, and an end without warning."""
import os


class A:
    def method(self):

        return 1

    class B:
        def inner(self):

            return (lambda: 2)()


def größe():
    return 1


def yielding():
    yield 1


def left():
    g = yielding()
    next(g)
    try:
        g.throw(ValueError)
    except ValueError:
        return


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


LONG = "x" * 3000
SOURCE = f"def f_{LONG}():\n" + "    a = 1\n" * 3000 + f"    return 1\nf_{LONG}()\n"

exec(compile(SOURCE, "/some/" + "d/" * 1000 + "file.py", "exec"), {})
exec(compile("def ü(): pass\nü()\n", "/ä/函数/\U0001f600.py", "exec"), {})
type(fib)(fib.__code__.replace(co_name="\U0001d41f\u0101"), globals())(1)
A().method()
A.B().inner()
größe()
left()
fib(12)
os._exit(0)
