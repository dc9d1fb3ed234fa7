"""The few names that programs take from rclpy's C extension, as the bridge has them."""

from types import SimpleNamespace

from .. import exceptions, ros_arguments
from ..clock import ClockChange, ClockType
from ..qos import InvalidQoSProfileException

rclpy_implementation = SimpleNamespace(
    ClockChange=ClockChange,
    ClockType=ClockType,
    InvalidHandle=exceptions.InvalidHandle,
    InvalidQoSProfileException=InvalidQoSProfileException,
    NodeNameNonExistentError=exceptions.NodeNameNonExistentError,
    RCLError=RuntimeError,
    RCLInvalidROSArgsError=ros_arguments.RCLInvalidROSArgsError,
    UnknownROSArgsError=ros_arguments.UnknownROSArgsError,
    UnsupportedEventTypeError=exceptions.UnsupportedEventTypeError,
    rclpy_get_rmw_implementation_identifier=lambda: "tolman_zmq",
)
