"""How far the signatures of `tolman.bridge` are those of rclpy: functions, classes and methods, one by one.

rclpy is read, not imported: give a checkout of https://github.com/ros2/rclpy, or a bare repository of it.

    python benchmarks/rclpy_signatures.py rclpy
    python benchmarks/rclpy_signatures.py rclpy --module node --module executors

Compared are all public names that the modules define: parameters in order, their kinds, and which of them
have a default. Annotations are not compared. A property of rclpy that ours set as an attribute of instances
is listed as "no name".
"""

import argparse
import ast
import importlib
import inspect
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rclpy_suite import work_trees
from tolman.bridge import alias

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Difference(NamedTuple):
    """One thing that rclpy has and the bridge has not, or has otherwise."""

    kind: str  #: "no module", "no name" or "signature"
    name: str  #: such as `rclpy.node.Node.create_timer`
    detail: str = ""


def parameters_of(function: Function, is_method: bool) -> list[str]:
    """The parameters as text: `name`, `name=` with a default, `*name`, `**name`, `*` before keyword-only."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    required = len(positional) - len(arguments.defaults)
    texts = [argument.arg + "=" * (index >= required) for index, argument in enumerate(positional)]
    static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list)
    if is_method and not static:
        texts = texts[1:]
    if arguments.vararg:
        texts.append(f"*{arguments.vararg.arg}")
    elif arguments.kwonlyargs:
        texts.append("*")
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        texts.append(argument.arg + "=" * (default is not None))
    if arguments.kwarg:
        texts.append(f"**{arguments.kwarg.arg}")
    return texts


def own_parameters(function: object) -> list[str] | None:
    """The same of a function of ours, or None if it has no signature; `self` and `cls` are bound already."""
    try:
        signature = inspect.signature(function)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    texts: list[str] = []
    starred = False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            texts.append(f"*{parameter.name}")
            starred = True
        elif parameter.kind is parameter.VAR_KEYWORD:
            texts.append(f"**{parameter.name}")
        else:
            if parameter.kind is parameter.KEYWORD_ONLY and not starred:
                texts.append("*")
                starred = True
            texts.append(parameter.name + "=" * (parameter.default is not parameter.empty))
    return texts


def _plain(function: Function) -> bool:
    """Whether it is neither a property nor one of several overloads."""
    marks = {ast.unparse(decorator).rpartition(".")[2] for decorator in function.decorator_list}
    return not marks & {"property", "overload", "setter"}


def _public(name: str) -> bool:
    return not name.startswith("_") or name == "__init__"


def compare_function(name: str, theirs: Function, ours: object, is_method: bool) -> Iterator[Difference]:
    """At most one difference of parameters."""
    if not _plain(theirs):
        return
    wanted, have = parameters_of(theirs, is_method), own_parameters(ours)
    if have is not None and is_method and not isinstance(ours, staticmethod) and not inspect.ismethod(ours):
        static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in theirs.decorator_list)
        have = have if static else have[1:]
    if have is not None and wanted != have:
        yield Difference("signature", name, f"({', '.join(wanted)}) here ({', '.join(have)})")


def compare_class(name: str, theirs: ast.ClassDef, ours: object) -> Iterator[Difference]:
    """Differences of a class's public methods and properties; protocols, which only type, are left out."""
    if any(ast.unparse(base).startswith(("Protocol", "TypedDict")) for base in theirs.bases):
        return
    seen: set[str] = set()
    for node in theirs.body:
        if not isinstance(node, Function) or not _public(node.name):
            continue
        inner = f"{name}.{node.name}"
        if not hasattr(ours, node.name):
            if node.name not in seen:
                yield Difference("no name", inner)
        else:
            yield from compare_function(inner, node, getattr(ours, node.name), is_method=True)
        seen.add(node.name)


def compare_module(name: str, source: str) -> Iterator[Difference]:
    """Differences of one module of rclpy, given its text."""
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        yield Difference("no module", name, str(error))
        return
    for node in ast.parse(source).body:
        if not isinstance(node, (*Function.__args__, ast.ClassDef)) or not _public(node.name):
            continue
        inner = f"{name}.{node.name}"
        if not hasattr(module, node.name):
            yield Difference("no name", inner)
        elif isinstance(node, ast.ClassDef):
            yield from compare_class(inner, node, getattr(module, node.name))
        else:
            yield from compare_function(inner, node, getattr(module, node.name), is_method=False)


def main() -> int:
    """Print each difference and their numbers; 2 and one line if the path holds no rclpy."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("rclpy", type=Path)
    parser.add_argument(
        "--module", action="append", default=[], help="only this one, such as node; repeatable"
    )
    options = parser.parse_args()
    alias.install(force=True)
    counts: Counter[str] = Counter()
    with work_trees([options.rclpy]) as (tree,):
        root = tree / "rclpy" / "rclpy"
        files = sorted(root.rglob("*.py"))
        if not files:
            parser.error(f"no folder {root}")
        for file in files:
            parts = list(file.relative_to(root).with_suffix("").parts)
            if parts[-1] == "__init__":
                parts.pop()
            name = ".".join(["rclpy", *parts])
            if options.module and ".".join(parts) not in options.module:
                continue
            counts["modules"] += 1
            for difference in compare_module(name, file.read_text(encoding="utf-8")):
                counts[difference.kind] += 1
                print(f"{difference.kind:<11}{difference.name}  {difference.detail}".rstrip())
    print(", ".join(f"{kind}: {counts[kind]}" for kind in ("modules", "no module", "no name", "signature")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
