"""ROS 2 names: what is allowed, and how a relative or private topic becomes a full one.

The checks return what is wrong and the index of the character where, or None; `validate_*` raise it.
"""

import re
from typing import Literal

from .exceptions import (
    InvalidNamespaceException,
    InvalidNodeNameException,
    InvalidServiceNameException,
    InvalidTopicNameException,
)
from .network.wire import MAX_TOPIC

#: what is wrong, and the index of the character
Fault = tuple[str, int] | None

_FULL = re.compile(r"(?:/[A-Za-z_][A-Za-z0-9_]*)+")
_LEADING_DIGIT = re.compile(r"(?:^|/)\d", re.ASCII)
_BRACES = re.compile(r"\{([^{}]*)\}")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def node_name_fault(name: str) -> Fault:
    """What is wrong with the name of a node: letters, digits and _ are allowed, and no leading digit."""
    if not name:
        return "node name must not be empty", 0
    if (other := re.search(r"[^A-Za-z0-9_]", name)) is not None:
        return "node name must not contain characters other than alphanumerics or '_'", other.start()
    if _LEADING_DIGIT.match(name):
        return "node name must not start with a number", 0
    return _too_long("node name", name)


def namespace_fault(namespace: str) -> Fault:
    """What is wrong with a namespace: / and /a/b are right."""
    if namespace == "/":
        return None
    return _absolute_fault("namespace", namespace)


def full_topic_name_fault(name: str) -> Fault:
    """What is wrong with a topic or service name that needs no expansion any more."""
    return _absolute_fault("topic name", name)


def topic_name_fault(name: str) -> Fault:
    """What is wrong with a topic or service name that is relative, private (~) or has {substitutions}."""
    if not name:
        return "topic name must not be empty", 0
    if name.endswith("/"):
        return "topic name must not end with a forward slash", len(name) - 1
    if (other := re.search(r"[^A-Za-z0-9_/~{}]", name)) is not None:
        allowed = "alphanumerics, '_', '~', '/', '{' or '}'"
        return f"topic name must not contain characters other than {allowed}", other.start()
    if (twice := name.find("//")) >= 0:
        return "topic name must not contain repeated forward slashes", twice
    if (number := _LEADING_DIGIT.search(name)) is not None:
        return "a part of the topic name must not start with a number", number.end() - 1
    tilde = name.rfind("~")
    if tilde > 0:
        return "topic name must have a tilde only as its first character", tilde
    if tilde == 0 and name[1:2] not in ("", "/"):
        return "topic name must have a forward slash after the tilde", 1
    for braces in _BRACES.finditer(name):
        if not _IDENTIFIER.fullmatch(braces[1]):
            return f"topic name has a substitution that is no name, {braces[0]}", braces.start()
    rest = _BRACES.sub(lambda braces: " " * len(braces[0]), name)
    if (unmatched := re.search(r"[{}]", rest)) is not None:
        return "topic name has a curly brace without its counterpart", unmatched.start()
    return None


def _absolute_fault(kind: str, name: str) -> Fault:
    if not name:
        return f"{kind} must not be empty", 0
    if not name.startswith("/"):
        return f"{kind} must be absolute, it must lead with a '/'", 0
    if name.endswith("/"):
        return f"{kind} must not end with a '/'", len(name) - 1
    if (other := re.search(r"[^A-Za-z0-9_/]", name)) is not None:
        return f"{kind} must not contain characters other than alphanumerics, '_' or '/'", other.start()
    if (twice := name.find("//")) >= 0:
        return f"{kind} must not contain repeated '/'", twice
    if (number := _LEADING_DIGIT.search(name)) is not None:
        return f"a part of the {kind} must not start with a number", number.end() - 1
    return _too_long(kind, name)


def _too_long(kind: str, name: str) -> Fault:
    if len(name) > MAX_TOPIC:
        return f"{kind} must not have more than {MAX_TOPIC} characters", MAX_TOPIC
    return None


def validate_node_name(node_name: str) -> Literal[True]:
    """Return True, or raise InvalidNodeNameException unless it is letters, digits and _, no digit first."""
    if (fault := node_name_fault(node_name)) is not None:
        raise InvalidNodeNameException(node_name, *fault)
    return True


def validate_namespace(namespace: str) -> Literal[True]:
    """Return True, or raise InvalidNamespaceException unless `namespace` is / or /a/b."""
    if (fault := namespace_fault(namespace)) is not None:
        raise InvalidNamespaceException(namespace, *fault)
    return True


def validate_topic_name(name: str, *, is_service: bool = False) -> Literal[True]:
    """Return True if a name that is not expanded yet can be one.

    Raises
    ------
    InvalidTopicNameException, InvalidServiceNameException
        The second if `is_service`.
    """
    return _raise(name, topic_name_fault(name), is_service)


def validate_full_topic_name(name: str, *, is_service: bool = False) -> Literal[True]:
    """Return True if `name` is a full name.

    Raises
    ------
    InvalidTopicNameException, InvalidServiceNameException
        The second if `is_service`.
    """
    return _raise(name, full_topic_name_fault(name), is_service)


def expand_topic_name(
    topic_name: str, node_name: str, node_namespace: str, *, is_service: bool = False
) -> str:
    """The full topic: `/x` as it is, `~/x` below the node, `x` below the namespace; `{node}` is replaced.

    Raises
    ------
    InvalidTopicNameException, InvalidServiceNameException
        If the result is not a topic name; the second if `is_service`.
    ValueError
        If it has a substitution that does not exist.
    TypeError
        If it is not a text.
    """
    if not isinstance(topic_name, str):
        raise TypeError(f"a name must be of type str, got {topic_name!r}")
    _raise(topic_name, topic_name_fault(topic_name), is_service)
    base = node_namespace.rstrip("/")
    topic = topic_name
    # A namespace within a name keeps its leading slash; at the start of a name so does the whole.
    for key, value in (("node", node_name), ("ns", base), ("namespace", base)):
        topic = topic.replace(f"{{{key}}}", value)
    if (unknown := _BRACES.search(topic)) is not None:
        known = "{node}, {ns} and {namespace}"
        raise ValueError(f"unknown substitution {unknown[0]} in the name {topic_name!r}; there are {known}")
    if topic == "~" or topic.startswith("~/"):
        topic = f"{base}/{node_name}{topic[1:]}"
    elif not topic.startswith("/"):
        topic = f"{base}/{topic}"
    if not _FULL.fullmatch(topic) or len(topic) > MAX_TOPIC:
        _raise(topic, full_topic_name_fault(topic), is_service)
    return topic


def _raise(name: str, fault: Fault, is_service: bool) -> Literal[True]:
    if fault is not None:
        raise (InvalidServiceNameException if is_service else InvalidTopicNameException)(name, *fault)
    return True
