"""Nodes, as rclpy has them: publishers, subscriptions, services, clients, timers and more under one name.

Topics and services are in `node_ends`, what the graph knows is asked for in `node_graph`, parameters are in
`node_parameters`. A value of an argument that would have to change behaviour and cannot is refused, not
ignored.
"""

import weakref
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from .callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from .clock import Clock, ROSClock
from .constants import S_TO_NS
from .context import Context, get_default_context
from .exceptions import (
    InvalidServiceNameException,
    InvalidTopicNameException,
    NotInitializedException,
)
from .guard_condition import GuardCondition
from .handles import Handle
from .logging import RcutilsLogger, get_logger
from .logging_service import LoggingService
from .messages import Message
from .names import expand_topic_name, validate_namespace, validate_node_name
from .node_ends import NodeEnds
from .node_graph import NodeGraph
from .parameter_service import ParameterService
from .ros_arguments import parse
from .rosout import Rosout
from .time_source import TimeSource
from .timer import Rate, Timer, TimerInfo
from .type_description_service import TypeDescriptionService
from .waitable import Waitable

if TYPE_CHECKING:
    from .executor_waiting import Waiting
    from .executors import Executor

MsgT = TypeVar("MsgT", bound=Message)


class Node(NodeEnds, NodeGraph):
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
        NodeEnds.__init__(self)
        self._timers: list[Timer] = []
        self._guards: list[GuardCondition] = []
        self._default_callback_group = MutuallyExclusiveCallbackGroup()
        self._rate_group = ReentrantCallbackGroup()
        self._executor: weakref.ref[Executor] | None = None
        self._executor_waiting: Waiting | None = None  #: what wakes it
        self._clock = ROSClock()
        self._logger = get_logger(self.get_fully_qualified_name().strip("/").replace("/", "."))
        self._destroyed = False
        self._complete = False
        self._handle = NodeHandle(self)
        self._transport, self._graph = self._context.transport, self._context.graph
        self._matching = self._context.matching
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
    def waitables(self) -> "Iterator[Waitable[Any]]":
        """What else executors ask whether it is ready."""
        yield from list(self._waitables)

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
        self._executor_waiting = None if new_executor is None else new_executor._waiting
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
        self._destroy_ends()
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
        self.owner = node

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
