"""Serve the topics of an endpoint to Foxglove, Lichtblick and PlotJuggler over the Foxglove WebSocket.

Messages go through as they are, in CDR, beside their definitions: the viewer decodes them. A topic is
subscribed to while a viewer wants it and not before: a server nobody looks at costs the agent nothing.

The protocol has no authentication, and a page in a browser may connect to a local port: what is served is
readable by every program of this machine. Nothing is taken from clients.
"""

import logging
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import NamedTuple

from ..binding import checked_host, checked_port
from ..closing import Closing
from ..context import open_context
from ..discovery import published_topics
from ..exceptions import BridgeError, MissingExtraError
from ..messages import Message, definition, message_class
from ..network.wire import Flags
from ..node import Node
from ..qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from ..subscription import Subscription
from .serving import serve

try:
    import foxglove
    import foxglove.websocket
except ImportError as missing:  # an extra
    raise MissingExtraError(
        "the Foxglove server needs foxglove-sdk, which is not installed (pip install 'tolman[foxglove]')"
    ) from missing

DEFAULT_PORT = 8765
MAX_TOPICS = 1024
LOOK_EVERY = 0.2  #: s between looks at the graph
REPEAT_FOR = 2.0  #: s a late viewer waits for what a latched topic last had
BATCH = 200  #: messages of a topic before the next topic has its turn
#: Transient-local takes what a latched topic last had, and all that any topic sends from then on.
_QOS = QoSProfile(
    depth=512, reliability=ReliabilityPolicy.BEST_AVAILABLE, durability=DurabilityPolicy.BEST_AVAILABLE
)
_log = logging.getLogger(__name__)


class _Wish(NamedTuple):
    """A viewer subscribes to a channel, or ceases to."""

    topic: str
    channel: int
    client: int
    wanted: bool


@dataclass(frozen=True)
class _Repeat:
    """A second subscription for one viewer that came late, for the latched messages alone."""

    subscription: Subscription[Message]
    client: int
    until: float  #: s, monotonic


@dataclass
class _Stream:
    """One topic: its channel, and its subscription while viewers want it."""

    type_name: str
    channel: foxglove.Channel
    subscription: Subscription[Message] | None = None
    clients: set[int] = field(default_factory=set)
    repeats: list[_Repeat] = field(default_factory=list)


