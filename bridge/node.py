"""Nodes, as rclpy has them: publishers, subscriptions, services, clients, timers and more under one name.

What the graph knows is asked for in `node_graph`, parameters are in `node_parameters`. A value of an argument
that would have to change behaviour and cannot is refused, not ignored.
"""

import functools
import weakref
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from .callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from .client import Client
from .clock import Clock, ROSClock
from .constants import S_TO_NS
from .context import Context, get_default_context
from .event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from .exceptions import (
    InvalidServiceNameException,
    InvalidTopicNameException,
    NotInitializedException,
    UnsupportedEventTypeError,
)
from .graph import EndKind, TopicEnd
from .guard_condition import GuardCondition
from .handles import Handle
from .logging import RcutilsLogger, get_logger
from .logging_service import LoggingService
from .messages import Message, type_hash, type_hash_prefix
from .names import expand_topic_name, validate_namespace, validate_node_name
from .node_graph import NodeGraph
from .node_parameters import NodeParameters
from .parameter_service import ParameterService
from .publisher import Publisher
from .qos import (
    DurabilityPolicy,
    QoSProfile,
    ReliabilityPolicy,
    kept,
    packed,
    qos_profile_services_default,
)
from .qos_overriding_options import QoSOverridingOptions, declare_qos_parameters
from .ros_arguments import parse
from .rosout import Rosout
from .service import KEPT_ANSWERS, Service, answer_topic, request_topic
from .subscription import MessageInfo, Subscription
from .time_source import TimeSource
from .timer import Rate, Timer, TimerInfo
from .transport import Outlet
from .type_description_service import TypeDescriptionService
from .type_support import check_is_valid_srv_type, is_message_class
from .waitable import Waitable

if TYPE_CHECKING:
    from .executors import Executor

MsgT = TypeVar("MsgT", bound=Message)


