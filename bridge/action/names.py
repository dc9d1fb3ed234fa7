"""The services and topics below the name of an action."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..node import Node

FEEDBACK = "/_action/feedback"


class ActionNames(NamedTuple):
    """Fully qualified and remapped."""

    send_goal: str
    cancel_goal: str
    get_result: str
    feedback: str
    status: str


def action_names(node: "Node", action_name: str) -> ActionNames:
    """What an action of `node` consists of.

    Raises
    ------
    InvalidTopicNameException
        If the action cannot have that name.
    """
    base = node.resolve_topic_name(action_name)
    return ActionNames(
        node.resolve_service_name(f"{base}/_action/send_goal"),
        node.resolve_service_name(f"{base}/_action/cancel_goal"),
        node.resolve_service_name(f"{base}/_action/get_result"),
        node.resolve_topic_name(f"{base}{FEEDBACK}"),
        node.resolve_topic_name(f"{base}/_action/status"),
    )
