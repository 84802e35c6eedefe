# SPDX-License-Identifier: GPL-2.0-or-later
"""An interactive shell on a terminal of its own, and what is typed there. Says on stdout what came
of it: terminal.py SCENARIO SHELL COMMAND...

COMMAND is pyflow with its options, up to --, or nothing. $FAKEPY is the program that it runs,
$JOB a command that counts its rounds in the file `count` until the file `end` is there, to be
stopped $ROUNDS times."""
import fcntl
import os
import pty
import random
import re
import select
import signal
import struct
import sys
import termios
import time

PROMPT = "READY> "
PATIENCE = 60
MARK = "PYFLOW_TEST=" + os.getcwd()     # all that is started here has it
SHELLS = {"bash": ["bash", "--norc", "--noprofile", "--noediting", "-i"], "dash": ["dash", "-i"]}


def wait_for(is_true):
    end = time.monotonic() + PATIENCE
    while not is_true():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def pause(most):
    """The moments are no handshake: each may be anywhere."""
    time.sleep(random.random() * most)


def read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return ""


class Terminal:
    def __init__(self, shell):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            # What runs tests in the background may have them ignored.
            for each in signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP:
                signal.signal(each, signal.SIG_DFL)
            flags = termios.tcgetattr(0)
            flags[3] &= ~termios.ECHO
            termios.tcsetattr(0, termios.TCSANOW, flags)
            name, value = MARK.split("=", 1)
            os.execvpe(shell, SHELLS[shell], dict(os.environ, PS1=PROMPT, PS2="", TERM="dumb",
                                                  ENV="", **{name: value}))
        self.text = ""
        self.prompt()

    def expect(self, pattern):
        """Read up to it; returns what came before."""
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.text)):
            left = max(0, end - time.monotonic())
            if not select.select([self.fd], [], [], left)[0]:
                print("never came:", pattern, "but:", repr(self.text))
                show_states()
                sys.exit(1)
            try:
                self.text += os.read(self.fd, 65536).decode(errors="replace").replace("\r", "")
            except OSError:
                print("gone, and never came:", pattern, "but:", repr(self.text))
                sys.exit(1)
        before, self.text = self.text[:found.start()], self.text[found.end():]
        return before

    def prompt(self):
        return self.expect(PROMPT)

    def type(self, text):
        os.write(self.fd, text.encode())

    def run(self, line):
        self.type(line + "\n")
        return self.prompt()

    def status(self):
        self.type("echo status=$?\n")
        self.expect("status=")
        return self.prompt().strip()

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def foreground(self):
        """Until a job has the terminal."""
        wait_for(lambda: os.tcgetpgrp(self.fd) not in (self.pid, 0))

    def front(self):
        """Ctrl-Z typed before the shell's SIGCONT would be thrown away by that."""
        self.type("fg\n")
        self.expect("\n")
        self.foreground()
        wait_for(lambda: stat(os.tcgetpgrp(self.fd))[0] != "T")

    def stop(self):
        self.type("\x1a")
        self.prompt()


def stat(pid):
    """State, parent, process group, and the time that was computed: proc_pid_stat(5)."""
    text = read(f"/proc/{pid}/stat")
    words = text[text.rfind(")") + 1:].split()
    if not words:
        return "X", 0, 0, 0
    return words[0], int(words[1]), int(words[2]), int(words[11]) + int(words[12])


def marked():
    for name in os.listdir("/proc"):
        try:
            if name.isdigit():
                with open(f"/proc/{name}/environ", "rb") as f:
                    if MARK.encode() in f.read().split(b"\0"):
                        yield int(name)
        except OSError:
            pass


def show_states():
    for pid in marked():
        words = read(f"/proc/{pid}/cmdline").replace("\0", " ")
        print("there is:", pid, *stat(pid)[:3], words)


def of_group(group):
    return [pid for pid in marked() if stat(pid)[2] == group]


def is_stopped(group):
    """All of it; a parent of what was started by vfork() waits until that goes on."""
    return all(stat(pid)[0] in "TtZXD" for pid in of_group(group))


def work(group):
    """What the processes of a group have computed."""
    return [(pid, stat(pid)[3]) for pid in of_group(group)]


# ---- scenarios: each gets a shell's name, and what is put in front of a command ----

