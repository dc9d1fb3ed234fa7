"""Send the numbers of all topics to PlotJuggler's ZeroMQ plugin, as JSON.

A message is two frames: the topic, and a JSON object with `timestamp` in s, the agent's time where there is
one. (The plugin also takes the time as a third frame, but has a memory fault there.) As with any publisher,
who does not read loses messages; a topic is subscribed to while somebody wants it.
"""

import time
from collections import Counter

import msgspec
import zmq

from ..closing import Closing
from ..context import open_context
from ..discovery import published_topics
from ..exceptions import BridgeError
from ..messages import Message, message_class
from ..network import endpoint as endpoints
from ..network.sockets import Sockets
from ..network.wire import NO_SIMULATION_TIME, Header
from ..node import Node
from ..numbers import numbers_of
from ..qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from ..subscription import Subscription
from .serving import serve

DEFAULT_BIND = "tcp://127.0.0.1:9872"  #: where PlotJuggler looks unless told otherwise
LIMIT = 64  #: elements of an array, each of which becomes a curve
MAX_TOPICS = 1024
MAX_WISHES = 1024  #: prefixes that somebody subscribes to
LOOK_EVERY = 0.2  #: s between looks at the graph
BATCH = 200  #: messages of a topic before the next topic has its turn
HIGH_WATER_MARK = 1000  #: messages queued for one PlotJuggler before the next are dropped
_MAX_WISH = 4096  #: bytes
_QOS = QoSProfile(
    depth=512, reliability=ReliabilityPolicy.BEST_AVAILABLE, durability=DurabilityPolicy.BEST_AVAILABLE
)


class PlotJugglerServer(Closing):
    """Publishes the numbers of every topic that is published at an endpoint.

    Parameters
    ----------
    endpoint : str, optional
        Where the agent publishes; by default `$TOLMAN_ENDPOINT` or `tcp://127.0.0.1:11948`.
    bind : str
        Where PlotJuggler subscribes, `tcp://127.0.0.1:PORT`; loopback addresses only.
    limit : int
        Arrays with more elements are left out but for their size.

    Attributes
    ----------
    sent : Counter of str
        Messages sent, by topic.

    Raises
    ------
    BusyPortError
        If another program holds the port of the endpoint.
    EndpointError
        If the endpoint or `bind` cannot be used.
    BridgeError
        If `bind` cannot be bound.
    ValueError
        If the limit is negative.
    """

    def __init__(self, endpoint: str | None = None, *, bind: str = DEFAULT_BIND, limit: int = LIMIT) -> None:
        if limit < 0:
            raise ValueError(f"the limit must be >= 0 elements, got {limit}")
        self.url = endpoints.parse(bind, anywhere=False).url
        self.sent: Counter[str] = Counter()
        self._limit = limit
        self._subscriptions: dict[str, Subscription[Message]] = {}
        self._wishes: set[bytes] = set()
        self._next_look, self._agent_time = 0.0, NO_SIMULATION_TIME
        self._lost = 0
        self.context = open_context(endpoint)
        self._zmq = Sockets()
        self._out = self._zmq.socket(zmq.XPUB)
        try:
            self._node = Node("plotjuggler", context=self.context)
            self._bind()
        except BridgeError:
            self.close()
            raise

    def _bind(self) -> None:
        self._out.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
        self._out.setsockopt(zmq.MAXMSGSIZE, _MAX_WISH)
        self._out.setsockopt(zmq.LINGER, 0)
        self._out.setsockopt(zmq.IPV6, "[" in self.url)
        try:
            self._out.bind(self.url)
        except zmq.ZMQError as error:
            raise BridgeError(f"cannot serve PlotJuggler at {self.url}: {error.strerror}") from error

    @property
    def lost(self) -> int:
        """Messages dropped on the way here or overwritten before they were taken."""
        return self._lost + sum(s.statistics.missed for s in self._subscriptions.values())

    def serve(self, seconds: float | None = None) -> None:
        """Send messages for `seconds` s of wall time, or until the context is shut down."""
        serve(self.context, self.step, seconds)

    def step(self) -> int:
        """Do what there is to do; return how many messages were sent."""
        now = time.monotonic()
        changed = self._take_wishes()
        if changed or now >= self._next_look:
            self._next_look = now + LOOK_EVERY
            self._look()
        return sum(self._forward(topic, s) for topic, s in self._subscriptions.items())

    def close(self) -> None:
        """Stop."""
        self._out.close(0)
        self._zmq.term()
        self.context.try_shutdown()

    def _take_wishes(self) -> bool:
        """Read what the other side subscribes to; whether anything changed."""
        changed = False
        for _ in range(MAX_WISHES):
            try:
                wish = self._out.recv(zmq.NOBLOCK)
            except zmq.Again:
                break
            if wish[:1] == b"\x01" and len(self._wishes) < MAX_WISHES:
                self._wishes.add(wish[1:])
            elif wish[:1] == b"\x00":
                self._wishes.discard(wish[1:])
            changed = True
        return changed

    def _look(self) -> None:
        """Subscribe to what is published and wanted, and to nothing else."""
        wanted = {
            topic: name
            for topic, name in list(published_topics(self.context).types.items())[:MAX_TOPICS]
            if any(topic.encode().startswith(wish) for wish in self._wishes)
        }
        for topic in [t for t, s in self._subscriptions.items() if wanted.get(t) != s.msg_type.TYPE_NAME]:
            self._forward(topic, self._subscriptions[topic])  # the last words of a publisher that left
            subscription = self._subscriptions.pop(topic)
            self._lost += subscription.statistics.missed
            self._node.destroy_subscription(subscription)
        for topic, name in wanted.items():
            if topic not in self._subscriptions:
                kind = message_class(name)
                made = self._node.create_subscription(kind, topic, lambda _: None, _QOS)
                self._subscriptions[topic] = made

    def _forward(self, topic: str, subscription: Subscription[Message]) -> int:
        count = 0
        while count < BATCH and (sample := subscription.take()) is not None:
            message, _, header = sample
            assert isinstance(message, Message)
            count += 1
            if numbers := numbers_of(message, self._limit):
                numbers["timestamp"] = self._date(header) * 1e-9
                self._out.send_multipart([topic.encode(), msgspec.json.encode(numbers)], zmq.NOBLOCK)
                self.sent[topic] += 1
        return count

    def _date(self, header: Header) -> int:
        """ns of the agent's time; who has none takes the last that anybody had, else the wall clock.

        One time line for all topics: curves of two clocks cannot be looked at together.
        """
        if header.simulation_time != NO_SIMULATION_TIME:
            self._agent_time = header.simulation_time
        return header.source_stamp if self._agent_time == NO_SIMULATION_TIME else self._agent_time
