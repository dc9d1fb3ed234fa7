"""ROS arguments of a command line: `--ros-args -r from:=to -p name:=value --params-file F --`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .exceptions import InvalidTopicNameException
from .names import expand_topic_name

if TYPE_CHECKING:
    from .parameter import Parameter


class UnknownROSArgsError(RuntimeError):
    """Raised for ROS arguments that mean nothing."""

    def __init__(self, unknown: Sequence[str]) -> None:
        super().__init__(f"Found unknown ROS arguments: {list(unknown)}")


class RCLInvalidROSArgsError(RuntimeError):
    """Raised for ROS arguments that are malformed."""


@dataclass
class RosArguments:
    """What they say.

    Attributes
    ----------
    remappings : list of (node, from, to)
        `node` is the name of the node it holds for, empty for all.
    parameters : list of (node, name, value) or str
        In the order given, the last wins; `value` is the text; a str is the path of a YAML file.
    log_levels : list of (logger, level)
        `logger` is empty for the root.
    rosout : bool, optional
        Whether lines of loggers are published, where that was said.
    """

    remappings: list[tuple[str, str, str]] = field(default_factory=list)
    parameters: list[tuple[str, str, str] | str] = field(default_factory=list)
    log_levels: list[tuple[str, str]] = field(default_factory=list)
    rosout: bool | None = None

    def __add__(self, other: "RosArguments") -> "RosArguments":
        """Both; those of `self` come first, and the first remapping that fits wins."""
        return RosArguments(
            self.remappings + other.remappings,
            other.parameters + self.parameters,
            other.log_levels + self.log_levels,
            other.rosout if self.rosout is None else self.rosout,
        )

    def remapped_node(self, name: str, namespace: str) -> tuple[str, str]:
        """Name and namespace of a node after `__node` (or `__name`) and `__ns`."""
        found: dict[str, str] = {}
        for node, source, target in self.remappings:
            kind = {"__node": "name", "__name": "name", "__ns": "namespace"}.get(source)
            if kind is not None and node in ("", name):
                found.setdefault(kind, target)
        return found.get("name", name), found.get("namespace", namespace)

    def remap(self, full: str, node_name: str, namespace: str) -> str:
        """The name that a fully qualified topic or service of a node gets."""
        for node, source, target in self.remappings:
            if source.startswith("__") or node not in ("", node_name):
                continue
            plain = source.split("://", 1)[-1]
            try:
                if expand_topic_name(plain, node_name, namespace) == full:
                    return expand_topic_name(target, node_name, namespace)
            except (ValueError, InvalidTopicNameException):  # a rule for what cannot be a topic
                continue
        return full

    def parameters_of(self, node_name: str, namespace: str) -> "list[Parameter[Any]]":
        """The parameters given for a node, by files and one by one: of two, the later wins.

        Raises
        ------
        RCLInvalidROSArgsError
            If a file cannot be read.
        """
        from .parameter import parameter_from_text, parameters_of_node

        full = f"{namespace.rstrip('/')}/{node_name}"
        found: dict[str, Parameter[Any]] = {}
        for given in self.parameters:
            if isinstance(given, str):
                try:
                    found |= {parameter.name: parameter for parameter in parameters_of_node(given, full)}
                except (OSError, ValueError) as error:
                    raise RCLInvalidROSArgsError(f"--params-file {given}: {error}") from error
            elif given[0] in ("", node_name, full):
                found[given[1]] = parameter_from_text(*given[1:])
        return list(found.values())


def parse(args: Sequence[str] | None) -> RosArguments:
    """Read the ROS arguments among `args`.

    Raises
    ------
    UnknownROSArgsError
        Naming those that mean nothing.
    RCLInvalidROSArgsError
        If one is malformed.
    """
    found, unknown = RosArguments(), []
    inside = False
    rest = iter(args or ())
    for argument in rest:
        argument.encode("utf-8")  # refuses what is no text, as rclpy does
        if not inside:
            inside = argument == "--ros-args"
        elif argument == "--":
            inside = False
        elif argument == "--ros-args":
            continue
        elif argument in ("-r", "--remap"):
            found.remappings.append(_rule(next(rest, ""), argument))
        elif argument in ("-p", "--param"):
            found.parameters.append(_rule(next(rest, ""), argument))
        elif argument == "--params-file":
            found.parameters.append(next(rest, ""))
        elif argument == "--log-level":
            logger, _, level = next(rest, "").rpartition(":=")
            found.log_levels.append((logger, level))
        elif argument in ("-e", "--enclave", "--log-config-file", "--log-file-name"):
            next(rest, "")
        elif argument in ("--enable-rosout-logs", "--disable-rosout-logs"):
            found.rosout = argument.startswith("--enable")
        elif argument.startswith(("--enable-", "--disable-")):  # of logging to files and the like
            continue
        else:
            unknown.append(argument)
    if unknown:
        raise UnknownROSArgsError(unknown)
    return found


def without_ros_arguments(args: Sequence[str]) -> list[str]:
    """`args` without the ROS arguments."""
    kept, inside = [], False
    for argument in args:
        if argument == "--ros-args":
            inside = True
        elif inside and argument == "--":
            inside = False
        elif not inside:
            kept.append(argument)
    return kept


def _rule(text: str, option: str) -> tuple[str, str, str]:
    source, sign, target = text.partition(":=")
    if not sign or not source:
        raise RCLInvalidROSArgsError(f"Failed to parse ROS arguments: {option} takes FROM:=TO, got {text!r}")
    node, colon, name = source.partition(":")
    if colon and not name.startswith("//"):
        return node, name, target
    return "", source, target
