"""`python -m tolman.bridge your_node.py [ARGUMENT ...]`: run a node written for rclpy, unmodified.

`-m MODULE` runs a module instead of a file, as `python -m` does. `--force` uses the bridge even where a
real rclpy is installed. `--keys DIR` and `--insecure` stand for $TOLMAN_KEYS and $TOLMAN_INSECURE. Message
packages of your own: $TOLMAN_INTERFACES, folders of PACKAGE/msg/Name.msg.
"""

import os
import runpy
import sys
from importlib.util import find_spec

from . import alias
from .network import endpoint, keys

USAGE = (
    "usage: python -m tolman.bridge [--force] [--keys DIR] [--insecure] (NODE.py | -m MODULE) [ARGUMENT ...]"
)


def main(arguments: list[str]) -> int:
    """Run the file or module; what follows it are its own arguments.

    Returns
    -------
    int
        2 and one line on stderr if there is nothing to run; the program's own exit status goes past this.
    """
    force, rest = False, list(arguments)
    while rest and rest[0] in ("--force", "--keys", "--insecure"):
        option = rest.pop(0)
        if option == "--force":
            force = True
        elif option == "--insecure":
            os.environ[endpoint.INSECURE] = "1"
        elif rest:
            os.environ[keys.ENVIRONMENT] = os.path.abspath(rest.pop(0))
    if rest[:1] in (["-h"], ["--help"]):
        print(f"{USAGE}\n\n{__doc__}")
        return 0
    is_module = rest[:1] == ["-m"]
    target = rest[1:2] if is_module else rest[:1]
    if not target or target[0].startswith("-"):
        return _refuse(USAGE)
    name, given = target[0], rest[2:] if is_module else rest[1:]
    if not is_module and not os.path.isfile(name):
        return _refuse(f"no file {name} to run")
    try:
        alias.install(force=force)
    except ValueError as error:
        return _refuse(str(error))
    sys.argv = [name, *given]
    sys.path[0] = os.getcwd() if is_module else os.path.dirname(os.path.abspath(name))
    if not is_module:
        runpy.run_path(name, run_name="__main__")
        return 0
    try:
        exists = find_spec(name) is not None
    except ModuleNotFoundError:
        exists = False
    if not exists:
        return _refuse(f"no module {name} to run")
    runpy.run_module(name, run_name="__main__", alter_sys=True)
    return 0


def _refuse(line: str) -> int:
    print(line, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