class FoxgloveServer(Closing):
    """Serves every topic that is published at an endpoint; topics appear as they are announced, and stay.

    Parameters
    ----------
    endpoint : str, optional
        Where the agent publishes; by default `$TOLMAN_ENDPOINT` or `tcp://127.0.0.1:11948`.
    host, port : str, int
        Where viewers connect; port 0 lets the system choose.
    insecure : bool
        Allow a host that is not a loopback address.

    Attributes
    ----------
    forwarded : Counter of str
        Messages handed to the server, by topic; it sends each to the viewers that subscribe.
    lost : int
        Messages that were dropped on the way here or overwritten before they were taken.

    Raises
    ------
    BusyPortError
        If another program holds the port of the endpoint.
    EndpointError
        If the endpoint or the host cannot be used.
    BridgeError
        If the viewers' port cannot be bound.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        insecure: bool = False,
    ) -> None:
        self._host, port = checked_host(host, insecure), checked_port(port)
        self.forwarded: Counter[str] = Counter()
        self._lost = 0
        self._streams: dict[str, _Stream] = {}
        self._unreadable: dict[str, str] = {}
        self._wishes: deque[_Wish] = deque()
        self._next_look = 0.0
        self.context = open_context(endpoint)
        try:
            self._node = Node("foxglove", context=self.context)
            self._channels = foxglove.Context()
            self._server = foxglove.start_server(
                name=f"tolman {self.context.endpoint}",
                host=self._host,
                port=port,
                server_listener=_Listener(self._wishes),
                context=self._channels,
            )
        except RuntimeError as error:
            self.context.try_shutdown()
            if isinstance(error, BridgeError):
                raise
            raise BridgeError(f"cannot serve viewers at {self._host}:{port}: {error}") from error

    @property
    def url(self) -> str:
        """What a viewer connects to."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"ws://{host}:{self._server.port}"

    @property
    def topics(self) -> dict[str, str]:
        """Topics served and their types."""
        return {topic: stream.type_name for topic, stream in self._streams.items()}

    @property
    def unreadable(self) -> dict[str, str]:
        """Topics that are not served, and why."""
        return dict(self._unreadable)

    @property
    def lost(self) -> int:
        """Messages dropped on the way here or overwritten before they were taken."""
        taken = (s.subscription for s in self._streams.values() if s.subscription is not None)
        return self._lost + sum(subscription.statistics.missed for subscription in taken)

    def serve(self, seconds: float | None = None) -> None:
        """Forward messages for `seconds` s of wall time, or until the context is shut down."""
        serve(self.context, self.step, seconds)

    def step(self) -> int:
        """Do what there is to do; return how many messages were forwarded."""
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + LOOK_EVERY
            self._look()
        while self._wishes:
            self._grant(self._wishes.popleft())
        return sum(self._forward(topic, stream, now) for topic, stream in self._streams.items())

    def close(self) -> None:
        """Disconnect the viewers and stop."""
        self._server.stop()
        self.context.try_shutdown()

    def _look(self) -> None:
        """Make channels for topics that are new, or that have another type now."""
        found = published_topics(self.context)
        for topic, reason in found.unreadable.items():
            if self._unreadable.get(topic) != reason:
                _log.warning("%s is not served: %s", topic, reason)
        self._unreadable = found.unreadable
        for topic, name in found.types.items():
            old = self._streams.get(topic)
            if old is not None and old.type_name == name:
                continue
            if old is not None:
                self._unsubscribe(old)
                old.channel.close()
            elif len(self._streams) >= MAX_TOPICS:
                self._unreadable[topic] = f"there are more than {MAX_TOPICS} topics"
                continue
            schema = foxglove.Schema(name=name, encoding="ros2msg", data=definition(name).encode())
            channel = foxglove.Channel(topic, schema=schema, message_encoding="cdr", context=self._channels)
            self._streams[topic] = _Stream(name, channel)

    def _grant(self, wish: _Wish) -> None:
        topic, client = wish.topic, wish.client
        stream = self._streams.get(topic)
        if stream is None or stream.channel.id() != wish.channel:  # of a channel that another type replaced
            return
        if not wish.wanted:
            stream.clients.discard(client)
            if not stream.clients:
                self._unsubscribe(stream)
            return
        stream.clients.add(client)
        if stream.subscription is None:
            stream.subscription = self._subscribe(topic, stream)
        else:
            until = time.monotonic() + REPEAT_FOR
            stream.repeats.append(_Repeat(self._subscribe(topic, stream), client, until))

    def _subscribe(self, topic: str, stream: _Stream) -> Subscription[Message]:
        kind = message_class(stream.type_name)
        return self._node.create_subscription(kind, topic, lambda _: None, _QOS, raw=True)

    def _unsubscribe(self, stream: _Stream) -> None:
        stream.clients.clear()
        for repeat in stream.repeats:
            self._node.destroy_subscription(repeat.subscription)
        stream.repeats.clear()
        if stream.subscription is not None:
            self._lost += stream.subscription.statistics.missed
            self._node.destroy_subscription(stream.subscription)
            stream.subscription = None

    def _forward(self, topic: str, stream: _Stream, now: float) -> int:
        if stream.subscription is None:
            return 0
        count = 0
        while count < BATCH and (sample := stream.subscription.take()) is not None:
            payload, _, header = sample
            self._send(stream, payload, header.source_stamp, header.flags)
            count += 1
        for repeat in list(stream.repeats):
            while (sample := repeat.subscription.take()) is not None:
                payload, _, header = sample
                if header.flags & Flags.LATCHED:
                    self._send(stream, payload, header.source_stamp, header.flags, repeat.client)
                    count += 1
            if now > repeat.until:
                self._node.destroy_subscription(repeat.subscription)
                stream.repeats.remove(repeat)
        self.forwarded[topic] += count
        return count

    def _send(
        self, stream: _Stream, payload: Message | bytes, stamp: int, flags: int, client: int | None = None
    ) -> None:
        assert isinstance(payload, bytes)
        # Dated when it was sent; an old latched one now, lest the viewer's time line begin back then.
        log_time = time.time_ns() if flags & Flags.LATCHED else stamp
        stream.channel.log(payload, log_time=log_time, sink_id=client)


class _Listener(foxglove.websocket.ServerListener):
    """Notes, in the server's thread, what viewers want."""

    def __init__(self, wishes: deque[_Wish]) -> None:
        self._wishes = wishes

    def on_subscribe(
        self, client: foxglove.websocket.Client, channel: foxglove.websocket.ChannelView
    ) -> None:
        self._wishes.append(_Wish(channel.topic, channel.id, client.id, True))

    def on_unsubscribe(
        self, client: foxglove.websocket.Client, channel: foxglove.websocket.ChannelView
    ) -> None:
        self._wishes.append(_Wish(channel.topic, channel.id, client.id, False))
