"""ROS 2 names: what is allowed, and how a relative or private topic becomes a full one."""

import re

from .exceptions import InvalidNamespaceException, InvalidNodeNameException, InvalidTopicNameException
from .wire import MAX_TOPIC

_NODE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAMESPACE = re.compile(r"/|(?:/[A-Za-z_][A-Za-z0-9_]*)+")


def validate_node_name(name: str) -> None:
    """Raise InvalidNodeNameException unless `name` is letters, digits and _, and begins with no digit."""
    if not _NODE.fullmatch(name) or len(name) > MAX_TOPIC:
        raise InvalidNodeNameException(
            name, "a node name has letters, digits and _, no leading digit", _wrong(name)
        )


def validate_namespace(namespace: str) -> None:
    """Raise InvalidNamespaceException unless `namespace` is / or /a/b."""
    if not _NAMESPACE.fullmatch(namespace) or len(namespace) > MAX_TOPIC:
        raise InvalidNamespaceException(
            namespace, "a namespace looks like / or /name/name", _wrong(namespace)
        )


def expand_topic_name(topic_name: str, node_name: str, node_namespace: str) -> str:
    """The full topic: `/x` as it is, `~/x` below the node, `x` below the namespace; `{node}` is replaced.

    Raises
    ------
    InvalidTopicNameException
        If the result is not a topic name.
    """
    base = node_namespace.rstrip("/")
    topic = topic_name.replace("{node}", node_name).replace("{ns}", base).replace("{namespace}", base)
    if topic == "~" or topic.startswith("~/"):
        topic = f"{base}/{node_name}{topic[1:]}"
    elif not topic.startswith("/"):
        topic = f"{base}/{topic}"
    if topic == "/" or not _NAMESPACE.fullmatch(topic) or len(topic) > MAX_TOPIC:
        raise InvalidTopicNameException(
            topic_name,
            "a topic has letters, digits, _ and /, and no part begins with a digit",
            _wrong(topic_name),
        )
    return topic


def _wrong(name: str) -> int:
    """Index of the first character that cannot be right."""
    match = re.search(r"[^A-Za-z0-9_/~{}]|(?:^|/)\d|//", name)
    return match.start() if match else max(len(name) - 1, 0)
