"""The topics on which an agent shows its state, with their ROS 2 types."""

from typing import NamedTuple


class Topic(NamedTuple):
    """One topic of the agent's state."""

    name: str
    type_name: str
    each_period: bool = (
        True  #: published every control period; the others when they change, kept for late joiners
    )


#: every control period, in the order of publication: the clock comes last
PERIODIC = (
    Topic("/odom", "nav_msgs/msg/Odometry"),  #: pose: the agent's estimate, frame "map"; twist: measured
    Topic("/cmd_vel", "geometry_msgs/msg/Twist"),
    Topic("/camera/events", "tolman_msgs/msg/EventPacket"),
    Topic("/place_cells", "std_msgs/msg/Float32MultiArray"),
    Topic("/spikes", "tolman_msgs/msg/Spikes"),
    Topic("/dopamine", "std_msgs/msg/Float32"),
    Topic("/value", "std_msgs/msg/Float32"),
    Topic("/pose_estimate", "geometry_msgs/msg/PoseStamped"),
    Topic("/reward", "std_msgs/msg/Float32"),
    Topic(
        "/true_pose", "geometry_msgs/msg/PoseStamped"
    ),  #: for scoring and viewing only; absent unless given
    Topic("/clock", "rosgraph_msgs/msg/Clock"),
)
#: JSON in a string, latched
LATCHED = (
    Topic("/arena", "std_msgs/msg/String", False),  #: walls, goal, and where the agent's map has its origin
    Topic(
        "/populations", "std_msgs/msg/String", False
    ),  #: name to [first, stop) of the global neuron indices
)
TOPICS = {topic.name: topic for topic in (*PERIODIC, *LATCHED)}
