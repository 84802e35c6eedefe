#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The examples of the manual page: run them as they are printed, in the working directory.

    examples.py PAGE list        the number and the first command of each
    examples.py PAGE NUMBER      run it; status 1 if what comes of it is not what is printed, 77
                                 if a program that it needs is not there
    examples.py PAGE update      run all, and print the page with what they have said now

An example is a display, .Dl or .Bd -literal, with a `$ ' in front of its commands. What stands
below a command is what it says; if nothing does, it may say anything. A line `...' is any number
of lines. A command must end with 0, unless the next is `echo $?'. Of a sample that shows no
command it is in a comment in front: .\\" $ COMMAND. One that nobody has run yet has .\\" SAMPLE in
front of that. A command about the process of server.pid is run while server.py is. The working
directory is printed as /home/alice.
"""
import gzip
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

TIMEOUT = 120  # seconds that a command, or a server, may take
ESCAPES = {"\\(dq": '"', "\\(aq": "'", "\\(ga": "`", "\\(ha": "^", "\\(ti": "~",
           "\\e": "\\", "\\-": "-", "\\&": "", "\\ ": " "}
# What a shell has itself, or what is in front of a program.
SHELL_WORDS = {"cat", "echo", "grep", "sed", "pyflow", "python3"}


class Command:
    def __init__(self, line, number):
        self.line = line        # as a shell takes it
        self.wanted = []        # what is printed below it
        self.first = number     # the page's lines that are that
        self.last = number
        self.status = 0
        self.got = []


class Example:
    def __init__(self, commands, mark):
        self.commands = commands
        self.mark = mark        # the line of the page that says SAMPLE, or None

    def title(self):
        return self.commands[0].line


def plain(text):
    """A line of mdoc as it is read."""
    return re.sub(r"\\(\(..|.)", lambda m: ESCAPES.get(m.group(), m.group()), text)


def roff(text):
    """The other way round, in a literal display."""
    text = text.replace("\\", "\\e").replace("'", "\\(aq").replace("`", "\\(ga")
    return "\\&" + text if text.startswith(".") else text


def read_display(lines, number, hidden):
    """The commands of a .Bd whose text begins at that line, and the line of its .Ed."""
    commands = [hidden] if hidden else []
    if hidden:
        hidden.first = hidden.last = number
    while lines[number] != ".Ed":
        text = plain(lines[number])
        number += 1
        if text.startswith("$ ") and not hidden:
            commands.append(Command(text[2:], number))
        elif commands:
            commands[-1].wanted.append(text)
            commands[-1].last = number
    return commands, number


def read_page(lines):
    examples = []
    number, hidden, mark = 0, None, None
    while number < len(lines):
        line = lines[number]
        number += 1
        commands = []
        if line == '.\\" SAMPLE':
            mark = number - 1
        elif line.startswith('.\\" $ '):
            hidden = Command(line[len('.\\" $ '):], number)
        elif line.startswith(".Dl $ "):
            commands = [Command(plain(line)[len(".Dl $ "):], number)]
        elif line.startswith(".Bd -literal"):
            commands, number = read_display(lines, number, hidden)
        if commands:
            examples.append(Example(commands, mark))
            hidden = mark = None
    return examples


# ---- what is the same each time ----

NUMBER = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|0x[0-9a-f]+|"
                    r"(?<!\w)(?<![\w>]:)[-+!#*@$]?\d[\d.:]*")
TREE = re.compile(r"=>|<=|\S+:\S+:-?\d+\(\)|\} /\*")


def numberless(text):
    """Times, durations, process IDs and counts are different each time, and so may be how wide
    they are; the lines of functions are not."""
    return " ".join(NUMBER.sub("#", text).split())


def shape(text):
    """Of a line of a tree, where its tree begins counts, too."""
    tree = TREE.search(text)
    if not tree:
        return numberless(text)
    return (numberless(text[:tree.start()]), tree.start(), NUMBER.sub("#", text[tree.start():]))


def fits(wanted, got):
    """For each line of those, and the end: from which lines of these on does the rest match?"""
    rest = [{len(got)}]
    for text in reversed(wanted):
        if text == "...":
            rest.insert(0, set(range(max(rest[0], default=-1) + 1)))
        else:
            rest.insert(0, {i - 1 for i in rest[0] if i and shape(got[i - 1]) == shape(text)})
    return rest


def matches(wanted, got):
    """Do these lines have the shape of those, each `...' being any number of lines?"""
    return 0 in fits(wanted, got)[0]


def renewed(wanted, got):
    """What is printed, if it matches, with the values of now."""
    new, at = [], 0
    rest = fits(wanted, got)
    for i, text in enumerate(wanted):
        if text == "...":
            new.append(text)
            at = min(j for j in rest[i + 1] if j >= at)
        else:
            new.append(got[at])
            at += 1
    return new


# ---- running ----

