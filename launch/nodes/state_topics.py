"""What an agent shows of itself each control period, on the topics that `tolman view` draws."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from ...agent import AgentSnapshot
from .periods import PERIOD_NS
from .ros import LATCHED, PERIODIC, S_TO_NS, Node, message, sequence


class StateTopics:
    """Publishers of spikes, place cells, value, dopamine and the estimated pose of `node`."""

    def __init__(self, node: Node, populations: Mapping[str, slice]) -> None:
        self._spikes_type = message("tolman_msgs/msg/Spikes")
        self._array_type = message("std_msgs/msg/Float32MultiArray")
        self._dimension_type = message("std_msgs/msg/MultiArrayDimension")
        self._number_type = message("std_msgs/msg/Float32")
        self._pose_type = message("geometry_msgs/msg/PoseStamped")
        text_type = message("std_msgs/msg/String")
        self._spikes = node.create_publisher(self._spikes_type, "/spikes", PERIODIC)
        self._places = node.create_publisher(self._array_type, "/place_cells", PERIODIC)
        self._dopamine = node.create_publisher(self._number_type, "/dopamine", PERIODIC)
        self._value = node.create_publisher(self._number_type, "/value", PERIODIC)
        self._pose = node.create_publisher(self._pose_type, "/pose_estimate", PERIODIC)
        self._populations = node.create_publisher(text_type, "/populations", LATCHED)
        spans = {name: [span.start, span.stop] for name, span in populations.items()}
        self._populations.publish(text_type(data=json.dumps(spans)))

    def publish(self, seen: AgentSnapshot, end: int) -> None:
        """Publish the period that ended `end` ns."""
        if self._spikes.get_subscription_count():
            spikes = self._spikes_type()
            spikes.header.stamp.sec, spikes.header.stamp.nanosec = divmod(max(end - PERIOD_NS, 0), S_TO_NS)
            spikes.neuron = sequence(seen.spike_neuron, "uint32")
            spikes.time_ms = sequence(seen.spike_time, "uint16")
            self._spikes.publish(spikes)
        if self._places.get_subscription_count():
            size = len(seen.place_activity)
            places = self._array_type(data=sequence(seen.place_activity, "float32"))
            places.layout.dim = [self._dimension_type(label="place", size=size, stride=size)]
            self._places.publish(places)
        self._dopamine.publish(self._number_type(data=float(seen.dopamine)))
        self._value.publish(self._number_type(data=float(seen.value)))
        pose = self._pose_type()
        pose.header.frame_id = "map"
        pose.header.stamp.sec, pose.header.stamp.nanosec = divmod(end, S_TO_NS)
        x, y, heading = (float(v) for v in seen.pose_estimate)
        pose.pose.position.x, pose.pose.position.y = x, y
        pose.pose.orientation.z, pose.pose.orientation.w = math.sin(heading / 2), math.cos(heading / 2)
        self._pose.publish(pose)
