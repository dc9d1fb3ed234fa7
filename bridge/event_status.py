"""The events of publishers and subscriptions, and what is told of them, as rclpy has it."""

import dataclasses
from dataclasses import dataclass
from enum import IntEnum

from .qos_policy_kind import QoSPolicyKind


class QoSPublisherEventType(IntEnum):
    """What may happen to a publisher."""

    RCL_PUBLISHER_OFFERED_DEADLINE_MISSED = 0
    RCL_PUBLISHER_LIVELINESS_LOST = 1
    RCL_PUBLISHER_OFFERED_INCOMPATIBLE_QOS = 2
    RCL_PUBLISHER_INCOMPATIBLE_TYPE = 3
    RCL_PUBLISHER_MATCHED = 4


class QoSSubscriptionEventType(IntEnum):
    """What may happen to a subscription."""

    RCL_SUBSCRIPTION_REQUESTED_DEADLINE_MISSED = 0
    RCL_SUBSCRIPTION_LIVELINESS_CHANGED = 1
    RCL_SUBSCRIPTION_REQUESTED_INCOMPATIBLE_QOS = 2
    RCL_SUBSCRIPTION_MESSAGE_LOST = 3
    RCL_SUBSCRIPTION_INCOMPATIBLE_TYPE = 4
    RCL_SUBSCRIPTION_MATCHED = 5


EventType = QoSPublisherEventType | QoSSubscriptionEventType


class IncompatiblePolicy(IntEnum):
    """The policy that does not fit, named and printed as rclpy's C extension does.

    Equal to the `QoSPolicyKind` of the same number, which is what programs compare it with.
    """

    RMW_QOS_POLICY_INVALID = QoSPolicyKind.INVALID
    RMW_QOS_POLICY_DURABILITY = QoSPolicyKind.DURABILITY
    RMW_QOS_POLICY_DEADLINE = QoSPolicyKind.DEADLINE
    RMW_QOS_POLICY_LIVELINESS = QoSPolicyKind.LIVELINESS
    RMW_QOS_POLICY_RELIABILITY = QoSPolicyKind.RELIABILITY
    RMW_QOS_POLICY_HISTORY = QoSPolicyKind.HISTORY
    RMW_QOS_POLICY_LIFESPAN = QoSPolicyKind.LIFESPAN
    RMW_QOS_POLICY_DEPTH = QoSPolicyKind.DEPTH
    RMW_QOS_POLICY_LIVELINESS_LEASE_DURATION = QoSPolicyKind.LIVELINESS_LEASE_DURATION
    RMW_QOS_POLICY_AVOID_ROS_NAMESPACE_CONVENTIONS = QoSPolicyKind.AVOID_ROS_NAMESPACE_CONVENTIONS

    def __repr__(self) -> str:
        return f"<{self}: {self.value}>"

    def __str__(self) -> str:
        return f"rmw_qos_policy_kind_t.{self.name}"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


@dataclass
class Status:
    """Base: counts since the end was made, and beside each how it changed since it was read last."""

    def since(self, before: "Status") -> "Status":
        """The same counts with the changes since `before`."""
        changes = {
            f"{field.name}_change": getattr(self, field.name) - getattr(before, field.name)
            for field in dataclasses.fields(self)
            if hasattr(self, f"{field.name}_change")
        }
        return dataclasses.replace(self, **changes)


@dataclass
class _Counted(Status):
    total_count: int = 0
    total_count_change: int = 0


class QoSRequestedDeadlineMissedInfo(_Counted):
    """Periods without a message where a subscription asked for one."""


class QoSOfferedDeadlineMissedInfo(_Counted):
    """Periods without a message where a publisher offered one."""


class QoSMessageLostInfo(_Counted):
    """Messages missing from the sequence numbers."""


class QoSLivelinessLostInfo(_Counted):
    """How often a publisher failed to show that it is alive."""


class IncompatibleTypeInfo(_Counted):
    """Other ends with another type on the same topic."""


@dataclass
class QoSRequestedIncompatibleQoSInfo(_Counted):
    """Other ends whose quality of service does not fit."""

    last_policy_kind: IncompatiblePolicy = IncompatiblePolicy.RMW_QOS_POLICY_INVALID


QoSOfferedIncompatibleQoSInfo = QoSRequestedIncompatibleQoSInfo


@dataclass
class QoSLivelinessChangedInfo(Status):
    """Matched publishers that are alive, and that are not."""

    alive_count: int = 0
    not_alive_count: int = 0
    alive_count_change: int = 0
    not_alive_count_change: int = 0


@dataclass
class QoSSubscriptionMatchedInfo(_Counted):
    """Other ends that fit: since the beginning, and now."""

    current_count: int = 0
    current_count_change: int = 0


QoSPublisherMatchedInfo = QoSSubscriptionMatchedInfo

#: apart from those of subscriptions: members of the two enumerations are equal as numbers
PUBLISHER_STATUS: dict[IntEnum, type[Status]] = {
    QoSPublisherEventType.RCL_PUBLISHER_OFFERED_DEADLINE_MISSED: QoSOfferedDeadlineMissedInfo,
    QoSPublisherEventType.RCL_PUBLISHER_LIVELINESS_LOST: QoSLivelinessLostInfo,
    QoSPublisherEventType.RCL_PUBLISHER_OFFERED_INCOMPATIBLE_QOS: QoSOfferedIncompatibleQoSInfo,
    QoSPublisherEventType.RCL_PUBLISHER_INCOMPATIBLE_TYPE: IncompatibleTypeInfo,
    QoSPublisherEventType.RCL_PUBLISHER_MATCHED: QoSPublisherMatchedInfo,
}
SUBSCRIPTION_STATUS: dict[IntEnum, type[Status]] = {
    QoSSubscriptionEventType.RCL_SUBSCRIPTION_REQUESTED_DEADLINE_MISSED: QoSRequestedDeadlineMissedInfo,
    QoSSubscriptionEventType.RCL_SUBSCRIPTION_LIVELINESS_CHANGED: QoSLivelinessChangedInfo,
    QoSSubscriptionEventType.RCL_SUBSCRIPTION_REQUESTED_INCOMPATIBLE_QOS: QoSRequestedIncompatibleQoSInfo,
    QoSSubscriptionEventType.RCL_SUBSCRIPTION_MESSAGE_LOST: QoSMessageLostInfo,
    QoSSubscriptionEventType.RCL_SUBSCRIPTION_INCOMPATIBLE_TYPE: IncompatibleTypeInfo,
    QoSSubscriptionEventType.RCL_SUBSCRIPTION_MATCHED: QoSSubscriptionMatchedInfo,
}
