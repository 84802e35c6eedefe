# SPDX-License-Identifier: GPL-2.0-or-later
"""look.py out|err|both COMMAND...: what a command writes to a terminal on its standard output, its
standard error or both; what is not is /dev/null. Ends as the command does."""
import os
import pty
import sys

which, *command = sys.argv[1:]
pid, fd = pty.fork()
if not pid:
    nowhere = os.open("/dev/null", os.O_WRONLY)
    if which == "out":
        os.dup2(nowhere, 2)
    elif which == "err":
        os.dup2(nowhere, 1)
    os.execvp(command[0], command)
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
    sys.stdout.buffer.write(data)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