def stops(shell, front):
    """Stopped again and again; fg and bg let it go on."""
    t = Terminal(shell)
    ran_on = 0
    t.type(f"{front} {os.environ['JOB']}\n")
    wait_for(lambda: read("count"))
    group = os.tcgetpgrp(t.fd)
    for i in range(int(os.environ["ROUNDS"])):
        pause(0.2)
        t.stop()
        ran_on += not wait_for(lambda: is_stopped(group))
        before = work(group)
        t.run(":")
        ran_on += work(group) != before
        if i % 3:
            t.run("bg")
            pause(0.05)
        t.front()
        wait_for(lambda: os.tcgetpgrp(t.fd) == group)
    with open("end", "w"):
        pass
    t.prompt()
    print("status", t.status())
    print("ran on:", ran_on)
    print("left:", len(of_group(group)))


def interrupt(shell, front):
    """Ctrl-C: without a handler, with one, and ignored."""
    for line in f"{FAKEPY} +a w r", f"sh -c 'trap \"exit 5\" INT; {FAKEPY} +a w r; :'", \
            f"sh -c 'trap \"\" INT; {FAKEPY} +a w r -a; exit 6'":
        t = Terminal(shell)
        t.type(f"{front} {line}; echo after\n")
        t.expect("fakepy.*\n")
        t.type("\x03")
        if "exit 6" in line:
            t.type("\n")
        said = t.prompt()
        # What is behind it in the line is given up or not, as the shell has it.
        print("after" if "after" in said else t.status())


def terminal_input(shell, front):
    """Lines typed for the command; in the background it must not read them."""
    t = Terminal(shell)
    t.type(f"{front} {FAKEPY} w r +a r -a\n")
    t.expect("fakepy.*\n")
    t.type("one\ntwo\n")
    t.prompt()
    print("foreground", t.status())
    t.type(f"{front} {FAKEPY} w r +a -a &\n")
    t.expect("fakepy.*\n")
    print("stopped:", wait_for(lambda: "Stopped" in t.run("jobs")))
    t.front()
    t.type("line\n")
    t.prompt()
    print("background", t.status())


def resized(shell, front):
    t = Terminal(shell)
    t.resize(24, 80)
    t.type(f"{front} sh -c 'trap \"stty size; exit 3\" WINCH; {FAKEPY} +a -a w;"
           " while :; do sleep 0.1; done'\n")
    t.expect("fakepy.*\n")
    t.resize(33, 99)
    print("size", t.expect("\n"))
    t.prompt()
    print("status", t.status())


def inner(shell, front):
    """A shell in the shell: Ctrl-Z and fg are its own."""
    t = Terminal(shell)
    t.run(f"{front} " + " ".join(SHELLS["bash"]))
    group = os.tcgetpgrp(t.fd)

    def has_terminal():
        return wait_for(lambda: os.tcgetpgrp(t.fd) != group)

    # What runs for the first time is stopped for a moment: the shell takes that for a Ctrl-Z.
    t.run(f"{FAKEPY} +a -a; {FAKEPY} +a -a")
    wait_for(lambda: not re.search("stopped|running", t.run("jobs"), re.I))
    t.type(f"{FAKEPY} w r +b -b\n")
    print("the second time:", t.expect("fakepy.*\n") or "not stopped")
    has_terminal()
    t.stop()
    print("stopped:", "Stopped" in t.run("jobs"))
    t.type("fg\n")
    t.expect("\n")
    has_terminal()
    t.type("\n")
    t.prompt()
    print("status", t.status())
    t.run("exit 4")
    print("outer status", t.status())


def attached(shell, front):
    """pyflow -p stops alone."""
    t = Terminal(shell)
    t.type(f"{front} 2> words\n")
    wait_for(lambda: "Tracing" in read("trace"))
    for i in range(3):
        t.stop()
        with open("go", "w") as go:
            go.write("\n")
        print("runs on:", wait_for(lambda: read("said").count("fakepy") == i + 2))
        t.front()
    t.type("\x03")
    t.prompt()
    print("status", t.status())


if __name__ == "__main__":
    FAKEPY = os.environ.get("FAKEPY")
    {f.__name__: f for f in (stops, interrupt, terminal_input, resized, inner, attached)}[
        sys.argv[1]](sys.argv[2], " ".join(sys.argv[3:]))
