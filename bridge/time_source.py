"""Simulated time, as rclpy has it: `use_sim_time` makes a node's clocks follow `/clock`."""

import weakref
from typing import TYPE_CHECKING, Any

from .clock import Clock, ClockType, ROSClock
from .messages import Message, message_class
from .qos import QoSProfile, ReliabilityPolicy
from .time import Time

if TYPE_CHECKING:
    from .node import Node
    from .subscription import Subscription

CLOCK_TOPIC = "/clock"
USE_SIM_TIME_NAME = "use_sim_time"


class TimeSource:
    """Sets the clocks that are attached to it, while ROS time is active, to what `/clock` says."""

    def __init__(self, *, node: "Node | None" = None) -> None:
        self._clock_sub: Subscription[Any] | None = None
        self._node: weakref.ref[Node] | None = None
        self._associated_clocks: list[ROSClock] = []
        self._last_time_set = Time(clock_type=ClockType.ROS_TIME)
        self._ros_time_is_active = False
        if node is not None:
            self.attach_node(node)

    @property
    def ros_time_is_active(self) -> bool:
        """Whether clocks show the time of `/clock`."""
        return self._ros_time_is_active

    @ros_time_is_active.setter
    def ros_time_is_active(self, enabled: bool) -> None:
        if self._ros_time_is_active == enabled:
            return
        self._ros_time_is_active = enabled
        for clock in self._associated_clocks:
            clock._set_ros_time_is_active(enabled)
        if enabled:
            self._subscribe()
        else:
            self._unsubscribe()

    def attach_node(self, node: "Node") -> None:
        """Take the parameter `use_sim_time` and the topic `/clock` from this node.

        Raises
        ------
        TypeError
            If it is not a node.
        """
        from .node import Node

        if not isinstance(node, Node):
            raise TypeError("Node must be of type rclpy.node.Node")
        if self._node is not None:
            self.detach_node()
        self._node = weakref.ref(node)
        if not node.has_parameter(USE_SIM_TIME_NAME):
            node.declare_parameter(USE_SIM_TIME_NAME, False)
        value = node.get_parameter(USE_SIM_TIME_NAME).value
        if isinstance(value, bool):
            self.ros_time_is_active = value
        else:
            node.get_logger().error(f"{USE_SIM_TIME_NAME} must be true or false, got {value!r}")
        node.add_on_set_parameters_callback(self._on_parameter_event)

    def detach_node(self) -> None:
        """Leave the node."""
        self._unsubscribe()
        node = self._get_node()
        if node is not None:
            node.remove_on_set_parameters_callback(self._on_parameter_event)
        self._node = None

    def attach_clock(self, clock: Clock) -> None:
        """Set this clock, too.

        Raises
        ------
        ValueError
            If it does not show ROS time.
        """
        if not isinstance(clock, ROSClock):
            raise ValueError("Only clocks with type ROS_TIME can be attached.")
        clock.set_ros_time_override(self._last_time_set)
        clock._set_ros_time_is_active(self.ros_time_is_active)
        self._associated_clocks.append(clock)

    def clock_callback(self, msg: Message) -> None:
        """Take a message of `/clock`."""
        self._last_time_set = Time.from_msg(msg.clock)
        for clock in self._associated_clocks:
            clock.set_ros_time_override(self._last_time_set)

    def _subscribe(self) -> None:
        node = self._get_node()
        if self._clock_sub is None and node is not None:
            profile = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
            kind = message_class("rosgraph_msgs/msg/Clock")
            self._clock_sub = node.create_subscription(kind, CLOCK_TOPIC, self.clock_callback, profile)

    def _unsubscribe(self) -> None:
        node = self._get_node()
        if self._clock_sub is not None and node is not None:
            node.destroy_subscription(self._clock_sub)
        self._clock_sub = None

    def _on_parameter_event(self, parameter_list: list[Any]) -> Message:
        result = message_class("rcl_interfaces/msg/SetParametersResult")(successful=True)
        for parameter in parameter_list:
            if parameter.name == USE_SIM_TIME_NAME:
                if isinstance(parameter.value, bool):
                    self.ros_time_is_active = parameter.value
                else:
                    result.successful = False
                    result.reason = f"{USE_SIM_TIME_NAME} parameter must be true or false"
        return result

    def _get_node(self) -> "Node | None":
        return None if self._node is None else self._node()
