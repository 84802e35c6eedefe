# SPDX-License-Identifier: GPL-2.0-or-later
"""work.py [FIFO]: some 600,000 calls and returns in the standard library, the same each time;
with a FIFO, after somebody has opened it."""
import os
import sys

# The accelerators in C are not there: all is done in Python, in every version alike.
for name in ("_json", "_decimal", "_heapq", "_bisect", "_datetime", "_statistics"):
    sys.modules[name] = None

# The text to work on: no file, so that it is the same in each version.
WORDS = ("def", "return", "lambda", "self", "value", "# comment", "(1 + 2)", "'text'", "None",
         "while", "yield", "0x1f", "3.25", "[i, j]", "{'k': v}", "x = y", "import", "pass")
LINES = ["    " * (i % 4) + " ".join(WORDS[(i * j + j) % len(WORDS)] for j in range(1, 9))
         for i in range(160)]
SOURCE = "".join("def f%d(a, b=%d):\n    x = {'k': [a, b, %d]}\n    return x['k'][a] + b * 2\n\n"
                 % (i, i, i) for i in range(60))


def encode_and_decode():
    import json
    data = {"rows": [{"id": i, "name": "row %d" % i, "tags": ["a", "b", {"c": i}],
                      "ratio": i / 7, "ok": i % 2 == 0} for i in range(290)]}
    for indent in (None, 2):
        text = json.dumps(data, indent=indent, sort_keys=True)
        assert json.loads(text) == data


def compare_and_fill():
    import difflib
    import textwrap
    changed = [line.replace("self", "this") for line in LINES if "0x1f" not in line[:30]]
    list(difflib.unified_diff(LINES, changed, n=2))
    list(difflib.ndiff(LINES[:50], changed[:50]))
    for width in range(30, 90, 2):
        textwrap.fill(" ".join(LINES), width)


def parse():
    import ast
    import io
    import tokenize
    tree = ast.parse(SOURCE)
    sum(1 for _ in ast.walk(tree))
    ast.NodeVisitor().visit(tree)
    list(tokenize.generate_tokens(io.StringIO(SOURCE).readline))


def options():
    import argparse
    parser = argparse.ArgumentParser(prog="work")
    for letter in "abcdefgijk":
        parser.add_argument("-" + letter, "--" + letter * 5, type=int, default=0, help="a number")
    parser.add_argument("files", nargs="*")
    for i in range(40):
        parser.parse_args(["-a", str(i), "--bbbbb=3", "-c", "4", "x", "y"])
    parser.format_help()


def calculate():
    import datetime
    import decimal
    import fractions
    import heapq
    import statistics
    decimal.getcontext().prec = 40
    total = decimal.Decimal(0)
    for i in range(1, 700):
        total += decimal.Decimal(i) / decimal.Decimal(7)
    decimal.Decimal(2).sqrt()
    sum((fractions.Fraction(1, i) for i in range(1, 500)), fractions.Fraction(0))
    heap = []
    for i in range(9000):
        heapq.heappush(heap, i * 7919 % 1009)
    while heap:
        heapq.heappop(heap)
    statistics.stdev(range(500))
    day = datetime.date(2020, 1, 1)
    for _ in range(1500):
        day += datetime.timedelta(days=1)
        day.isoformat()


def main():
    encode_and_decode()
    compare_and_fill()
    parse()
    options()
    calculate()


if len(sys.argv) > 1:
    print("ready", flush=True)
    os.open(sys.argv[1], os.O_RDONLY)
main()
