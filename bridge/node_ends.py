"""What a node has of topics and services: it makes, announces and destroys their ends; base of `Node`.

The ends of an action are made here too (`action_*`): they are announced and destroyed with the node, but no
executor asks them, because their action client or server does.
"""

import functools
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from .callback_groups import CallbackGroup
from .client import Client
from .context import Context
from .end_events import EndEvents
from .event_handler import EventHandler, PublisherEventCallbacks, SubscriptionEventCallbacks
from .event_status import QoSPublisherEventType, QoSSubscriptionEventType
from .handles import Handle
from .logging import RcutilsLogger
from .matching import Matching
from .messages import Message, type_hash, type_hash_prefix
from .network.graph import EndKind, Graph, TopicEnd
from .network.transport import Transport
from .node_parameters import NodeParameters
from .publisher import Publisher
from .qos import (
    DurabilityPolicy,
    LivelinessPolicy,
    QoSProfile,
    ReliabilityPolicy,
    is_set,
    kept,
    packed,
    qos_profile_services_default,
)
from .qos_overriding_options import QoSOverridingOptions, declare_qos_parameters
from .rosout import Rosout
from .service import KEPT_ANSWERS, Service, answer_topic, request_topic
from .subscription import MessageInfo, Subscription
from .type_support import check_is_valid_srv_type, is_message_class
from .waitable import Waitable
from .watchdogs import Watchdog

if TYPE_CHECKING:
    from .executor_waiting import Waiting
    from .executors import Executor

MsgT = TypeVar("MsgT", bound=Message)
C = TypeVar("C", PublisherEventCallbacks, SubscriptionEventCallbacks)
Feed = Callable[[], None]
End = Publisher[Any] | Subscription[Any] | Client | Service

_LATE = QoSSubscriptionEventType.RCL_SUBSCRIPTION_REQUESTED_DEADLINE_MISSED
_LOST = QoSSubscriptionEventType.RCL_SUBSCRIPTION_MESSAGE_LOST


