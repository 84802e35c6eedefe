"""Calls that are the same each time. container.py [FIFO [FILE]]: waits at the FIFO first, and
says when it is there; at its end it tells its child's number and its rights."""
import os
import sys


def leaf(i):
    return i


def counts(n):
    for i in range(n):
        yield i


def of_child():
    leaf(-1)


def main():
    for i in counts(5):
        leaf(i)
    pid = os.fork()
    if not pid:
        of_child()
        os._exit(0)
    os.waitpid(pid, 0)
    leaf(-2)
    return pid


if len(sys.argv) > 1:
    print("ready", os.getpid(), flush=True)
    open(sys.argv[1]).close()
child = main()
print("child", child, flush=True)
if len(sys.argv) > 2:
    open(sys.argv[2]).close()
caps = ""
if os.path.exists("/proc/self/status"):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("CapEff"):
                caps = line.split()[1]
print("rights", os.geteuid(), os.getuid(), caps, flush=True)
