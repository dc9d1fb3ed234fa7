"""What a viewer remembers of an agent's state: paths, traces, recent spikes, where place cells fired."""

import math
from collections import deque
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..messages import Message

Floats = NDArray[np.float64]
PATH_LENGTH = 6000  #: poses kept of each path; 4 minutes at 25 Hz
TRACE_SECONDS = 20.0  #: of dopamine and value
RASTER_SECONDS = 2.0
EVENT_DECAY = 0.5  #: of the event image from one packet to the next
JUMP = 0.25  #: m between two poses that means: carried there, not driven; the path is interrupted
MAX_SENSOR = 4096  #: pixels a side
MAX_CELLS = 100_000
PLACE_THRESHOLD = 0.5  #: Hz below which a place cell counts as silent


Point = tuple[float, float]


class ArenaText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON of /arena."""

    walls: list[tuple[Point, Point]]
    goal: Point | None = None
    goal_radius: float = 0.0
    map_origin: tuple[float, float, float] | None = None


_read_arena = msgspec.json.Decoder(ArenaText)
_read_populations = msgspec.json.Decoder(dict[str, tuple[int, int]])


@dataclass(frozen=True)
class Arena:
    """Walls and goal in the world, and where in the world the agent's map begins."""

    walls: Floats = field(default_factory=lambda: np.zeros((0, 2, 2)))  #: (n, 2, 2) m
    goal: tuple[float, float] | None = None
    goal_radius: float = 0.0  #: m
    map_origin: tuple[float, float, float] | None = None

    @classmethod
    def from_json(cls, text: str) -> "Arena":
        """Read /arena; an empty arena if the text is not one."""
        try:
            read = _read_arena.decode(text)
        except msgspec.DecodeError:
            return cls()
        walls = np.array(read.walls, np.float64).reshape(-1, 2, 2)
        return cls(walls, read.goal, read.goal_radius, read.map_origin)

    def to_world(self, points: Floats) -> Floats:
        """Points (n, 2) of the agent's map in the world; unchanged where the origin is unknown."""
        if self.map_origin is None or not len(points):
            return points
        x, y, heading = self.map_origin
        c, s = math.cos(heading), math.sin(heading)
        turned: Floats = points @ np.array([[c, s], [-s, c]])
        turned += (x, y)
        return turned


class Path:
    """A path with gaps where the robot was carried."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, float]] = deque(maxlen=PATH_LENGTH)
        self.heading: float | None = None

    def add(self, x: float, y: float, heading: float) -> None:
        """Append a pose."""
        if self._points and math.hypot(x - self._points[-1][0], y - self._points[-1][1]) > JUMP:
            self._points.append((math.nan, math.nan))
        self._points.append((x, y))
        self.heading = heading

    @property
    def points(self) -> Floats:
        """(n, 2) m, NaN at the gaps."""
        return np.array(self._points, np.float64).reshape(-1, 2)


class Trace:
    """Numbers over time, the last seconds of them."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._samples: deque[tuple[float, float]] = deque()

    def add(self, time: float, number: float) -> None:
        """Append a sample; time that runs backwards begins a new trace."""
        if self._samples and time < self._samples[-1][0]:
            self._samples.clear()
        self._samples.append((time, number))
        while self._samples[0][0] < time - self._seconds:
            self._samples.popleft()

    @property
    def samples(self) -> Floats:
        """(n, 2) time in s and number."""
        return np.array(self._samples, np.float64).reshape(-1, 2)


class PlaceMap:
    """Where each place cell fired: the mean of the estimated positions, weighted with its activity."""

    def __init__(self) -> None:
        self.activity = np.zeros(0)  #: Hz, now
        self.peak = np.zeros(0)  #: Hz, ever
        self._weight = np.zeros(0)
        self._sum = np.zeros((0, 2))

    def add(self, activity: Floats, position: tuple[float, float] | None) -> None:
        """Take the activities of one period and where the agent believed to be."""
        if activity.size > MAX_CELLS:
            return
        if activity.size != self.activity.size:
            n = activity.size
            self.peak, self._weight, self._sum = np.zeros(n), np.zeros(n), np.zeros((n, 2))
        self.activity = np.nan_to_num(activity, nan=0.0, posinf=0.0, neginf=0.0)
        self.peak = np.maximum(self.peak, self.activity)
        if position is not None:
            weight = np.where(self.activity > PLACE_THRESHOLD, self.activity, 0.0)
            self._weight += weight
            self._sum += weight[:, None] * position

    @property
    def fields(self) -> tuple[Floats, Floats, Floats]:
        """Of the cells that ever fired: centres (k, 2) m in the agent's map, activity and peak (k,) Hz."""
        fired = self._weight > 0
        return self._sum[fired] / self._weight[fired, None], self.activity[fired], self.peak[fired]


