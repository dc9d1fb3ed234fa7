"""The few names that programs take from rclpy's C extension, as the bridge has them."""

from types import SimpleNamespace

from .. import exceptions, ros_arguments
from ..action.goal_state import GoalEvent
from ..clock import ClockChange, ClockType
from ..end_events import EventHandle
from ..event_status import (
    IncompatiblePolicy,
    IncompatibleTypeInfo,
    QoSLivelinessChangedInfo,
    QoSLivelinessLostInfo,
    QoSMessageLostInfo,
    QoSOfferedDeadlineMissedInfo,
    QoSPublisherEventType,
    QoSRequestedDeadlineMissedInfo,
    QoSRequestedIncompatibleQoSInfo,
    QoSSubscriptionEventType,
    QoSSubscriptionMatchedInfo,
)
from ..lifecycle.state_machine import TransitionCallbackReturn
from ..qos import InvalidQoSProfileException, QoSCompatibility, QoSPresetProfiles, QoSProfile
from ..service_introspection import ServiceIntrospectionState
from ..signals import SignalHandlerOptions
from ..wait_set import WaitSet
from .entities import Client, GuardCondition, Service, Subscription, Timer


def _predefined(name: str) -> QoSProfile:
    return QoSPresetProfiles[name.removeprefix("qos_profile_").upper()].value


rclpy_implementation = SimpleNamespace(
    Client=Client,
    ClockChange=ClockChange,
    ClockType=ClockType,
    EventHandle=EventHandle,
    GoalEvent=GoalEvent,
    GuardCondition=GuardCondition,
    InvalidHandle=exceptions.InvalidHandle,
    InvalidQoSProfileException=InvalidQoSProfileException,
    NodeNameNonExistentError=exceptions.NodeNameNonExistentError,
    QoSCompatibility=QoSCompatibility,
    RCLError=RuntimeError,
    RCLInvalidROSArgsError=ros_arguments.RCLInvalidROSArgsError,
    Service=Service,
    SignalHandlerOptions=SignalHandlerOptions,
    Subscription=Subscription,
    Timer=Timer,
    TransitionCallbackReturnType=TransitionCallbackReturn,
    UnknownROSArgsError=ros_arguments.UnknownROSArgsError,
    UnsupportedEventTypeError=exceptions.UnsupportedEventTypeError,
    WaitSet=WaitSet,
    service_introspection=SimpleNamespace(ServiceIntrospectionState=ServiceIntrospectionState),
    rcl_publisher_event_type_t=QoSPublisherEventType,
    rcl_subscription_event_type_t=QoSSubscriptionEventType,
    rmw_incompatible_type_status_t=IncompatibleTypeInfo,
    rmw_liveliness_changed_status_t=QoSLivelinessChangedInfo,
    rmw_liveliness_lost_status_t=QoSLivelinessLostInfo,
    rmw_matched_status_t=QoSSubscriptionMatchedInfo,
    rmw_message_lost_status_t=QoSMessageLostInfo,
    rmw_offered_deadline_missed_status_t=QoSOfferedDeadlineMissedInfo,
    rmw_requested_deadline_missed_status_t=QoSRequestedDeadlineMissedInfo,
    rmw_requested_qos_incompatible_event_status_t=QoSRequestedIncompatibleQoSInfo,
    rmw_qos_policy_kind_t=IncompatiblePolicy,
    rmw_qos_profile_t=SimpleNamespace(predefined=_predefined),
    rclpy_get_rmw_implementation_identifier=lambda: "tolman_zmq",
)
