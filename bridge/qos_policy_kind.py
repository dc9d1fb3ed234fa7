"""Names of the policies of a quality-of-service profile, as rclpy numbers them."""

from enum import IntEnum


class QoSPolicyKind(IntEnum):
    """A policy; its name in lower case is the attribute of QoSProfile. The numbers can be or-ed."""

    INVALID = 1 << 0
    DURABILITY = 1 << 1
    DEADLINE = 1 << 2
    LIVELINESS = 1 << 3
    RELIABILITY = 1 << 4
    HISTORY = 1 << 5
    LIFESPAN = 1 << 6
    DEPTH = 1 << 7
    LIVELINESS_LEASE_DURATION = 1 << 8
    AVOID_ROS_NAMESPACE_CONVENTIONS = 1 << 9


def qos_policy_name_from_kind(policy_kind: QoSPolicyKind | int) -> str:
    """The name of a policy; raises ValueError if there is none with this number."""
    return QoSPolicyKind(policy_kind).name
