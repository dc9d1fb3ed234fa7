"""Quality of service from parameters, as rclpy has it: `qos_overrides./topic.publisher.depth` and others."""

import copy
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Self

from .duration import Duration
from .exceptions import ParameterAlreadyDeclaredException
from .messages import Message
from .parameter import Parameter, rcl_message
from .publisher import Publisher
from .qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSPolicyEnum,
    QoSProfile,
    ReliabilityPolicy,
)
from .qos_policy_kind import QoSPolicyKind
from .subscription import Subscription

if TYPE_CHECKING:
    from .node_parameters import NodeParameters

_ENUMS: dict[QoSPolicyKind, type[QoSPolicyEnum]] = {
    QoSPolicyKind.HISTORY: HistoryPolicy,
    QoSPolicyKind.RELIABILITY: ReliabilityPolicy,
    QoSPolicyKind.DURABILITY: DurabilityPolicy,
    QoSPolicyKind.LIVELINESS: LivelinessPolicy,
}
_DURATIONS = (QoSPolicyKind.LIFESPAN, QoSPolicyKind.DEADLINE, QoSPolicyKind.LIVELINESS_LEASE_DURATION)


class InvalidQosOverridesError(Exception):
    """Raised when the callback of the options rejects a profile."""


QosCallbackType = Callable[[QoSProfile], Message]  #: returns a SetParametersResult


def __getattr__(name: str) -> Any:
    # In rclpy QosCallbackResult is the class SetParametersResult. Message classes are made on request.
    if name == "QosCallbackResult":
        return rcl_message("SetParametersResult")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class QoSOverridingOptions:
    """Which policies of a publisher or subscription parameters may change.

    Parameters
    ----------
    policy_kinds : iterable of QoSPolicyKind
        The policies.
    callback : callable, optional
        Given the profile after the changes; may reject it with a SetParametersResult.
    entity_id : str, optional
        Becomes part of the names, to tell publishers or subscriptions of one topic apart.
    """

    def __init__(
        self,
        policy_kinds: Iterable[QoSPolicyKind],
        *,
        callback: QosCallbackType | None = None,
        entity_id: str | None = None,
    ) -> None:
        self._policy_kinds = policy_kinds
        self._callback = callback
        self._entity_id = entity_id

    @property
    def policy_kinds(self) -> Iterable[QoSPolicyKind]:
        """The policies that get a parameter."""
        return self._policy_kinds

    @property
    def callback(self) -> QosCallbackType | None:
        """What may reject the profile."""
        return self._callback

    @property
    def entity_id(self) -> str | None:
        """What tells it apart."""
        return self._entity_id

    @classmethod
    def with_default_policies(
        cls, *, callback: QosCallbackType | None = None, entity_id: str | None = None
    ) -> Self:
        """Options for history, depth and reliability."""
        kinds = (QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH, QoSPolicyKind.RELIABILITY)
        return cls(kinds, callback=callback, entity_id=entity_id)


def declare_qos_parameters(
    entity_type: type[Publisher[Any]] | type[Subscription[Any]],
    node: "NodeParameters",
    topic_name: str,
    qos: QoSProfile,
    options: QoSOverridingOptions | None,
) -> QoSProfile:
    """The profile that parameters make of `qos`, which stays as it is; without options `qos` itself.

    Raises
    ------
    InvalidQoSProfileException
        If the bridge cannot honour the result.
    TypeError, ValueError, RuntimeError, InvalidQosOverridesError
        As `_declare_qos_parameters`.
    """
    if options is None:
        return qos
    changed = copy.copy(qos)
    _declare_qos_parameters(entity_type, node, topic_name, changed, options)
    return changed


def _declare_qos_parameters(
    entity_type: type[Publisher[Any]] | type[Subscription[Any]],
    node: "NodeParameters",
    topic_name: str,
    qos: QoSProfile,
    options: QoSOverridingOptions,
) -> None:
    """Declare read-only parameters for the policies of `qos`, and change `qos` in place to what they say.

    Raises
    ------
    TypeError
        If `entity_type` is neither a Publisher nor a Subscription class.
    ValueError
        If a policy of `qos` is UNKNOWN.
    RuntimeError
        If an override names no policy.
    InvalidQosOverridesError
        If the callback of the options rejects the result.
    """
    if not issubclass(entity_type, Publisher | Subscription):
        raise TypeError(f"entity_type must be a Publisher or Subscription class, got {entity_type!r}")
    entity = "publisher" if issubclass(entity_type, Publisher) else "subscription"
    suffix = "" if options.entity_id is None else f"_{options.entity_id}"
    about = f"{entity} `{topic_name}`" + (f" with id `{options.entity_id}`" if suffix else "")
    for kind in options.policy_kinds:
        if kind == QoSPolicyKind.LIFESPAN and entity == "subscription":  # only publishers have one
            continue
        policy = kind.name.lower()
        name = f"qos_overrides.{topic_name}.{entity}{suffix}.{policy}"
        descriptor = rcl_message("ParameterDescriptor")(description=f"{policy} of {about}", read_only=True)
        try:
            parameter = node.declare_parameter(name, _get_qos_policy_parameter(qos, kind), descriptor)
        except ParameterAlreadyDeclaredException:
            parameter = node.get_parameter(name)
        _override_qos_policy_with_param(qos, kind, parameter)
    if options.callback is not None and not (result := options.callback(qos)).successful:
        raise InvalidQosOverridesError(f"quality of service of {about} was rejected: {result.reason}")


def _get_qos_policy_parameter(qos: QoSProfile, policy: QoSPolicyKind) -> str | int | bool:
    """The value of a policy in the form of a parameter: names in lower case, durations in ns."""
    value: Any = getattr(qos, policy.name.lower())
    if isinstance(value, QoSPolicyEnum):
        if value.name == "UNKNOWN":
            raise ValueError(f"the quality-of-service profile has an unknown {policy.name.lower()}")
        return value.name.lower()
    if isinstance(value, Duration):
        return value.nanoseconds
    assert isinstance(value, int)  # depth and avoid_ros_namespace_conventions
    return value


def _override_qos_policy_with_param(qos: QoSProfile, policy: QoSPolicyKind, param: Parameter[Any]) -> None:
    """Set a policy to what a parameter says."""
    value = param.value
    if policy in _ENUMS:
        enum = _ENUMS[policy]
        try:
            value = enum[value.upper()]
        except KeyError:
            allowed = ", ".join(name for name in enum.short_keys() if name != "unknown")
            raise RuntimeError(
                f"parameter {param.name}: {policy.name.lower()} must be one of {allowed}, got {value!r}"
            ) from None
    elif policy in _DURATIONS:
        value = Duration(nanoseconds=value)
    setattr(qos, policy.name.lower(), value)