def missing(example):
    """A program that is not on this machine."""
    for command in example.commands:
        for part in re.sub(r"'[^']*'|\"[^\"]*\"", "", command.line).split("|"):
            word = part.split()[0] if part.split() else "echo"
            if word not in SHELL_WORDS and not shutil.which(word):
                return word
    return None


def wait_until(condition):
    end = time.monotonic() + TIMEOUT
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def ask(port):
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as s:
        s.sendall(b"hello\n")
        return s.recv(100)


def has_text(path):
    return os.path.exists(path) and os.path.getsize(path) > 0


class Server:
    """What server.pid names. It ends after three requests, and so does who traces it."""

    def __enter__(self):
        for path in ("server.pid", "trace.txt"):
            if os.path.exists(path):
                os.unlink(path)
        self.process = subprocess.Popen(["python3", "server.py"], stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        return self

    def serve(self, out):
        if wait_until(lambda: has_text(out) or has_text("trace.txt")):
            for _ in range(3):
                ask(self.port)

    def __exit__(self, *args):
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def wait_for(process):
    try:
        return process.wait(TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


def outputs(command):
    """The files that -o names."""
    words = re.findall(r"(?<= -o )\S+", command.line)
    paths = [re.sub(r"^(text|graph|json|chrome|folded|summary):", "", word) for word in words]
    return [path for path in paths if path != "-"]


def run_command(command, before):
    """As a shell would that had run the others, whose last status is that."""
    for path in outputs(command):
        if os.path.exists(path):
            os.unlink(path)
    with open("said", "wb") as out:
        def start():
            return subprocess.Popen(["sh", "-c", f"(exit {before})\n{command.line}"], stdout=out,
                                    stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                    start_new_session=True)

        if "server.pid" in command.line:
            with Server() as server:
                process = start()
                server.serve("said")
                command.status = wait_for(process)
        else:
            command.status = wait_for(start())
    with open("said", encoding="utf-8", errors="replace") as f:
        command.got = f.read().replace(os.getcwd(), "/home/alice").splitlines()


def read_output(path):
    with gzip.open(path, "rt") if path.endswith(".gz") else open(path, encoding="utf-8") as f:
        text = f.read()
    name = path.removesuffix(".gz")
    if name.endswith(".trace.json"):
        json.loads(text)
    elif name.endswith(".json"):
        for line in text.splitlines():
            json.loads(line)
    return text


def wrong_outputs(command):
    """Files that it should have written, and did not, or not as their names say."""
    wrong = []
    for path in outputs(command):
        try:
            if not read_output(path):
                wrong.append(f"{path} is empty")
        except (OSError, EOFError, ValueError) as e:
            wrong.append(f"{path}: {e}")
    return wrong


def run_example(example):
    """What is not as printed, in lines; none if all is well."""
    wrong = []
    for i, command in enumerate(example.commands):
        run_command(command, example.commands[i - 1].status if i else 0)
        is_asked = example.commands[i + 1:] and example.commands[i + 1].line == "echo $?"
        if command.status and not is_asked:
            wrong += [f"status {command.status}: {command.line}"] + command.got
        elif command.wanted and not matches(command.wanted, command.got):
            wrong += [f"another shape: {command.line}"] + command.got
        elif command.line == "echo $?" and command.wanted != command.got:
            wrong += ["another status:"] + command.got
        wrong += wrong_outputs(command)
    return wrong


def update(lines, examples):
    """From the last to the first, so that the numbers of lines hold."""
    failed = 0
    for example in reversed(examples):
        if missing(example) or not any(c.wanted for c in example.commands):
            continue
        wrong = [] if example.mark is None else run_made_up(example)
        wrong = wrong or run_example(example)
        for text in wrong:
            print(text, file=sys.stderr)
        failed += bool(wrong)
        if wrong:
            continue
        for command in reversed(example.commands):
            if command.wanted:
                new = renewed(command.wanted, command.got)
                lines[command.first:command.last] = [roff(text) for text in new]
        if example.mark is not None:
            del lines[example.mark]
    print("\n".join(lines))
    return 1 if failed else 0


def run_made_up(example):
    """A sample that nobody has run: what it says now is what it shall say. Where it leaves out
    lines somebody must choose them."""
    for i, command in enumerate(example.commands):
        run_command(command, example.commands[i - 1].status if i else 0)
        if not command.wanted or matches(command.wanted, command.got):
            continue
        if "..." in command.wanted or not command.got:
            return [f"choose from this: {command.line}"] + command.got
        command.wanted = command.got
    return []


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        lines = f.read().splitlines()
    examples = read_page(lines)
    if sys.argv[2] == "list":
        for i, example in enumerate(examples):
            print(i + 1, example.title())
        return 0
    if sys.argv[2] == "update":
        return update(lines, examples)
    example = examples[int(sys.argv[2]) - 1]
    word = missing(example)
    if word:
        print(f"{word} is not there")
        return 77
    wrong = run_example(example)
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
