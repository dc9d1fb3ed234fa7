"""Quality of service, as rclpy has it: what a publisher offers and a subscription asks for.

The bridge honours history KEEP_LAST with its depth, KEEP_ALL up to `KEEP_ALL_LIMIT` samples, reliability
(TCP with bounded queues; losses are counted), both durabilities, and the lifespan of what is kept for late
joiners. Deadline and liveliness cause events (`event_handler`). A publisher and a subscription whose profiles
do not fit (`conflict`) exchange nothing.
"""

import functools
import warnings
from enum import Enum, IntEnum
from typing import Any

from .duration import Duration
from .qos_policy_kind import QoSPolicyKind, qos_policy_name_from_kind

__all__ = [
    "KEEP_ALL_LIMIT",
    "DurabilityPolicy",
    "HistoryPolicy",
    "InvalidQoSProfileException",
    "LivelinessPolicy",
    "QoSCompatibility",
    "QoSDurabilityPolicy",
    "QoSHistoryPolicy",
    "QoSLivelinessPolicy",
    "QoSPolicyEnum",
    "QoSPolicyKind",
    "QoSPresetProfiles",
    "QoSProfile",
    "QoSReliabilityPolicy",
    "ReliabilityPolicy",
    "conflict",
    "kept",
    "packed",
    "qos_check_compatible",
    "qos_policy_name_from_kind",
    "qos_profile_action_status_default",
    "qos_profile_best_available",
    "qos_profile_default",
    "qos_profile_parameter_events",
    "qos_profile_parameters",
    "qos_profile_sensor_data",
    "qos_profile_services_default",
    "qos_profile_system_default",
    "unpacked",
]

KEEP_ALL_LIMIT = 10_000  #: samples kept with KEEP_ALL: a queue without an end would be memory without one


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
        self._depth = 10
        if depth is not None:
            self.depth = depth
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

    @property
    def depth(self) -> int:
        """How many samples KEEP_LAST keeps."""
        return self._depth

    @depth.setter
    def depth(self, value: int) -> None:
        if not isinstance(value, int) or value < 0:
            raise ValueError(f"depth must be an integer >= 0, got {value!r}")
        if self.history == HistoryPolicy.KEEP_LAST and value == 0:
            warnings.warn(
                "A zero depth with KEEP_LAST doesn't make sense; no data could be stored.", stacklevel=3
            )
        self._depth = value

    def to_dict(self) -> dict[str, Any]:
        """The arguments that make this profile."""
        return {name.removeprefix("_"): value for name, value in vars(self).items()}

    def get_c_qos_profile(self) -> "QoSProfile":
        """Itself: there is no other form here."""
        return self

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if isinstance(other, QoSProfile) else False

    __hash__ = None  # type: ignore[assignment]  # as in rclpy

    def __str__(self) -> str:
        return f"QoSProfile({', '.join(f'{name}={value}' for name, value in self.to_dict().items())})"


PACKED = 8  #: numbers in a packed profile


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


def kept(profile: QoSProfile) -> int:
    """How many samples are kept: `depth`, or with KEEP_ALL the most that memory is risked for."""
    return KEEP_ALL_LIMIT if profile.history == HistoryPolicy.KEEP_ALL else max(profile.depth, 1)


def is_set(nanoseconds: int) -> bool:
    """Whether a duration of a profile means anything: neither "not specified" nor for ever."""
    return 0 < nanoseconds < DeadlineBestAvailable.nanoseconds


@functools.lru_cache(1024)
def conflict(offered: tuple[int, ...], asked: tuple[int, ...]) -> QoSPolicyKind | None:
    """The policy, last in the order of DDS, in which a publisher offers less than a subscription asks for.

    Parameters
    ----------
    offered, asked : tuple of int
        The profiles, `packed`. Where one leaves a policy to the system it is RELIABLE, VOLATILE or AUTOMATIC;
        BEST_AVAILABLE, what is unknown and what is no profile at all fit everything.

    Returns
    -------
    QoSPolicyKind or None
        None if they fit: OMG DDS 1.4, 2.2.3, "RxO".
    """
    if not len(offered) == len(asked) == PACKED:  # announced by nobody that we could understand
        return None
    (_, _, reliable, durable, _, promised, shows, lease) = offered
    (_, _, wants_reliable, wants_durable, _, wants, wants_shown, wants_lease) = asked
    reliability, durability, liveliness = ReliabilityPolicy, DurabilityPolicy, LivelinessPolicy
    found = None
    volatile = (durability.VOLATILE, durability.SYSTEM_DEFAULT)
    if durable in volatile and wants_durable == durability.TRANSIENT_LOCAL:
        found = QoSPolicyKind.DURABILITY
    if is_set(wants) and not (promised == DeadlineBestAvailable.nanoseconds or 0 < promised <= wants):
        found = QoSPolicyKind.DEADLINE
    automatic = (liveliness.AUTOMATIC, liveliness.SYSTEM_DEFAULT)
    best_lease = DeadlineBestAvailable.nanoseconds
    if (shows in automatic and wants_shown == liveliness.MANUAL_BY_TOPIC) or (
        is_set(wants_lease) and not (lease == best_lease or 0 < lease <= wants_lease)
    ):
        found = QoSPolicyKind.LIVELINESS
    always = (reliability.RELIABLE, reliability.SYSTEM_DEFAULT)
    if reliable == reliability.BEST_EFFORT and wants_reliable in always:
        found = QoSPolicyKind.RELIABILITY
    return found


