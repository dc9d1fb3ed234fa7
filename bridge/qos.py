"""Quality of service, as rclpy has it: what a publisher offers and a subscription asks for.

What the bridge honours: history KEEP_LAST with its depth, both reliabilities (TCP with bounded queues; losses
are counted), both durabilities. What it cannot honour (KEEP_ALL, deadline, lifespan, manual liveliness)
`check_supported` refuses.
"""

from enum import Enum, IntEnum

from .duration import Duration


class QoSPolicyEnum(IntEnum):
    """Base of the policies, with the short names that command lines use."""

    @classmethod
    def short_keys(cls) -> list[str]:
        """Names in lower case."""
        return [name.lower() for name in cls.__members__ if name != "RMW_DEFAULT"]

    @classmethod
    def get_from_short_key(cls, name: str) -> int:
        """Value of a name in lower case."""
        return cls[name.upper()].value

    @property
    def short_key(self) -> str:
        """The name in lower case.

        Raises
        ------
        AttributeError
            If the value has no name.
        """
        return self.name.lower()


class HistoryPolicy(QoSPolicyEnum):
    """How many samples are kept."""

    SYSTEM_DEFAULT = 0
    KEEP_LAST = 1
    KEEP_ALL = 2
    UNKNOWN = 3


class ReliabilityPolicy(QoSPolicyEnum):
    """Whether delivery is promised."""

    SYSTEM_DEFAULT = 0
    RELIABLE = 1
    BEST_EFFORT = 2
    UNKNOWN = 3
    BEST_AVAILABLE = 4


class DurabilityPolicy(QoSPolicyEnum):
    """Whether late joiners get earlier samples."""

    SYSTEM_DEFAULT = 0
    TRANSIENT_LOCAL = 1
    VOLATILE = 2
    UNKNOWN = 3
    BEST_AVAILABLE = 4


class LivelinessPolicy(QoSPolicyEnum):
    """How a publisher shows that it is alive."""

    SYSTEM_DEFAULT = 0
    AUTOMATIC = 1
    MANUAL_BY_TOPIC = 3
    UNKNOWN = 4
    BEST_AVAILABLE = 5


QoSHistoryPolicy = HistoryPolicy
QoSReliabilityPolicy = ReliabilityPolicy
QoSDurabilityPolicy = DurabilityPolicy
QoSLivelinessPolicy = LivelinessPolicy


class InvalidQoSProfileException(Exception):
    """Raised when a profile is incomplete or cannot be honoured."""

    def __init__(self, message: str) -> None:
        super().__init__(f"Invalid QoSProfile: {message}")


class QoSProfile:
    """A set of policies. Durations of zero mean "not specified".

    Raises
    ------
    InvalidQoSProfileException
        If neither history nor depth is given, or KEEP_LAST without a depth.
    ValueError
        If a policy has no such value or the depth is negative.
    """

    def __init__(
        self,
        history: HistoryPolicy | None = None,
        depth: int | None = None,
        reliability: ReliabilityPolicy | None = None,
        durability: DurabilityPolicy | None = None,
        lifespan: Duration | None = None,
        deadline: Duration | None = None,
        liveliness: LivelinessPolicy | None = None,
        liveliness_lease_duration: Duration | None = None,
        avoid_ros_namespace_conventions: bool | None = None,
    ) -> None:
        if history is None:
            if depth is None:
                raise InvalidQoSProfileException("History and/or depth settings are required.")
            history = HistoryPolicy.KEEP_LAST
        if history == HistoryPolicy.KEEP_LAST and depth is None:
            raise InvalidQoSProfileException("History set to KEEP_LAST without a depth setting.")
        self.history = HistoryPolicy(history)
        self.depth = 10 if depth is None else depth
        if not isinstance(self.depth, int) or self.depth < 0:
            raise ValueError(f"depth must be an integer >= 0, got {self.depth!r}")
        self.reliability = (
            ReliabilityPolicy.RELIABLE if reliability is None else ReliabilityPolicy(reliability)
        )
        self.durability = DurabilityPolicy.VOLATILE if durability is None else DurabilityPolicy(durability)
        self.lifespan = lifespan or Duration()
        self.deadline = deadline or Duration()
        self.liveliness = (
            LivelinessPolicy.SYSTEM_DEFAULT if liveliness is None else LivelinessPolicy(liveliness)
        )
        self.liveliness_lease_duration = liveliness_lease_duration or Duration()
        self.avoid_ros_namespace_conventions = bool(avoid_ros_namespace_conventions)

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if isinstance(other, QoSProfile) else False

    __hash__ = None  # type: ignore[assignment]  # as in rclpy

    def __str__(self) -> str:
        return f"QoSProfile({', '.join(f'{name}={value}' for name, value in vars(self).items())})"