class NodeEnds(NodeParameters):
    """The part of a node that has publishers, subscriptions, clients and services."""

    _complete: bool
    _context: Context
    _default_callback_group: CallbackGroup
    _destroyed: bool
    _executor_waiting: "Waiting | None"
    _graph: Graph
    _handle: Handle
    _matching: Matching
    _name: str
    _namespace: str
    _rosout: Rosout | None
    _transport: Transport

    def __init__(self) -> None:
        self._waitables: list[Waitable[Any]] = []
        self._handlers_lock = threading.Lock()
        self._publishers: list[Publisher[Any]] = []
        self._subscriptions: list[Subscription[Any]] = []
        self._clients: list[Client] = []
        self._services: list[Service] = []
        self._hidden_ends: list[End] = []  # of actions and the like: no executor asks them

    if TYPE_CHECKING:  # of Node

        @property
        def executor(self) -> Executor | None: ...
        def get_fully_qualified_name(self) -> str: ...
        def get_logger(self) -> RcutilsLogger: ...
        def resolve_topic_name(self, topic: str, *, only_expand: bool = False) -> str: ...
        def resolve_service_name(self, service: str, *, only_expand: bool = False) -> str: ...

    @property
    def clients(self) -> Iterator[Client]:
        """Its clients."""
        yield from list(self._clients)

    @property
    def services(self) -> Iterator[Service]:
        """Its services."""
        yield from list(self._services)

    @property
    def publishers(self) -> Iterator[Publisher[Any]]:
        """Its publishers."""
        yield from list(self._publishers)

    @property
    def subscriptions(self) -> Iterator[Subscription[Any]]:
        """Its subscriptions."""
        yield from list(self._subscriptions)

    def create_publisher(
        self,
        msg_type: type[MsgT],
        topic: str,
        qos_profile: QoSProfile | int,
        *,
        callback_group: CallbackGroup | None = None,
        event_callbacks: PublisherEventCallbacks | None = None,
        qos_overriding_options: QoSOverridingOptions | None = None,
        publisher_class: type[Publisher[Any]] = Publisher,
    ) -> Publisher[MsgT]:
        """Make a publisher; an integer for the profile is its depth.

        Raises
        ------
        InvalidTopicNameException, InvalidQoSProfileException, TypeError, ValueError
            If the name, the profile, the message type or an option cannot be used.
        """
        callbacks = _checked(event_callbacks, PublisherEventCallbacks)
        profile, name = _profile(qos_profile), self.resolve_topic_name(topic)
        profile = declare_qos_parameters(Publisher, self, name, profile, qos_overriding_options)
        group = callback_group or self._default_callback_group
        publisher = self._new_publisher(msg_type, name, profile, self._publishers, publisher_class)
        publisher.event_handlers = callbacks.create_event_handlers(group, publisher.handle, topic)
        self._show(publisher.event_handlers)
        self._announce()
        return publisher

    def create_subscription(
        self,
        msg_type: type[MsgT],
        topic: str,
        callback: Callable[[MsgT], None] | Callable[[MsgT, MessageInfo], None],
        qos_profile: QoSProfile | int,
        *,
        callback_group: CallbackGroup | None = None,
        event_callbacks: SubscriptionEventCallbacks | None = None,
        qos_overriding_options: QoSOverridingOptions | None = None,
        raw: bool = False,
    ) -> Subscription[MsgT]:
        """Make a subscription; an integer for the profile is its depth; `raw` calls back with CDR bytes.

        Raises
        ------
        InvalidTopicNameException, InvalidQoSProfileException, TypeError, ValueError
            If the name, the profile, the message type or an option cannot be used.
        """
        callbacks = _checked(event_callbacks, SubscriptionEventCallbacks)
        profile, name = _profile(qos_profile), self.resolve_topic_name(topic)
        profile = declare_qos_parameters(Subscription, self, name, profile, qos_overriding_options)
        group = callback_group or self._default_callback_group
        subscription = self._new_subscription(
            msg_type, name, callback, profile, group, self._subscriptions, raw
        )
        group.add_entity(subscription)
        subscription.event_handlers = callbacks.create_event_handlers(group, subscription.handle, topic)
        self._show(subscription.event_handlers)
        self._announce()
        return subscription

    def create_client(
        self,
        srv_type: type[Any],
        srv_name: str,
        *,
        qos_profile: QoSProfile = qos_profile_services_default,
        callback_group: CallbackGroup | None = None,
    ) -> Client:
        """Make a client of a service.

        Raises
        ------
        InvalidServiceNameException, InvalidQoSProfileException, TypeError
            If the name, the profile or the type cannot be used.
        """
        name, group = self.resolve_service_name(srv_name), callback_group or self._default_callback_group
        client = self._new_client(srv_type, name, qos_profile, group, self._clients)
        group.add_entity(client)
        self._announce()
        return client

    def create_service(
        self,
        srv_type: type[Any],
        srv_name: str,
        callback: Callable[[Any, Any], Any],
        *,
        qos_profile: QoSProfile = qos_profile_services_default,
        callback_group: CallbackGroup | None = None,
    ) -> Service:
        """Serve: `callback(request, response)` returns the response; it may be a coroutine function.

        Raises
        ------
        InvalidServiceNameException, InvalidQoSProfileException, TypeError
            If the name, the profile or the type cannot be used.
        """
        name, group = self.resolve_service_name(srv_name), callback_group or self._default_callback_group
        service = self._new_service(srv_type, name, callback, qos_profile, group, self._services)
        group.add_entity(service)
        self._announce()
        return service

    def destroy_publisher(self, publisher: Publisher[Any]) -> bool:
        """Remove a publisher of this node; False if it is not."""
        return _destroy(publisher, self._publishers)

    def destroy_subscription(self, subscription: Subscription[Any]) -> bool:
        """Remove a subscription of this node; False if it is not."""
        return _destroy(subscription, self._subscriptions)

    def destroy_client(self, client: Client) -> bool:
        """Remove a client of this node; False if it is not."""
        return _destroy(client, self._clients)

    def destroy_service(self, service: Service) -> bool:
        """Remove a service of this node; False if it is not."""
        return _destroy(service, self._services)

    def _destroy_ends(self) -> None:
        """Destroy all of them, those of actions included."""
        for end in self._every_end():
            end.destroy()

    def _every_end(self) -> list[End]:
        """Those that users have made, and the hidden ones."""
        return [
            *self._publishers,
            *self._subscriptions,
            *self._clients,
            *self._services,
            *self._hidden_ends,
        ]

    def _new_publisher(
        self,
        msg_type: type[MsgT],
        name: str,
        profile: QoSProfile,
        those: list[Any],
        publisher_class: type[Publisher[Any]] = Publisher,
    ) -> Publisher[MsgT]:
        """Make a publisher that is one of `those`; it is not announced yet."""
        _check_type(msg_type)
        history = kept(profile) if profile.durability == DurabilityPolicy.TRANSIENT_LOCAL else 0
        reliable = profile.reliability != ReliabilityPolicy.BEST_EFFORT
        early = kept(profile) if reliable else 0
        outlet = self._transport.outlet(name, type_hash_prefix(msg_type.TYPE_NAME), history, early)
        outlet.lifespan = profile.lifespan.nanoseconds
        publisher: Publisher[MsgT] = publisher_class(outlet, msg_type, name, profile)
        events = EndEvents(True, name, type_hash(msg_type.TYPE_NAME), packed(profile), outlet.publisher)
        self._watch(publisher.handle, events)
        publisher.on_message, publisher.on_alive = self._watch_publisher(events, profile)
        publisher.count_subscriptions = lambda: events.matched
        publisher.remove = functools.partial(self._forget, those, publisher)
        those.append(publisher)
        return publisher

    def _new_subscription(
        self,
        msg_type: type[MsgT],
        name: str,
        callback: Callable[..., Any],
        profile: QoSProfile,
        group: CallbackGroup,
        those: list[Any],
        raw: bool = False,
    ) -> Subscription[MsgT]:
        """Make a subscription that is one of `those`; it is not announced yet."""
        _check_type(msg_type)
        subscription = Subscription(
            msg_type,
            name,
            callback,
            group,
            profile,
            raw,
            type_hash_prefix(msg_type.TYPE_NAME),
            self._wake_executor,
            self._transport.refusals,
        )
        events = EndEvents(False, name, type_hash(msg_type.TYPE_NAME), packed(profile))
        events.on_barred = functools.partial(setattr, subscription, "_barred")
        subscription.on_lost = functools.partial(events.count, _LOST)
        if is_set(profile.deadline.nanoseconds):
            late = functools.partial(events.count, _LATE)
            subscription.on_message = self._dog(events, profile.deadline.nanoseconds, late).feed
        subscription.count_publishers = lambda: events.matched
        self._watch(subscription.handle, events)
        subscription.remove = functools.partial(self._forget, those, subscription, name)
        those.append(subscription)
        self._transport.subscribe(name, subscription.deliver)
        return subscription

    def _new_client(
        self, srv_type: type[Any], name: str, profile: QoSProfile, group: CallbackGroup, those: list[Any]
    ) -> Client:
        """Make a client that is one of `those`; it is not announced yet."""
        check_is_valid_srv_type(srv_type)
        kind = type_hash_prefix(srv_type.Request.TYPE_NAME)
        outlet = self._transport.outlet(request_topic(name), kind, early=max(profile.depth, 1))
        client = Client(
            self._context,
            srv_type,
            name,
            profile,
            group,
            outlet,
            lambda: outlet.subscribers > 0 and self._graph.count(name, "service") > 0,
            self._wake_executor,
            self._transport.refusals,
            functools.partial(self._new_event_publisher, srv_type, name),
        )
        client._executor = lambda: self.executor
        client.remove = functools.partial(self._forget, those, client, answer_topic(name))
        those.append(client)
        self._transport.subscribe(answer_topic(name), client.deliver)
        return client

    def _new_service(
        self,
        srv_type: type[Any],
        name: str,
        callback: Callable[[Any, Any], Any],
        profile: QoSProfile,
        group: CallbackGroup,
        those: list[Any],
    ) -> Service:
        """Make a service that is one of `those`; it is not announced yet."""
        check_is_valid_srv_type(srv_type)
        kind = type_hash_prefix(srv_type.Response.TYPE_NAME)
        outlet = self._transport.outlet(answer_topic(name), kind, KEPT_ANSWERS)
        service = Service(
            srv_type,
            name,
            callback,
            group,
            profile,
            outlet,
            self._wake_executor,
            self._transport.refusals,
            functools.partial(self._new_event_publisher, srv_type, name),
        )
        service.remove = functools.partial(self._forget, those, service, request_topic(name))
        those.append(service)
        self._transport.subscribe(request_topic(name), service.deliver)
        return service

    def _watch(self, handle: Handle, events: EndEvents) -> None:
        """Find out what happens to an end of ours."""
        handle.events, handle._logger_name = events, self.get_logger().name
        self._matching.add(events)

    def _watch_publisher(self, events: EndEvents, profile: QoSProfile) -> tuple[Feed | None, Feed]:
        """Watch its deadline and its lease; what to call with each message, and to show that it is alive."""
        feeds: list[Feed] = []
        if is_set(profile.deadline.nanoseconds):
            late = functools.partial(
                events.count, QoSPublisherEventType.RCL_PUBLISHER_OFFERED_DEADLINE_MISSED
            )
            feeds.append(self._dog(events, profile.deadline.nanoseconds, late).feed)
        lease = profile.liveliness_lease_duration.nanoseconds
        if profile.liveliness != LivelinessPolicy.MANUAL_BY_TOPIC or not is_set(lease):
            return (feeds[0] if feeds else None), lambda: None

        def silent() -> None:
            dog.rest()
            events.alive = False
            events.count(QoSPublisherEventType.RCL_PUBLISHER_LIVELINESS_LOST)
            self._announce()

        def alive() -> None:
            dog.feed()
            if not events.alive:
                events.alive = True
                self._announce()

        dog = self._dog(events, lease, silent)
        dog.feed()
        feeds.append(alive)

        def feed_all() -> None:
            for feed in feeds:
                feed()

        return feed_all, alive

    def _dog(self, events: EndEvents, period: int, missed: Feed) -> Watchdog:
        dog = self._matching.watchdogs.add(period, missed)
        events.watchdogs.append(dog)
        return dog

    def _show(self, handlers: list[EventHandler]) -> None:
        """Show executors these while there are events: asking each at every turn would take time."""
        for handler in handlers:
            handler.show(functools.partial(self._put_on, handler), functools.partial(self._take_off, handler))

    def _put_on(self, handler: EventHandler) -> None:
        with self._handlers_lock:
            if handler not in self._waitables:
                self._waitables.append(handler)
        self._wake_executor()

    def _take_off(self, handler: EventHandler) -> None:
        with self._handlers_lock:
            if handler in self._waitables:
                self._waitables.remove(handler)

    def _new_event_publisher(self, srv_type: Any, name: str, profile: QoSProfile) -> Publisher[Any]:
        """Make what tells of the events of a service."""
        topic = f"{name}/_service_event"
        publisher = self._new_publisher(srv_type.Event, topic, profile, self._hidden_ends)
        self._announce()
        return publisher

    def _wake_executor(self) -> None:
        if (waiting := self._executor_waiting) is not None:
            waiting.wake()

    def _forget(self, those: list[Any], end: Any, topic: str | None = None) -> None:
        """An end was destroyed: it is ours no more, and hears `topic` no more."""
        if end in those:
            those.remove(end)
        if (events := end.handle.events) is not None:
            self._matching.remove(events)
        if topic is not None:
            self._transport.unsubscribe(topic, end.deliver)
        self._announce()

    def _announce(self) -> None:
        """Tell the others what all nodes of this process have; not for each part of a node in the making."""
        if not self._complete:
            return
        nodes = [node for node in list(self._context._nodes) if not node._destroyed]
        ends = [end for node in nodes for end in node._own_ends()]
        self._graph.announce([(node._name, node._namespace) for node in nodes], ends)

    def _own_ends(self) -> Iterator[TopicEnd]:
        full = self.get_fully_qualified_name()
        rosout = [] if self._rosout is None else [self._rosout.publisher]
        for one in [*rosout, *self._every_end()]:
            if isinstance(one, Publisher | Subscription):
                events = one.handle.events
                assert events is not None
                kind: EndKind = "publisher" if events.is_publisher else "subscription"
                name, gid = one.msg_type.TYPE_NAME, events.gid.hex()
                yield TopicEnd(
                    full, one.topic, name, events.type_hash, kind, gid, events.qos, alive=events.alive
                )
            else:
                kind = "service" if isinstance(one, Service) else "client"
                request_hash = type_hash(one.srv_type.Request.TYPE_NAME)
                name, gid = one.srv_type.TYPE_NAME, one._outlet.publisher.hex()
                yield TopicEnd(full, one.srv_name, name, request_hash, kind, gid)


def _destroy(end: End, those: list[Any]) -> bool:
    """Destroy `end` if it is one of `those`; whether it was."""
    if end not in those:
        return False
    end.destroy()
    return True


def _checked(callbacks: Any, kind: type[C]) -> C:
    """What was given, or none at all; raises TypeError for what is no container of callbacks."""
    if callbacks is not None and not isinstance(callbacks, kind):
        raise TypeError(f"event_callbacks must be {kind.__name__}, got {type(callbacks).__name__}")
    return kind() if callbacks is None else callbacks


def _profile(profile: QoSProfile | int) -> QoSProfile:
    if isinstance(profile, bool) or not isinstance(profile, QoSProfile | int):
        raise TypeError(f"Expected QoSProfile or int, but received {type(profile)!r}")
    if isinstance(profile, int):
        if profile < 0:
            raise ValueError("history depth must be greater than or equal to zero")
        return QoSProfile(depth=profile)
    return profile


def _check_type(msg_type: type[Message]) -> None:
    if not is_message_class(msg_type):
        raise TypeError(f"a message type made by message_class() is needed, got {msg_type!r}")