class StateHistory:
    """Takes messages from a `StateObserver` and keeps what a viewer draws."""

    def __init__(self) -> None:
        self.time = 0.0
        self.arena = Arena()
        self.estimate, self.true = Path(), Path()
        self.dopamine, self.value = Trace(TRACE_SECONDS), Trace(TRACE_SECONDS)
        self.rewards = Trace(TRACE_SECONDS)  #: only those that are not zero
        self.reward_total = 0.0
        self.command = (0.0, 0.0)
        self.places = PlaceMap()
        self.populations: dict[str, tuple[int, int]] = {}
        self.event_image = np.zeros((0, 0))  #: (height, width), ON positive, OFF negative
        self.event_count = 0  #: of the last packet
        self._spikes: deque[tuple[float, Floats, NDArray[np.int64]]] = deque()
        self._position: tuple[float, float] | None = None

    def add(self, topic: str, message: Message, time: float) -> None:
        """Take one message; `time` is the agent's, s."""
        match topic:
            case "/clock":
                self.time = time
            case "/pose_estimate":
                pose = _planar(message.pose)
                self._position = pose[:2]
                self.estimate.add(*pose)
            case "/true_pose":
                self.true.add(*_planar(message.pose))
            case "/cmd_vel":
                self.command = (message.linear.x, message.angular.z)
            case "/dopamine":
                self.dopamine.add(time, message.data)
            case "/value":
                self.value.add(time, message.data)
            case "/reward":
                if message.data:
                    self.rewards.add(time, message.data)
                    self.reward_total += message.data
            case "/place_cells":
                self.places.add(message.data.astype(np.float64), self._position)
            case "/spikes":
                self._add_spikes(message)
            case "/camera/events":
                self._add_events(message)
            case "/arena":
                self.arena = Arena.from_json(message.data)
            case "/populations":
                self.populations = _populations(message.data)

    @property
    def spikes(self) -> tuple[Floats, NDArray[np.int64]]:
        """Times, s, and neuron indices of the last `RASTER_SECONDS`."""
        if not self._spikes:
            return np.zeros(0), np.zeros(0, np.int64)
        return np.concatenate([s[1] for s in self._spikes]), np.concatenate([s[2] for s in self._spikes])

    def _add_spikes(self, message: Message) -> None:
        start = message.header.stamp.sec + message.header.stamp.nanosec * 1e-9
        if message.neuron.size != message.time_ms.size:
            return
        if self._spikes and start < self._spikes[-1][0]:
            self._spikes.clear()
        self._spikes.append((start, start + message.time_ms * 1e-3, message.neuron.astype(np.int64)))
        while self._spikes[0][0] < start - RASTER_SECONDS:
            self._spikes.popleft()

    def _add_events(self, message: Message) -> None:
        height, width = message.height, message.width
        if not (0 < width <= MAX_SENSOR and 0 < height <= MAX_SENSOR):
            return
        if self.event_image.shape != (height, width):
            self.event_image = np.zeros((height, width))
        self.event_image *= EVENT_DECAY
        self.event_count = message.t.size
        if not message.x.size == message.y.size == message.p.size == message.t.size:
            return
        inside = (message.x >= 0) & (message.x < width) & (message.y >= 0) & (message.y < height)
        sign = np.where(message.p[inside] > 0, 1.0, -1.0)
        np.add.at(self.event_image, (message.y[inside], message.x[inside]), sign)


def _planar(pose: Message) -> tuple[float, float, float]:
    heading = 2.0 * math.atan2(pose.orientation.z, pose.orientation.w)
    return pose.position.x, pose.position.y, heading


def _populations(text: str) -> dict[str, tuple[int, int]]:
    """Read /populations; nothing if the text is not a table of populations."""
    try:
        table = _read_populations.decode(text)
    except msgspec.DecodeError:
        return {}
    return {name: (first, stop) for name, (first, stop) in table.items() if 0 <= first < stop}
