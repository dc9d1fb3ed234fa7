"""Events of topics: who fits whom, deadlines, liveliness, losses; what does not fit hears nothing."""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tolman import bridge
from tolman.bridge.context import Context
from tolman.bridge.duration import Duration
from tolman.bridge.end_events import EndEvents
from tolman.bridge.event_handler import (
    EventHandler,
    PublisherEventCallbacks,
    QoSEventHandler,
    QoSSubscriptionEventType,
    SubscriptionEventCallbacks,
    UnsupportedEventTypeError,
)
from tolman.bridge.executors import SingleThreadedExecutor
from tolman.bridge.logging import Line, add_sink, remove_sink
from tolman.bridge.messages import message_class
from tolman.bridge.network.graph import TopicEnd
from tolman.bridge.network.wire import Header
from tolman.bridge.node import Node
from tolman.bridge.qos import (
    DurabilityPolicy,
    LivelinessPolicy,
    QoSCompatibility,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
    conflict,
    packed,
    qos_check_compatible,
    qos_profile_best_available,
)
from tolman.bridge.watchdogs import Watchdogs

String, Bool = message_class("std_msgs/msg/String"), message_class("std_msgs/msg/Bool")
TIMEOUT = 10.0  #: s
RELIABLE, BEST_EFFORT = ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT
VOLATILE, TRANSIENT_LOCAL = DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL
MANUAL = LivelinessPolicy.MANUAL_BY_TOPIC


class Scene:
    """Two processes, as far as the bridge can tell, each with a node, and what spins both."""

    def __init__(self, endpoint: str) -> None:
        self.contexts = [bridge.open_context(endpoint) for _ in range(2)]
        self.here, self.there = (Node(name, context=c) for name, c in zip("ab", self.contexts, strict=True))
        self.executors = []
        for node in (self.here, self.there):
            self.executors.append(SingleThreadedExecutor(context=node.context))
            self.executors[-1].add_node(node)

    def until(self, condition: Callable[[], bool]) -> None:
        """Spin both until `condition` holds."""
        end = time.monotonic() + TIMEOUT
        while not condition():
            assert time.monotonic() < end
            self.turn()

    def turn(self) -> None:
        """Spin both a little."""
        for executor in self.executors:
            executor.spin_once(0.005)


@pytest.fixture
def scene(endpoint: str) -> Iterator[Scene]:
    made = Scene(endpoint)
    yield made
    for context in made.contexts:
        context.try_shutdown()


def test_both_ends_are_told_who_fits(scene: Scene) -> None:
    ours: list[Any] = []
    theirs: list[Any] = []
    publisher = scene.here.create_publisher(
        String, "t", 10, event_callbacks=PublisherEventCallbacks(matched=ours.append)
    )
    callbacks = SubscriptionEventCallbacks(matched=theirs.append)
    subscription = scene.there.create_subscription(String, "t", print, 10, event_callbacks=callbacks)
    scene.until(lambda: bool(ours and theirs))
    for told in (ours, theirs):
        assert (told[0].total_count, told[0].total_count_change) == (1, 1)
        assert (told[0].current_count, told[0].current_count_change) == (1, 1)
    assert (publisher.get_subscription_count(), subscription.get_publisher_count()) == (1, 1)
    subscription.destroy()
    scene.until(lambda: len(ours) == 2)
    assert (ours[1].total_count, ours[1].total_count_change) == (1, 0)
    assert (ours[1].current_count, ours[1].current_count_change) == (0, -1)
    assert publisher.get_subscription_count() == 0


def test_a_callback_hears_of_who_was_there_before_it(scene: Scene) -> None:
    scene.here.create_subscription(String, "t", print, 10)
    scene.until(lambda: scene.there.count_subscribers("t") == 1)
    told: list[Any] = []
    callbacks = PublisherEventCallbacks(matched=told.append)
    scene.there.create_publisher(String, "t", 10, event_callbacks=callbacks)
    scene.until(lambda: bool(told))
    assert told[0].current_count == 1


