"""Many that live for a short time. storm.py forks|execs|threads|kills COUNT ALIVE FILE [FIFO]
writes a line "PID-OR-TID CALLS" for each to FILE, and ends with status 3."""
import os
import random
import signal
import sys
import threading
import time

CODE = """def leaf(i):
    return i
def of_child(n):
    for i in range(n):
        leaf(i)
of_child(%d)"""


def leaf(i):
    return i


def of_child(n):
    for i in range(n):
        leaf(i)


def fork(n, go):
    pid = os.fork()
    if not pid:
        os.close(go[1])
        os.read(go[0], 1)
        of_child(n)
        os._exit(0)
    return pid


def spawn(n, go):
    return os.posix_spawn(sys.executable, [sys.executable, "-S", "-E", "-I", "-c", CODE % n],
                          os.environ, file_actions=[(os.POSIX_SPAWN_CLOSE, go[1])])


def killed(n, go):
    # A file that changed is looked at anew, and who runs it is held.
    os.utime(sys.executable)
    pid = spawn(n, go)
    time.sleep(random.random() / 50)
    os.kill(pid, signal.SIGKILL)
    return pid


def batch(start, count, first, out):
    go = os.pipe()
    started = []
    for i in range(first, first + count):
        started.append((start(i % 7, go), i % 7))
    os.close(go[0])
    os.close(go[1])
    for pid, n in started:
        status = os.waitpid(pid, 0)[1]
        if status and status != signal.SIGKILL:
            sys.exit("child: status %d" % status)
        out.write("%d %d\n" % (pid, n))


def run(go, n, out):
    go.wait()
    of_child(n)
    out.write("%d %d\n" % (threading.get_native_id(), n))


def threads(count, out):
    go = threading.Event()
    all = []
    for i in range(count):
        all.append(threading.Thread(target=run, args=(go, i % 7, out)))
        all[-1].start()
    go.set()
    for thread in all:
        thread.join()


def storm(kind, count, alive, out):
    if kind == "threads":
        return threads(count, out)
    start = {"forks": fork, "execs": spawn, "kills": killed}[kind]
    for first in range(0, count, alive):
        batch(start, alive, first, out)
        out.flush()


if len(sys.argv) > 5:
    print("ready", flush=True)
    open(sys.argv[5]).close()
with open(sys.argv[4], "w") as file:
    storm(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), file)
sys.exit(3)
