"""The few names that programs take from rclpy's C extension, as the bridge has them."""

from types import SimpleNamespace

from .. import exceptions, ros_arguments
from ..action.goal_state import GoalEvent
from ..clock import ClockChange, ClockType
from ..lifecycle.state_machine import TransitionCallbackReturn
from ..qos import InvalidQoSProfileException, QoSCompatibility, QoSPresetProfiles, QoSProfile
from ..service_introspection import ServiceIntrospectionState
from ..signals import SignalHandlerOptions


def _predefined(name: str) -> QoSProfile:
    return QoSPresetProfiles[name.removeprefix("qos_profile_").upper()].value


rclpy_implementation = SimpleNamespace(
    ClockChange=ClockChange,
    ClockType=ClockType,
    GoalEvent=GoalEvent,
    InvalidHandle=exceptions.InvalidHandle,
    InvalidQoSProfileException=InvalidQoSProfileException,
    NodeNameNonExistentError=exceptions.NodeNameNonExistentError,
    QoSCompatibility=QoSCompatibility,
    RCLError=RuntimeError,
    RCLInvalidROSArgsError=ros_arguments.RCLInvalidROSArgsError,
    SignalHandlerOptions=SignalHandlerOptions,
    TransitionCallbackReturnType=TransitionCallbackReturn,
    UnknownROSArgsError=ros_arguments.UnknownROSArgsError,
    UnsupportedEventTypeError=exceptions.UnsupportedEventTypeError,
    service_introspection=SimpleNamespace(ServiceIntrospectionState=ServiceIntrospectionState),
    rmw_qos_profile_t=SimpleNamespace(predefined=_predefined),
    rclpy_get_rmw_implementation_identifier=lambda: "tolman_zmq",
)