@pytest.mark.parametrize(
    ("offered", "asked", "policy"),
    [
        (QoSProfile(depth=10, reliability=BEST_EFFORT), QoSProfile(depth=10), QoSPolicyKind.RELIABILITY),
        (QoSProfile(depth=10), QoSProfile(depth=10, durability=TRANSIENT_LOCAL), QoSPolicyKind.DURABILITY),
        (QoSProfile(depth=10), QoSProfile(depth=10, deadline=Duration(seconds=1)), QoSPolicyKind.DEADLINE),
        (QoSProfile(depth=10), QoSProfile(depth=10, liveliness=MANUAL), QoSPolicyKind.LIVELINESS),
    ],
)
def test_what_does_not_fit_hears_nothing_and_both_are_told(
    scene: Scene, offered: QoSProfile, asked: QoSProfile, policy: QoSPolicyKind
) -> None:
    told: list[Any] = []
    heard: list[Any] = []
    other: list[Any] = []
    publisher = scene.here.create_publisher(
        String, "t", offered, event_callbacks=PublisherEventCallbacks(incompatible_qos=told.append)
    )
    refused = scene.there.create_subscription(
        String,
        "t",
        heard.append,
        asked,
        event_callbacks=SubscriptionEventCallbacks(incompatible_qos=told.append),
    )
    fitting = scene.there.create_subscription(String, "t", other.append, qos_profile_best_available)
    scene.until(lambda: len(told) == 2 and publisher.get_subscription_count() == 1)
    scene.until(lambda: fitting.get_publisher_count() == 1)
    assert [(event.total_count, event.last_policy_kind) for event in told] == [(1, policy)] * 2
    # what programs print of it is the name in rclpy's C extension
    assert {f"{event.last_policy_kind}" for event in told} == {
        f"rmw_qos_policy_kind_t.RMW_QOS_POLICY_{policy.name}"
    }
    assert refused.get_publisher_count() == 0
    publisher.publish(String(data="x"))
    scene.until(lambda: bool(other))
    assert not heard
    assert refused.statistics.received == refused.statistics.refused == 0


def test_without_a_callback_it_is_logged(scene: Scene) -> None:
    lines: list[Line] = []
    scene.here._rosout.close()  # the first that listens to a logger is the only one
    scene.there._rosout.close()
    for name in ("a", "b"):
        add_sink(name, lines.append)
    try:
        scene.here.create_publisher(String, "t", QoSProfile(depth=1, reliability=BEST_EFFORT))
        silent = SubscriptionEventCallbacks(use_default_callbacks=False)
        scene.there.create_subscription(String, "t", print, 10, event_callbacks=silent)
        scene.until(lambda: bool(lines))
        scene.there.create_subscription(String, "t", print, 10)
        scene.until(lambda: len(lines) == 3)
    finally:
        for name in ("a", "b"):
            remove_sink(name, lines.append)
    texts = sorted(line.message for line in lines)
    assert [text.partition(" incompatible QoS. ")[0] for text in texts] == [
        "New publisher discovered on topic 't', offering",
        *["New subscription discovered on topic 't', requesting"] * 2,
    ]
    assert all(text.endswith("Last incompatible policy: RELIABILITY") for text in texts)


def test_another_type_on_the_topic_is_told(scene: Scene) -> None:
    told: list[Any] = []
    publisher = scene.here.create_publisher(
        String, "t", 10, event_callbacks=PublisherEventCallbacks(incompatible_type=told.append)
    )
    callbacks = SubscriptionEventCallbacks(incompatible_type=told.append)
    scene.there.create_subscription(Bool, "t", print, 10, event_callbacks=callbacks)
    scene.until(lambda: len(told) == 2)
    assert [event.total_count for event in told] == [1, 1]
    assert publisher.get_subscription_count() == 0


