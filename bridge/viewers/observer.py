"""Gather an agent's state in another process: all topics, the latest of each, and what was lost."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from ..closing import Closing
from ..context import open_context
from ..exceptions import NothingPublishing
from ..messages import Message, deserialize, message_class, serialize
from ..node import Node
from ..qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from ..subscription import Statistics, Subscription
from ..topics import TOPICS

_POLL = 0.005  #: s between looks at the queues
#: Deep enough for the seconds that a viewer spends drawing while an agent runs at many times real time.
_PERIODIC_QOS = QoSProfile(depth=2048, reliability=ReliabilityPolicy.BEST_EFFORT)
_LATCHED_QOS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)

OnMessage = Callable[[str, Message, float], None]


class StateObserver(Closing):
    """Subscribes to all topics of `topics.TOPICS`.

    Parameters
    ----------
    endpoint : str, optional
        Where the agent publishes; by default `$TOLMAN_ENDPOINT` or `tcp://127.0.0.1:11948`.
    on_message : callable, optional
        Called as `on_message(topic, message, time)` for each message, `time` being the agent's, s.

    Attributes
    ----------
    latest : dict of str to Message
        The newest message of each topic.
    counts : Counter of str
        How many came on each topic.

    Raises
    ------
    BusyPortError
        If another program holds the port.
    EndpointError
        If the endpoint is malformed or not a loopback address.
    """

    def __init__(self, endpoint: str | None = None, *, on_message: OnMessage | None = None) -> None:
        self.context = open_context(endpoint)
        self.node = Node("observer", context=self.context)
        self.latest: dict[str, Message] = {}
        self.counts: Counter[str] = Counter()
        self._on_message = on_message
        self._last_arrival = time.monotonic()
        self._subscriptions: list[Subscription[Any]] = []
        for topic in TOPICS.values():
            kind = message_class(topic.type_name)
            deserialize(
                bytes(serialize(kind())), kind
            )  # compiles the reader of the type before the first message
            profile = _PERIODIC_QOS if topic.each_period else _LATCHED_QOS
            self._subscriptions.append(
                self.node.create_subscription(kind, topic.name, lambda _: None, profile)
            )

    @property
    def statistics(self) -> dict[str, Statistics]:
        """What became of the messages of each topic."""
        return {subscription.topic: subscription.statistics for subscription in self._subscriptions}

    @property
    def silence(self) -> float:
        """s since the last message, or since the start."""
        return time.monotonic() - self._last_arrival

    def gather(self) -> int:
        """Take what has arrived; return how many messages."""
        taken = 0
        for subscription in self._subscriptions:
            while (sample := subscription.take()) is not None:
                message, _, header = sample
                assert isinstance(message, Message)
                stamp = header.simulation_time if header.simulation_time >= 0 else header.source_stamp
                self.latest[subscription.topic] = message
                self.counts[subscription.topic] += 1
                taken += 1
                if self._on_message is not None:
                    self._on_message(subscription.topic, message, stamp * 1e-9)
        if taken:
            self._last_arrival = time.monotonic()
        return taken

    def gather_for(self, seconds: float) -> int:
        """Take what arrives within `seconds`; return how many messages."""
        end = time.monotonic() + seconds
        taken = self.gather()
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(_POLL, left))
            taken += self.gather()
        return taken

    def wait_for_publisher(self, timeout: float) -> None:
        """Wait for the first message of a running agent.

        Raises
        ------
        NothingPublishing
            If none came within `timeout` seconds.
        """
        end = time.monotonic() + timeout
        while not self.counts["/clock"]:
            if time.monotonic() > end:
                raise NothingPublishing(
                    f"nothing is publishing at {self.context.endpoint} (waited {timeout:g} s); "
                    "start an agent there first"
                )
            self.gather_for(0.02)

    def close(self) -> None:
        """Stop."""
        self.context.try_shutdown()
