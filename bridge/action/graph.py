"""Which actions there are, as rclpy tells: those whose feedback somebody publishes or hears."""

from ..network.graph import EndKind
from ..node import Node
from .names import FEEDBACK

NamesAndTypes = list[tuple[str, list[str]]]
_MESSAGE = "_FeedbackMessage"


def get_action_client_names_and_types_by_node(
    node: Node, remote_node_name: str, remote_node_namespace: str
) -> NamesAndTypes:
    """Actions that a node calls; raises NodeNameNonExistentError if there is no such node."""
    return _actions(node, ("subscription",), node._existing(remote_node_name, remote_node_namespace))


def get_action_server_names_and_types_by_node(
    node: Node, remote_node_name: str, remote_node_namespace: str
) -> NamesAndTypes:
    """Actions that a node serves; raises NodeNameNonExistentError if there is no such node."""
    return _actions(node, ("publisher",), node._existing(remote_node_name, remote_node_namespace))


def get_action_names_and_types(node: Node) -> NamesAndTypes:
    """All actions that are served or called, and their types."""
    return _actions(node, ("publisher", "subscription"), None)


def _actions(node: Node, kinds: tuple[EndKind, ...], of: str | None) -> NamesAndTypes:
    return [
        (topic.removesuffix(FEEDBACK), sorted(name.removesuffix(_MESSAGE) for name in types))
        for topic, types in node._names_and_types(*kinds, node=of)
        if topic.endswith(FEEDBACK) and all(name.endswith(_MESSAGE) for name in types)
    ]
