"""The module rclpy.expand_topic_name: unlike `names.expand_topic_name` it checks all three names."""

from . import names
from .exceptions import InvalidTopicNameException


def expand_topic_name(topic_name: str, node_name: str, node_namespace: str) -> str:
    """The full name of a topic or service of a node.

    Raises
    ------
    ValueError
        If one of the names cannot be one; the text says which and why.
    TypeError
        If it is not a string.
    """
    for name in (topic_name, node_name, node_namespace):
        if not isinstance(name, str):
            raise TypeError(f"a name must be a string, got {name!r}")
    checks = (
        ("topic name", topic_name, names.topic_name_fault),
        ("node name", node_name, names.node_name_fault),
        ("namespace", node_namespace, names.namespace_fault),
    )
    for kind, name, fault_of in checks:
        if (fault := fault_of(name)) is not None:
            raise ValueError(f"{kind} {name!r} is invalid: {fault[0]}")
    try:
        return names.expand_topic_name(topic_name, node_name, node_namespace)
    except InvalidTopicNameException as error:
        raise ValueError(f"topic name {topic_name!r} is invalid: {error}") from error
