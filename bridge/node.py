"""Nodes, as rclpy has them: publishers, subscriptions, timers and guard conditions under one name.

Arguments that only later parts of the bridge give a meaning to (parameters, rosout, event callbacks) are in
the signatures already; a value that would have to change behaviour is refused, not ignored.
"""

import weakref
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from .callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup
from .clock import Clock, ROSClock
from .context import Context, get_default_context
from .duration import S_TO_NS
from .exceptions import NotInitializedException
from .graph import TopicEnd
from .guard_condition import GuardCondition
from .logging import RcutilsLogger, get_logger
from .messages import Message, type_hash, type_hash_prefix
from .names import expand_topic_name, validate_namespace, validate_node_name
from .publisher import Publisher
from .qos import DurabilityPolicy, QoSProfile, check_supported
from .subscription import MessageInfo, Subscription
from .timer import Timer, TimerInfo

if TYPE_CHECKING:
    from .executors import Executor

MsgT = TypeVar("MsgT", bound=Message)


class Node:
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
        _refuse("cli_args", cli_args)
        _refuse("parameter_overrides", parameter_overrides)
        _refuse("enable_logger_service", enable_logger_service)
        self._context = get_default_context() if context is None else context
        if not self._context.ok():
            raise NotInitializedException("cannot create node")
        self._name = node_name
        self._namespace = f"/{(namespace or '').strip('/')}"
        validate_node_name(node_name)
        validate_namespace(self._namespace)
        self._publishers: list[Publisher[Any]] = []
        self._subscriptions: list[Subscription[Any]] = []
        self._timers: list[Timer] = []
        self._guards: list[GuardCondition] = []
        self._default_callback_group = MutuallyExclusiveCallbackGroup()
        self._executor: weakref.ref[Executor] | None = None
        self._clock = ROSClock()
        self._logger = get_logger(f"{self._namespace}/{node_name}".strip("/").replace("/", "."))
        self._destroyed = False
        self._transport, self._graph = self._context.transport, self._context.graph
        self._context.track_node(self)
        self._announce()

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
        return self._name

    def get_namespace(self) -> str:
        """Its namespace, / at least."""
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
        """The full name of a topic."""
        return expand_topic_name(topic, self._name, self._namespace)

    def create_publisher(
        self,
        msg_type: type[MsgT],
        topic: str,
        qos_profile: QoSProfile | int,
        *,
        callback_group: CallbackGroup | None = None,
        event_callbacks: object | None = None,
        qos_overriding_options: object | None = None,
        publisher_class: type[Publisher[Any]] = Publisher,
    ) -> Publisher[MsgT]:
        """Make a publisher; an integer for the profile is its depth.

        Raises
        ------
        InvalidTopicNameException, InvalidQoSProfileException, TypeError, ValueError
            If the name, the profile, the message type or an option cannot be used.
        """
        _refuse("event_callbacks", event_callbacks)
        _refuse("qos_overriding_options", qos_overriding_options)
        profile, name = _profile(qos_profile), self.resolve_topic_name(topic)
        _check_type(msg_type)
        history = max(profile.depth, 1) if profile.durability == DurabilityPolicy.TRANSIENT_LOCAL else 0
        outlet = self._transport.outlet(name, type_hash_prefix(msg_type.TYPE_NAME), history)
        publisher: Publisher[MsgT] = publisher_class(outlet, msg_type, name, profile)
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
        event_callbacks: object | None = None,
        qos_overriding_options: object | None = None,
        raw: bool = False,
    ) -> Subscription[MsgT]:
        """Make a subscription; an integer for the profile is its depth; `raw` calls back with CDR bytes.

        Raises
        ------
        InvalidTopicNameException, InvalidQoSProfileException, TypeError, ValueError
            If the name, the profile, the message type or an option cannot be used.
        """
        _refuse("event_callbacks", event_callbacks)
        _refuse("qos_overriding_options", qos_overriding_options)
        profile, name = _profile(qos_profile), self.resolve_topic_name(topic)
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
        self._subscriptions.append(subscription)
        self._transport.subscribe(name, subscription.deliver)
        self._announce()
        return subscription

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

    def destroy_publisher(self, publisher: Publisher[Any]) -> bool:
        """Remove a publisher of this node; False if it is not."""
        if publisher not in self._publishers:
            return False
        self._publishers.remove(publisher)
        publisher.destroy()
        self._announce()
        return True

    def destroy_subscription(self, subscription: Subscription[Any]) -> bool:
        """Remove a subscription of this node; False if it is not."""
        if subscription not in self._subscriptions:
            return False
        self._subscriptions.remove(subscription)
        self._transport.unsubscribe(subscription.topic, subscription.deliver)
        subscription.destroy()
        self._announce()
        return True

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
        for publisher in self.publishers:
            self.destroy_publisher(publisher)
        for subscription in self.subscriptions:
            self.destroy_subscription(subscription)
        for timer in self.timers:
            self.destroy_timer(timer)
        for guard in self.guards:
            self.destroy_guard_condition(guard)
        self._destroyed = True
        self._context.untrack_node(self)
        self._announce()

    def count_publishers(self, topic_name: str) -> int:
        """Publishers of a topic, over all processes."""
        return self._graph.count(self.resolve_topic_name(topic_name), "publisher")

    def count_subscribers(self, topic_name: str) -> int:
        """Subscriptions of a topic, over all processes."""
        return self._graph.count(self.resolve_topic_name(topic_name), "subscription")

    def get_topic_names_and_types(self, no_demangle: bool = False) -> list[tuple[str, list[str]]]:
        """All topics and the types that are published or subscribed there."""
        found: dict[str, set[str]] = {}
        for participant in self._graph.participants:
            for end in participant.ends:
                found.setdefault(end.topic, set()).add(end.type_name)
        return [(topic, sorted(types)) for topic, types in sorted(found.items())]

    def get_node_names_and_namespaces(self) -> list[tuple[str, str]]:
        """All nodes, over all processes."""
        return [
            (name, namespace)
            for participant in self._graph.participants
            for name, namespace in participant.nodes
        ]

    def get_node_names(self) -> list[str]:
        """Names of all nodes, over all processes."""
        return [name for name, _ in self.get_node_names_and_namespaces()]

    def _wake_executor(self) -> None:
        if (executor := self.executor) is not None:
            executor.wake()

    def _announce(self) -> None:
        """Tell the others what all nodes of this process have."""
        nodes = [node for node in list(self._context._nodes) if not node._destroyed]
        kinds: tuple[Literal["publisher"], Literal["subscription"]] = ("publisher", "subscription")
        ends = [
            TopicEnd(node.get_fully_qualified_name(), end.topic, name, type_hash(name), kind)
            for node in nodes
            for kind in kinds
            for end in (node.publishers if kind == "publisher" else node.subscriptions)
            for name in (end.msg_type.TYPE_NAME,)
        ]
        self._graph.announce([(node._name, node._namespace) for node in nodes], ends)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.destroy_node()


def _refuse(name: str, value: object) -> None:
    if value:
        raise ValueError(f"{name} is not supported by this bridge, got {value!r}")


def _profile(profile: QoSProfile | int) -> QoSProfile:
    if isinstance(profile, bool) or not isinstance(profile, QoSProfile | int):
        raise TypeError(f"Expected QoSProfile or int, but received {type(profile)!r}")
    if isinstance(profile, int):
        if profile < 0:
            raise ValueError("history depth must be greater than or equal to zero")
        return QoSProfile(depth=profile)
    check_supported(profile)
    return profile


def _check_type(msg_type: type[Message]) -> None:
    if not (isinstance(msg_type, type) and issubclass(msg_type, Message) and msg_type is not Message):
        raise TypeError(f"a message type made by message_class() is needed, got {msg_type!r}")
