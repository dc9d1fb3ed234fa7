"""Parameters in YAML: single values, and files that give values to nodes.

A file maps nodes to parameters, both nested at will; in the name of a node `*` stands for one part and `**`
for any number of parts::

    /robot/agent:                  # or robot: {agent: ...}
      ros__parameters:
        speed: 0.3
        grid: {scales: [0.3, 0.5]}   # the parameter grid.scales

A key that stands twice is read twice, in the order of the file, as ROS 2 does: the last value wins.
"""

import re
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

PARAMETERS_KEY = "ros__parameters"
PARAMETER_SEPARATOR_STRING = "."

#: what a YAML scalar or sequence can become
Value = bool | int | float | str | None | list[bool] | list[int] | list[float] | list[str]


def _reader() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)  # ROS 2 reads YAML 1.1: yes and on are booleans
    return yaml


def value_from_text(text: str) -> object:
    """What YAML makes of `text`; the text itself where it is not YAML."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # YAML 1.1 knows no 1e5; ROS 2 takes it for a number, as we do
            return _reader().load(text)
    except (YAMLError, ValueError):
        return text


def parameters_in(text: str, source: str) -> list[tuple[str, str, object]]:
    """All values of a parameter file, in its order, as (pattern of node names, parameter, value).

    Parameters
    ----------
    text : str
        The file.
    source : str
        Its name, for errors.

    Raises
    ------
    ValueError
        If it is not YAML, or not a mapping from nodes to parameters; one line that names `source`.
    """
    yaml = _reader()
    try:
        root = yaml.compose(text)
    except YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where is not None else ""
        raise ValueError(f"{source}{line}: not YAML: {getattr(error, 'problem', None) or error}") from error
    if root is None:
        return []
    return list(_nodes(root, "", source))


def _nodes(node: Node, path: str, source: str) -> Iterator[tuple[str, str, object]]:
    if not isinstance(node, MappingNode):
        raise ValueError(
            f"{source}: not a parameter file: no {PARAMETERS_KEY} under {path or 'any node'} "
            f"(line {node.start_mark.line + 1})"
        )
    for key, value in node.value:
        name = str(key.value)
        if name == PARAMETERS_KEY:
            if not path:
                raise ValueError(f"{source}: not a parameter file: {PARAMETERS_KEY} stands under no node")
            yield from ((path, *entry) for entry in _leaves(value, "", source))
        else:
            yield from _nodes(value, f"{path}/{name.strip('/')}" if path else name, source)


def _leaves(node: Node, prefix: str, source: str) -> Iterator[tuple[str, object]]:
    if not isinstance(node, MappingNode):
        raise ValueError(f"{source}, line {node.start_mark.line + 1}: expected parameters, name: value")
    for key, value in node.value:
        name = f"{prefix}{key.value}"
        if isinstance(value, MappingNode):
            yield from _leaves(value, f"{name}{PARAMETER_SEPARATOR_STRING}", source)
        else:
            yield name, _construct(value, source)


def _construct(node: Node, source: str) -> Any:
    if isinstance(node, SequenceNode):
        return [_construct(item, source) for item in node.value]
    if not isinstance(node, ScalarNode):
        raise ValueError(f"{source}, line {node.start_mark.line + 1}: expected a value or a list of values")
    if node.style in ("'", '"') or str(node.tag).endswith(":str"):
        return node.value
    value = value_from_text(node.value)
    return value if isinstance(value, bool | int | float) or value is None else node.value


@cache
def _pattern(name: str) -> re.Pattern[str]:
    pieces = []
    for part in name.strip("/").split("/"):
        if part == "**":
            pieces.append(r"(?:/\w+)*")
        else:
            pieces.append("/" + r"\w+".join(re.escape(piece) for piece in part.split("*")))
    return re.compile("".join(pieces))


def matches(pattern: str, node: str) -> bool:
    """Whether a key of a parameter file means the node with this fully qualified name."""
    return _pattern(pattern).fullmatch(node) is not None