def packed(profile: QoSProfile) -> tuple[int, ...]:
    """The policies as numbers, to be announced; durations in ns."""
    return (
        int(profile.history),
        profile.depth,
        int(profile.reliability),
        int(profile.durability),
        profile.lifespan.nanoseconds,
        profile.deadline.nanoseconds,
        int(profile.liveliness),
        profile.liveliness_lease_duration.nanoseconds,
    )


def unpacked(policies: tuple[int, ...]) -> QoSProfile:
    """The profile that `packed` made numbers of; raises ValueError if there is none."""
    history, depth, reliability, durability, lifespan, deadline, liveliness, lease = policies
    return QoSProfile(
        HistoryPolicy(history),
        depth,
        ReliabilityPolicy(reliability),
        DurabilityPolicy(durability),
        Duration(nanoseconds=lifespan),
        Duration(nanoseconds=deadline),
        LivelinessPolicy(liveliness),
        Duration(nanoseconds=lease),
    )


def check_supported(profile: QoSProfile) -> None:
    """Refuse what the bridge cannot honour.

    Raises
    ------
    InvalidQoSProfileException
        Naming the policy and what is possible.
    """
    if profile.history == HistoryPolicy.KEEP_ALL:
        raise InvalidQoSProfileException("KEEP_ALL would need unbounded memory; use KEEP_LAST with a depth")
    for name in ("lifespan", "deadline", "liveliness_lease_duration"):
        if getattr(profile, name).nanoseconds:
            raise InvalidQoSProfileException(f"{name} is not supported by this bridge; leave it unspecified")
    if profile.liveliness == LivelinessPolicy.MANUAL_BY_TOPIC:
        raise InvalidQoSProfileException("liveliness MANUAL_BY_TOPIC is not supported; use AUTOMATIC")


_BEST_EFFORT = ReliabilityPolicy.BEST_EFFORT
qos_profile_default = QoSProfile(depth=10)
qos_profile_system_default = QoSProfile(
    HistoryPolicy.SYSTEM_DEFAULT, 0, ReliabilityPolicy.SYSTEM_DEFAULT, DurabilityPolicy.SYSTEM_DEFAULT
)
qos_profile_sensor_data = QoSProfile(depth=5, reliability=_BEST_EFFORT)
qos_profile_services_default = QoSProfile(depth=10)
qos_profile_parameters = QoSProfile(depth=1000)
qos_profile_parameter_events = QoSProfile(depth=1000)
qos_profile_action_status_default = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class QoSPresetProfiles(Enum):
    """The profiles that have names."""

    DEFAULT = qos_profile_default
    SYSTEM_DEFAULT = qos_profile_system_default
    SENSOR_DATA = qos_profile_sensor_data
    SERVICES_DEFAULT = qos_profile_services_default
    PARAMETERS = qos_profile_parameters
    PARAMETER_EVENTS = qos_profile_parameter_events
    ACTION_STATUS_DEFAULT = qos_profile_action_status_default

    @classmethod
    def short_keys(cls) -> list[str]:
        """Names in lower case."""
        return [name.lower() for name in cls.__members__]

    @classmethod
    def get_from_short_key(cls, name: str) -> QoSProfile:
        """Profile of a name in lower case."""
        return cls[name.upper()].value