def test_missed_deadlines_are_counted_at_both_ends(scene: Scene) -> None:
    profile = QoSProfile(depth=10, deadline=Duration(seconds=0.1))
    late: list[Any] = []
    missed: list[Any] = []
    heard: list[Any] = []
    publisher = scene.here.create_publisher(
        String, "t", profile, event_callbacks=PublisherEventCallbacks(deadline=late.append)
    )
    callbacks = SubscriptionEventCallbacks(deadline=missed.append)
    scene.there.create_subscription(String, "t", heard.append, profile, event_callbacks=callbacks)
    scene.until(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(String())
    scene.until(lambda: len(heard) == 1 and len(late) >= 2 and len(missed) >= 2)
    for told in (late, missed):
        assert [event.total_count for event in told][-1] == sum(event.total_count_change for event in told)
    before = missed[-1].total_count
    for _ in range(20):  # in time
        publisher.publish(String())
        scene.turn()
    assert missed[-1].total_count <= before + 1


def test_a_publisher_that_does_not_show_it_is_alive_is_not(scene: Scene) -> None:
    profile = QoSProfile(depth=10, liveliness=MANUAL, liveliness_lease_duration=Duration(seconds=0.2))
    lost: list[Any] = []
    changed: list[Any] = []
    publisher = scene.here.create_publisher(
        String, "t", profile, event_callbacks=PublisherEventCallbacks(liveliness=lost.append)
    )
    callbacks = SubscriptionEventCallbacks(liveliness=changed.append)
    scene.there.create_subscription(String, "t", print, profile, event_callbacks=callbacks)
    scene.until(lambda: bool(changed and lost and changed[-1].not_alive_count))
    assert (lost[-1].total_count, changed[-1].alive_count, changed[-1].not_alive_count) == (1, 0, 1)
    publisher.assert_liveliness()
    scene.until(lambda: bool(changed[-1].alive_count))
    assert (changed[-1].alive_count_change, changed[-1].not_alive_count_change) == (1, -1)
    scene.here.destroy_node()
    scene.until(lambda: not changed[-1].alive_count and not changed[-1].not_alive_count)


def test_a_process_that_leaves_is_alive_no_more(scene: Scene) -> None:
    changed: list[Any] = []
    callbacks = SubscriptionEventCallbacks(liveliness=changed.append)
    scene.here.create_subscription(String, "t", print, 10, event_callbacks=callbacks)
    scene.there.create_publisher(String, "t", 10)
    scene.until(lambda: bool(changed))
    assert (changed[0].alive_count, changed[0].alive_count_change) == (1, 1)
    scene.executors.pop()
    scene.contexts[1].try_shutdown()
    scene.until(lambda: len(changed) == 2)
    assert (changed[1].alive_count, changed[1].alive_count_change) == (0, -1)


def test_lost_messages_are_told(scene: Scene) -> None:
    told: list[Any] = []
    callbacks = SubscriptionEventCallbacks(message_lost=told.append)
    subscription = scene.here.create_subscription(String, "t", print, 10, event_callbacks=callbacks)
    kind = scene.here.create_publisher(String, "other", 1)._outlet.type_hash
    for sequence in (1, 2, 5):
        subscription.deliver(Header(sequence, 0, -1, kind, b"12345678"), memoryview(b"\0\1\0\0\1\0\0\0\0"))
    scene.until(lambda: bool(told))
    assert (told[0].total_count, told[0].total_count_change) == (2, 2)


def test_events_of_what_is_destroyed_are_not_told(scene: Scene) -> None:
    told: list[Any] = []
    callbacks = PublisherEventCallbacks(matched=told.append)
    publisher = scene.here.create_publisher(String, "t", 10, event_callbacks=callbacks)
    scene.here.create_subscription(String, "t", print, 10)
    assert len(list(scene.here.waitables)) == 1  # waits to be told
    scene.here.destroy_publisher(publisher)
    assert not list(scene.here.waitables)
    scene.turn()
    assert not told


def test_nonsense_in_announcements_is_survived() -> None:
    ours = packed(QoSProfile(depth=1, durability=TRANSIENT_LOCAL))
    events = EndEvents(False, "/t", "hash", ours)
    ends = [
        TopicEnd("/n", "/t", "x", "hash", "publisher", gid, qos)
        for gid, qos in (("no number", (1,)), ("no number", packed(QoSProfile(depth=1))), ("", (9,) * 8))
    ]
    events.meet(("0" * 16, end) for end in ends)
    assert events.barred == frozenset({b""})


def test_handlers_want_an_event_of_their_end(scene: Scene) -> None:
    publisher = scene.here.create_publisher(String, "t", 10)
    lost = QoSSubscriptionEventType.RCL_SUBSCRIPTION_MESSAGE_LOST
    options: dict[str, Any] = {
        "callback_group": scene.here.default_callback_group,
        "callback": print,
        "event_type": lost,
    }
    with pytest.raises(UnsupportedEventTypeError):
        EventHandler(**options, parent_impl=publisher.handle)
    subscription = scene.here.create_subscription(String, "t", print, 10)
    with pytest.warns(DeprecationWarning, match="EventHandler"):
        handler = QoSEventHandler(**options, parent_impl=subscription.handle)
    assert not handler.is_ready()
    assert handler.get_num_entities().num_events == 1


PROFILES = [
    QoSProfile(
        depth=1,
        reliability=reliability,
        durability=durability,
        deadline=Duration(nanoseconds=deadline),
        liveliness=liveliness,
        liveliness_lease_duration=Duration(nanoseconds=lease),
    )
    for reliability, durability, deadline, liveliness, lease in itertools.product(
        (RELIABLE, BEST_EFFORT),
        (VOLATILE, TRANSIENT_LOCAL),
        (0, 10, 20),
        (LivelinessPolicy.AUTOMATIC, MANUAL),
        (0, 10, 20),
    )
]


def test_conflicts_are_those_that_programs_can_check_for() -> None:
    """All pairs of 72 profiles: `conflict` and `qos_check_compatible` are written independently."""
    for offered, asked in itertools.product(PROFILES, PROFILES):
        verdict, _ = qos_check_compatible(offered, asked)
        assert (conflict(packed(offered), packed(asked)) is None) == (verdict == QoSCompatibility.OK)


def test_for_ever_is_no_deadline_and_best_available_fits_all() -> None:
    for_ever = QoSProfile(depth=1, deadline=Duration(nanoseconds=2**63 - 1))
    assert conflict(packed(QoSProfile(depth=1)), packed(for_ever)) is None
    for profile in PROFILES:
        assert conflict(packed(profile), packed(qos_profile_best_available)) is None
        assert conflict(packed(qos_profile_best_available), packed(profile)) is None


def test_watchdogs_call_for_each_period_without_food() -> None:
    watchdogs, calls = Watchdogs(), []
    dog = watchdogs.add(1_000_000_000, lambda: calls.append(0))
    assert dog.look(time.monotonic_ns() + 10**12) is None  # not fed yet: nothing is missed
    dog.feed()
    assert dog._since is not None
    begin = dog._since
    assert dog.look(begin + 999_999_999) == begin + 1_000_000_000
    assert not calls
    assert dog.look(begin + 1_000_000_000) == begin + 2_000_000_000
    assert dog.look(begin + 2_000_000_000) == begin + 3_000_000_000
    assert len(calls) == 2
    dog.rest()
    assert dog.look(begin + 10**12) is None
    watchdogs.close()
    assert watchdogs._thread is not None
    assert not watchdogs._thread.is_alive()


def test_contexts_end_their_watchdogs(scene: Scene) -> None:
    profile = QoSProfile(depth=1, deadline=Duration(seconds=100))
    scene.here.create_publisher(String, "t", profile).publish(String())
    thread = scene.contexts[0].matching.watchdogs._thread
    assert thread is not None
    assert isinstance(scene.contexts[0], Context)
    scene.executors.pop(0)
    scene.contexts[0].try_shutdown()
    assert not thread.is_alive()