class Node(NodeGraph, NodeParameters):
    """A participant with a name.

    Raises
    ------
    NotInitializedException
        If the context is not initialised.
    InvalidNodeNameException, InvalidNamespaceException
        If a name is invalid.
    ValueError
        If an argument asks for what the bridge does not do.
    """

    def __init__(
        self,
        node_name: str,
        *,
        context: Context | None = None,
        cli_args: list[str] | None = None,
        namespace: str | None = None,
        use_global_arguments: bool = True,
        enable_rosout: bool = True,
        start_parameter_services: bool = True,
        parameter_overrides: list[Any] | None = None,
        allow_undeclared_parameters: bool = False,
        automatically_declare_parameters_from_overrides: bool = False,
        enable_logger_service: bool = False,
    ) -> None:
        self._context = get_default_context() if context is None else context
        if not self._context.ok():
            raise NotInitializedException("cannot create node")
        own = parse([] if cli_args is None else cli_args)
        self._arguments = own + self._context.arguments if use_global_arguments else own
        asked = f"/{(namespace or '').strip('/')}"
        validate_node_name(node_name)
        validate_namespace(asked)
        self._name, self._namespace = self._arguments.remapped_node(node_name, asked)
        validate_node_name(self._name)
        validate_namespace(self._namespace)
        self._publishers: list[Publisher[Any]] = []
        self._subscriptions: list[Subscription[Any]] = []
        self._clients: list[Client] = []
        self._services: list[Service] = []
        self._timers: list[Timer] = []
        self._guards: list[GuardCondition] = []
        self._waitables: list[Waitable[Any]] = []
        self._default_callback_group = MutuallyExclusiveCallbackGroup()
        self._rate_group = ReentrantCallbackGroup()
        self._executor: weakref.ref[Executor] | None = None
        self._clock = ROSClock()
        self._logger = get_logger(self.get_fully_qualified_name().strip("/").replace("/", "."))
        self._destroyed = False
        self._complete = False
        self._handle = NodeHandle(self)
        self._transport, self._graph = self._context.transport, self._context.graph
        self._rosout: Rosout | None = None
        self._context.track_node(self)
        if enable_rosout and self._arguments.rosout is not False:
            self._rosout = Rosout(self)
        given = self._arguments.parameters_of(self._name, self._namespace)
        self._init_parameters(
            parameter_overrides=[*given, *(parameter_overrides or [])],
            allow_undeclared_parameters=allow_undeclared_parameters,
            automatically_declare_parameters_from_overrides=automatically_declare_parameters_from_overrides,
        )
        self._time_source = TimeSource(node=self)
        self._time_source.attach_clock(self._clock)
        self._parameter_service = ParameterService(self) if start_parameter_services else None
        self._logging_service = LoggingService(self) if enable_logger_service else None
        self._type_description_service = TypeDescriptionService(self)
        self._complete = True
        self._announce()

    @property
    def handle(self) -> Handle:
        """Refuses once the node is destroyed."""
        return self._handle

    @handle.setter
    def handle(self, value: object) -> None:
        raise AttributeError("handle cannot be modified after node creation")

    @property
    def clients(self) -> Iterator[Client]:
        """Its clients."""
        yield from list(self._clients)

    @property
    def services(self) -> Iterator[Service]:
        """Its services."""
        yield from list(self._services)

    @property
    def waitables(self) -> "Iterator[Waitable[Any]]":
        """What else executors ask whether it is ready."""
        yield from list(self._waitables)

    @property
    def publishers(self) -> Iterator[Publisher[Any]]:
        """Its publishers."""
        yield from list(self._publishers)

    @property
    def subscriptions(self) -> Iterator[Subscription[Any]]:
        """Its subscriptions."""
        yield from list(self._subscriptions)

    @property
    def timers(self) -> Iterator[Timer]:
        """Its timers."""
        yield from list(self._timers)

    @property
    def guards(self) -> Iterator[GuardCondition]:
        """Its guard conditions."""
        yield from list(self._guards)

    @property
    def executor(self) -> "Executor | None":
        """The executor that runs its callbacks."""
        return self._executor() if self._executor is not None else None

    @executor.setter
    def executor(self, new_executor: "Executor | None") -> None:
        current = self.executor
        if current is not None and current is not new_executor:
            current.remove_node(self)
        self._executor = None if new_executor is None else weakref.ref(new_executor)
        if new_executor is not None:
            new_executor.add_node(self)

    @property
    def context(self) -> Context:
        """The context it lives in."""
        return self._context

    @property
    def default_callback_group(self) -> CallbackGroup:
        """The group of callbacks that are given none: one at a time."""
        return self._default_callback_group

    def get_name(self) -> str:
        """Its name."""
        with self._handle:
            return self._name

    def get_namespace(self) -> str:
        """Its namespace, / at least."""
        with self._handle:
            return self._namespace

    def get_fully_qualified_name(self) -> str:
        """Namespace and name."""
        return f"{self._namespace.rstrip('/')}/{self._name}"

    def get_clock(self) -> Clock:
        """Its clock."""
        return self._clock

    def get_logger(self) -> RcutilsLogger:
        """Its logger."""
        return self._logger

    def resolve_topic_name(self, topic: str, *, only_expand: bool = False) -> str:
        """The full name of a topic, remapped unless `only_expand`."""
        with self._handle:
            full = expand_topic_name(topic, self._name, self._namespace)
            return full if only_expand else self._remapped(full)

    def resolve_service_name(self, service: str, *, only_expand: bool = False) -> str:
        """The full name of a service, remapped unless `only_expand`."""
        try:
            return self.resolve_topic_name(service, only_expand=only_expand)
        except InvalidTopicNameException as error:
            raise InvalidServiceNameException(service, error.error_msg, error.invalid_index) from None

    def _remapped(self, full: str) -> str:
        return self._arguments.remap(full, self._name, self._namespace)

    def add_waitable(self, waitable: "Waitable[Any]") -> None:
        """Have executors ask this, too, whether it is ready."""
        self._waitables.append(waitable)
        self._wake_executor()

    def remove_waitable(self, waitable: "Waitable[Any]") -> None:
        """Undo `add_waitable`."""
        self._waitables.remove(waitable)
        self._wake_executor()

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
        _refuse_callbacks(event_callbacks)
        profile, name = _profile(qos_profile), self.resolve_topic_name(topic)
        profile = declare_qos_parameters(Publisher, self, name, profile, qos_overriding_options)
        _check_type(msg_type)
        history = kept(profile) if profile.durability == DurabilityPolicy.TRANSIENT_LOCAL else 0
        reliable = profile.reliability != ReliabilityPolicy.BEST_EFFORT
        early = kept(profile) if reliable else 0
        outlet = self._transport.outlet(name, type_hash_prefix(msg_type.TYPE_NAME), history, early)
        outlet.lifespan = profile.lifespan.nanoseconds
        publisher: Publisher[MsgT] = publisher_class(outlet, msg_type, name, profile)
        publisher.count_subscriptions = functools.partial(self._graph.count, name, "subscription")
        publisher.remove = functools.partial(self._forget, self._publishers, publisher)
        self._publishers.append(publisher)
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
        _refuse_callbacks(event_callbacks)
        profile, name = _profile(qos_profile), self.resolve_topic_name(topic)
        profile = declare_qos_parameters(Subscription, self, name, profile, qos_overriding_options)
        _check_type(msg_type)
        group = callback_group or self._default_callback_group
        prefix = type_hash_prefix(msg_type.TYPE_NAME)
        subscription = Subscription(
            msg_type,
            name,
            callback,
            group,
            profile,
            raw,
            prefix,
            self._wake_executor,
            self._transport.refusals,
        )
        group.add_entity(subscription)
        subscription.count_publishers = functools.partial(self._graph.count, name, "publisher")
        subscription.remove = functools.partial(self._forget, self._subscriptions, subscription, name)
        self._subscriptions.append(subscription)
        self._transport.subscribe(name, subscription.deliver)
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
        check_is_valid_srv_type(srv_type)
        name, group = self.resolve_service_name(srv_name), callback_group or self._default_callback_group
        kind = type_hash_prefix(srv_type.Request.TYPE_NAME)
        outlet = self._transport.outlet(request_topic(name), kind, early=max(qos_profile.depth, 1))
        client = Client(
            self._context,
            srv_type,
            name,
            qos_profile,
            group,
            outlet,
            lambda: outlet.subscribers > 0 and self._graph.count(name, "service") > 0,
            self._wake_executor,
            self._transport.refusals,
        )
        client._executor = lambda: self.executor
        group.add_entity(client)
        client.remove = functools.partial(self._forget, self._clients, client, answer_topic(name))
        self._clients.append(client)
        self._transport.subscribe(answer_topic(name), client.deliver)
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
        check_is_valid_srv_type(srv_type)
        name, group = self.resolve_service_name(srv_name), callback_group or self._default_callback_group
        outlet = self._transport.outlet(
            answer_topic(name), type_hash_prefix(srv_type.Response.TYPE_NAME), KEPT_ANSWERS
        )
        service = Service(
            srv_type,
            name,
            callback,
            group,
            qos_profile,
            outlet,
            self._wake_executor,
            self._transport.refusals,
        )
        group.add_entity(service)
        service.remove = functools.partial(self._forget, self._services, service, request_topic(name))
        self._services.append(service)
        self._transport.subscribe(request_topic(name), service.deliver)
        self._announce()
        return service

    def create_timer(
        self,
        timer_period_sec: float,
        callback: Callable[[], None] | Callable[[TimerInfo], None] | None,
        callback_group: CallbackGroup | None = None,
        clock: Clock | None = None,
        autostart: bool = True,
    ) -> Timer:
        """Make a timer; by default on the node's clock."""
        group = callback_group or self._default_callback_group
        period = int(float(timer_period_sec) * S_TO_NS)
        timer = Timer(
            callback, group, period, clock or self._clock, context=self._context, autostart=autostart
        )
        group.add_entity(timer)
        self._timers.append(timer)
        self._wake_executor()
        return timer

    def create_guard_condition(
        self, callback: Callable[[], None], callback_group: CallbackGroup | None = None
    ) -> GuardCondition:
        """Make a guard condition."""
        group = callback_group or self._default_callback_group
        guard = GuardCondition(callback, group, context=self._context)
        guard.wake = self._wake_executor
        group.add_entity(guard)
        self._guards.append(guard)
        return guard

    def create_rate(self, frequency: float, clock: Clock | None = None) -> Rate:
        """Make a rate; raises ValueError unless `frequency`, Hz, is above 0."""
        if frequency <= 0:
            raise ValueError("frequency must be > 0")
        timer = self.create_timer(1.0 / frequency, None, callback_group=self._rate_group, clock=clock)
        return Rate(timer, context=self._context)

    def destroy_publisher(self, publisher: Publisher[Any]) -> bool:
        """Remove a publisher of this node; False if it is not."""
        if publisher not in self._publishers:
            return False
        publisher.destroy()
        return True

    def destroy_subscription(self, subscription: Subscription[Any]) -> bool:
        """Remove a subscription of this node; False if it is not."""
        if subscription not in self._subscriptions:
            return False
        subscription.destroy()
        return True

    def destroy_client(self, client: Client) -> bool:
        """Remove a client of this node; False if it is not."""
        if client not in self._clients:
            return False
        client.destroy()
        return True

    def destroy_service(self, service: Service) -> bool:
        """Remove a service of this node; False if it is not."""
        if service not in self._services:
            return False
        service.destroy()
        return True

    def destroy_rate(self, rate: Rate) -> bool:
        """Remove a rate and its timer; False if that is not of this node."""
        done = self.destroy_timer(rate._timer)
        rate.destroy()
        return done

    def destroy_timer(self, timer: Timer) -> bool:
        """Remove a timer of this node; False if it is not."""
        if timer not in self._timers:
            return False
        self._timers.remove(timer)
        timer.destroy()
        return True

    def destroy_guard_condition(self, guard: GuardCondition) -> bool:
        """Remove a guard condition of this node; False if it is not."""
        if guard not in self._guards:
            return False
        self._guards.remove(guard)
        guard.destroy()
        return True

    def destroy_node(self) -> None:
        """Remove everything, and the node."""
        if self._destroyed:
            return
        if (executor := self.executor) is not None:
            executor.remove_node(self)
        self._stop_parameter_events()
        for publisher in self.publishers:
            self.destroy_publisher(publisher)
        for subscription in self.subscriptions:
            self.destroy_subscription(subscription)
        for client in self.clients:
            self.destroy_client(client)
        for service in self.services:
            self.destroy_service(service)
        for timer in self.timers:
            self.destroy_timer(timer)
        for guard in self.guards:
            self.destroy_guard_condition(guard)
        if self._rosout is not None:
            self._rosout.close()
            self._rosout = None
        self._destroyed = True
        self._handle.destroy_when_not_in_use()
        self._context.untrack_node(self)
        self._announce()

    def _wake_executor(self) -> None:
        if (executor := self.executor) is not None:
            executor.wake()

    def _forget(self, those: list[Any], end: Any, topic: str | None = None) -> None:
        """An end was destroyed: it is ours no more, and hears `topic` no more."""
        if end in those:
            those.remove(end)
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

        def end(kind: EndKind, name: str, type_name: str, gid: bytes, profile: QoSProfile) -> TopicEnd:
            return TopicEnd(full, name, type_name, type_hash(type_name), kind, gid.hex(), packed(profile))

        rosout = [] if self._rosout is None else [self._rosout.publisher]
        for publisher in [*self.publishers, *rosout]:
            gid = publisher._outlet.publisher
            yield end("publisher", publisher.topic, publisher.msg_type.TYPE_NAME, gid, publisher.qos_profile)
        for subscription in self.subscriptions:
            gid = id(subscription).to_bytes(8, "little")
            kind = subscription.msg_type.TYPE_NAME
            yield end("subscription", subscription.topic, kind, gid, subscription.qos_profile)
        for service in self.services:
            yield _service_end(full, "service", service.srv_name, service.srv_type, service._outlet)
        for client in self.clients:
            yield _service_end(full, "client", client.srv_name, client.srv_type, client._outlet)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.destroy_node()