#: what leaves a duration to the other end; one ns less than for ever, as in ROS 2
DeadlineBestAvailable = LivelinessLeaseDurationeBestAvailable = Duration(nanoseconds=2**63 - 2)

_BEST_EFFORT = ReliabilityPolicy.BEST_EFFORT
qos_profile_default = QoSProfile(depth=10)
qos_profile_system_default = QoSProfile(
    HistoryPolicy.SYSTEM_DEFAULT, 0, ReliabilityPolicy.SYSTEM_DEFAULT, DurabilityPolicy.SYSTEM_DEFAULT
)
qos_profile_sensor_data = QoSProfile(depth=5, reliability=_BEST_EFFORT)
qos_profile_services_default = QoSProfile(depth=10)
qos_profile_best_available = QoSProfile(
    depth=10,
    reliability=ReliabilityPolicy.BEST_AVAILABLE,
    durability=DurabilityPolicy.BEST_AVAILABLE,
    deadline=DeadlineBestAvailable,
    liveliness=LivelinessPolicy.BEST_AVAILABLE,
    liveliness_lease_duration=LivelinessLeaseDurationeBestAvailable,
)
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
    BEST_AVAILABLE = qos_profile_best_available

    @classmethod
    def short_keys(cls) -> list[str]:
        """Names in lower case."""
        return [name.lower() for name in cls.__members__]

    @classmethod
    def get_from_short_key(cls, name: str) -> QoSProfile:
        """Profile of a name in lower case."""
        return cls[name.upper()].value


class QoSCompatibility(IntEnum):
    """Whether a publisher and a subscription can be matched."""

    OK = 0
    WARNING = 1
    ERROR = 2


def qos_check_compatible(
    publisher_qos: QoSProfile, subscription_qos: QoSProfile
) -> tuple[QoSCompatibility, str]:
    """Whether what a publisher offers is what a subscription asks for, by the rules of DDS, and why not."""
    offered, asked = publisher_qos, subscription_qos
    errors, doubts = [], []
    best_effort, volatile = ReliabilityPolicy.BEST_EFFORT, DurabilityPolicy.VOLATILE
    if offered.reliability == best_effort and asked.reliability == ReliabilityPolicy.RELIABLE:
        errors.append("ERROR: Best effort publisher and reliable subscription;")
    if offered.durability == volatile and asked.durability == DurabilityPolicy.TRANSIENT_LOCAL:
        errors.append("ERROR: Volatile publisher and transient local subscription;")
    automatic, manual = LivelinessPolicy.AUTOMATIC, LivelinessPolicy.MANUAL_BY_TOPIC
    if offered.liveliness == automatic and asked.liveliness == manual:
        errors.append("ERROR: Publisher's liveliness is automatic and subscription's is manual by topic;")
    for name in ("deadline", "liveliness_lease_duration"):
        promised, wanted = getattr(offered, name).nanoseconds, getattr(asked, name).nanoseconds
        if wanted and (not promised or promised > wanted):
            errors.append(f"ERROR: Subscription has a {name} that the publisher does not promise;")
    for name in ("reliability", "durability", "liveliness"):
        kinds = {getattr(offered, name).name, getattr(asked, name).name}
        if kinds & {"SYSTEM_DEFAULT", "UNKNOWN"} and len(kinds) > 1:
            doubts.append(f"WARNING: {name} may be {' or '.join(sorted(kinds))};")
    if errors:
        return QoSCompatibility.ERROR, " ".join(errors)
    return (QoSCompatibility.WARNING, " ".join(doubts)) if doubts else (QoSCompatibility.OK, "")
