"""What is known of a publisher or subscription somewhere in the graph, as rclpy has it."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from .qos import DurabilityPolicy, HistoryPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy
from .type_hash import TypeHash, TypeHashDictionary


class TopicEndpointTypeEnum(IntEnum):
    """Which end of a topic."""

    INVALID = 0
    PUBLISHER = 1
    SUBSCRIPTION = 2


def _unknown_profile() -> QoSProfile:
    return QoSProfile(
        HistoryPolicy.UNKNOWN,
        0,
        ReliabilityPolicy.UNKNOWN,
        DurabilityPolicy.UNKNOWN,
        liveliness=LivelinessPolicy.UNKNOWN,
    )


class TopicEndpointInfo:
    """One end of a topic. A value of the wrong type is refused with an AssertionError, as in rclpy."""

    __slots__ = (
        "_endpoint_gid",
        "_endpoint_type",
        "_node_name",
        "_node_namespace",
        "_qos_profile",
        "_topic_type",
        "_topic_type_hash",
    )

    def __init__(
        self,
        node_name: str = "",
        node_namespace: str = "",
        topic_type: str = "",
        topic_type_hash: TypeHash | TypeHashDictionary | None = None,
        endpoint_type: TopicEndpointTypeEnum | int = TopicEndpointTypeEnum.INVALID,
        endpoint_gid: list[int] | None = None,
        qos_profile: QoSProfile | Mapping[str, Any] | None = None,
    ) -> None:
        self.node_name = node_name
        self.node_namespace = node_namespace
        self.topic_type = topic_type
        # mypy takes the type of a property from its getter; the setters take more
        self.topic_type_hash = TypeHash() if topic_type_hash is None else topic_type_hash
        self.endpoint_type = endpoint_type
        self.endpoint_gid = [] if endpoint_gid is None else endpoint_gid
        self.qos_profile = _unknown_profile() if qos_profile is None else qos_profile

    @property
    def node_name(self) -> str:
        """Of the node that has it, without the namespace."""
        return self._node_name

    @node_name.setter
    def node_name(self, value: str) -> None:
        assert isinstance(value, str)
        self._node_name = value

    @property
    def node_namespace(self) -> str:
        """Of the node that has it."""
        return self._node_namespace

    @node_namespace.setter
    def node_namespace(self, value: str) -> None:
        assert isinstance(value, str)
        self._node_namespace = value

    @property
    def topic_type(self) -> str:
        """Such as `std_msgs/msg/String`."""
        return self._topic_type

    @topic_type.setter
    def topic_type(self, value: str) -> None:
        assert isinstance(value, str)
        self._topic_type = value

    @property
    def topic_type_hash(self) -> TypeHash:
        """Of the message definition."""
        return self._topic_type_hash

    @topic_type_hash.setter
    def topic_type_hash(self, value: TypeHash | TypeHashDictionary) -> None:
        assert isinstance(value, TypeHash | dict)
        self._topic_type_hash = value if isinstance(value, TypeHash) else TypeHash(**value)

    @property
    def endpoint_type(self) -> TopicEndpointTypeEnum:
        """Which end it is."""
        return self._endpoint_type

    @endpoint_type.setter
    def endpoint_type(self, value: TopicEndpointTypeEnum | int) -> None:
        assert isinstance(value, int)
        self._endpoint_type = TopicEndpointTypeEnum(value)

    @property
    def endpoint_gid(self) -> list[int]:
        """Bytes that tell it from all others."""
        return self._endpoint_gid

    @endpoint_gid.setter
    def endpoint_gid(self, value: list[int]) -> None:
        assert all(isinstance(byte, int) for byte in value)
        self._endpoint_gid = value

    @property
    def qos_profile(self) -> QoSProfile:
        """What it offers or asks for."""
        return self._qos_profile

    @qos_profile.setter
    def qos_profile(self, value: QoSProfile | Mapping[str, Any]) -> None:
        assert isinstance(value, QoSProfile | Mapping)
        self._qos_profile = value if isinstance(value, QoSProfile) else QoSProfile(**value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TopicEndpointInfo):
            return False
        return all(getattr(self, slot) == getattr(other, slot) for slot in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # mutable, as in rclpy

    def __str__(self) -> str:
        profile = self.qos_profile
        history = profile.history.name
        if profile.history == HistoryPolicy.KEEP_LAST:
            history += f" ({profile.depth})"
        lines = (
            ("Node name", self.node_name),
            ("Node namespace", self.node_namespace),
            ("Topic type", self.topic_type),
            ("Topic type hash", self.topic_type_hash),
            ("Endpoint type", self.endpoint_type.name),
            ("GID", ".".join(f"{byte:02x}" for byte in self.endpoint_gid)),
        )
        policies = (
            ("Reliability", profile.reliability.name),
            ("History (Depth)", history),
            ("Durability", profile.durability.name),
            ("Lifespan", profile.lifespan),
            ("Deadline", profile.deadline),
            ("Liveliness", profile.liveliness.name),
            ("Liveliness lease duration", profile.liveliness_lease_duration),
        )
        return "\n".join(
            [
                *(f"{name}: {value}" for name, value in lines),
                "QoS profile:",
                *(f"  {name}: {value}" for name, value in policies),
            ]
        )