class NodeHandle(Handle):
    """What programs get from `node.handle`."""

    def __init__(self, node: Node) -> None:
        super().__init__("a node")
        self._node = weakref.ref(node)

    @property
    def name(self) -> str:
        """The node's name."""
        node = self._node()
        return "" if node is None else node._name

    def get_fully_qualified_name(self) -> str:
        """Namespace and name."""
        node = self._node()
        return "" if node is None else node.get_fully_qualified_name()

    def logger_name(self) -> str:
        """The name of its logger."""
        node = self._node()
        return "" if node is None else node.get_logger().name


def _service_end(node: str, kind: EndKind, name: str, srv_type: Any, outlet: Outlet) -> TopicEnd:
    hash_of_request, gid = type_hash(srv_type.Request.TYPE_NAME), outlet.publisher.hex()
    return TopicEnd(node, name, srv_type.TYPE_NAME, hash_of_request, kind, gid)


def _refuse_callbacks(callbacks: Any) -> None:
    """Event callbacks that would never be called are refused."""
    if callbacks is None:
        return
    if not isinstance(callbacks, PublisherEventCallbacks | SubscriptionEventCallbacks):
        raise TypeError(f"event_callbacks must be event callbacks, got {type(callbacks).__name__}")
    given = [name for name, value in vars(callbacks).items() if callable(value)]
    if given:
        raise UnsupportedEventTypeError(
            f"{', '.join(sorted(given))}: not supported by this bridge; leave it out"
        )


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
