"""Kills what a launcher started once the launcher is gone, however it went: also by SIGKILL.

A program of its own, with the standard library alone, so that it is up in a hundredth of a second. The
launcher holds the other end of its standard input and writes a line for each process group: `+PGID` when it
begins, `-PGID` when it is over. When that end closes, the groups that are left are killed.
"""

import contextlib
import os
import signal
import sys


def main() -> None:
    """Keep the list until the launcher is gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
