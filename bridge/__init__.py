"""An rclpy-compatible API on ZeroMQ, without ROS 2; the messages are ROS 2 messages in CDR.

The functions here are those of the module `rclpy`, signature for signature; message classes come from
`message_class("geometry_msgs/msg/Twist")`. Processes meet at `tcp://127.0.0.1:11948` (a ROS domain id is
added to the port), at `$TOLMAN_ENDPOINT`, or at the endpoint given to `open_context`; loopback addresses
only.

`state` publishes what the agent knows, `observer` gathers it in another process, `viewers` shows it.
"""

from types import TracebackType
from typing import Any, Self

from .context import Context, get_default_context, open_context
from .exceptions import (
    BridgeError,
    BusyPortError,
    EndpointError,
    MessageError,
    NoDisplayError,
    NothingPublishing,
    NotInitializedException,
)
from .executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from .messages import Message, message_class
from .node import Node
from .qos import QoSProfile
from .signals import SignalHandlerOptions, install_signal_handlers, uninstall_signal_handlers
from .task import Future

__all__ = [
    "BridgeError",
    "BusyPortError",
    "Context",
    "EndpointError",
    "ExternalShutdownException",
    "Future",
    "Message",
    "MessageError",
    "NoDisplayError",
    "Node",
    "NotInitializedException",
    "NothingPublishing",
    "QoSProfile",
    "SignalHandlerOptions",
    "SingleThreadedExecutor",
    "create_node",
    "get_default_context",
    "get_global_executor",
    "init",
    "message_class",
    "ok",
    "open_context",
    "shutdown",
    "spin",
    "spin_once",
    "spin_until_future_complete",
    "try_shutdown",
]


class InitContextManager:
    """What `init` returns: shuts the context down at the end of a `with` block."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        try_shutdown(context=self.context)


_global_executors: dict[int, Executor] = {}


def init(
    *,
    args: list[str] | None = None,
    context: Context | None = None,
    domain_id: int | None = None,
    signal_handler_options: SignalHandlerOptions | None = None,
) -> InitContextManager:
    """Begin; see `Context.init`. SIGINT and SIGTERM end the default context unless told otherwise."""
    chosen = get_default_context() if context is None else context
    if signal_handler_options is None:
        default = chosen is get_default_context()
        signal_handler_options = SignalHandlerOptions.ALL if default else SignalHandlerOptions.NO
    chosen.init(args, domain_id=domain_id)
    if signal_handler_options != SignalHandlerOptions.NO:
        install_signal_handlers(signal_handler_options, chosen)
    return InitContextManager(chosen)


def ok(*, context: Context | None = None) -> bool:
    """Whether the context is initialised and not shut down."""
    return (get_default_context() if context is None else context).ok()


def shutdown(*, context: Context | None = None, uninstall_handlers: bool | None = None) -> None:
    """End; raises NotInitializedException if there is nothing to end.

    `uninstall_handlers`: signals do what they did before; by default if it is the default context.
    """
    chosen = get_default_context() if context is None else context
    chosen.shutdown()
    if uninstall_handlers or (uninstall_handlers is None and chosen is get_default_context()):
        uninstall_signal_handlers()


def try_shutdown(*, context: Context | None = None, uninstall_handlers: bool | None = None) -> None:
    """End, if there is anything to end."""
    chosen = get_default_context() if context is None else context
    chosen.try_shutdown()
    if uninstall_handlers or (uninstall_handlers is None and chosen is get_default_context()):
        uninstall_signal_handlers()


def create_node(
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
) -> Node:
    """Make a node; see `Node`."""
    return Node(
        node_name,
        context=context,
        cli_args=cli_args,
        namespace=namespace,
        use_global_arguments=use_global_arguments,
        enable_rosout=enable_rosout,
        start_parameter_services=start_parameter_services,
        parameter_overrides=parameter_overrides,
        allow_undeclared_parameters=allow_undeclared_parameters,
        automatically_declare_parameters_from_overrides=automatically_declare_parameters_from_overrides,
        enable_logger_service=enable_logger_service,
    )


def get_global_executor() -> Executor:
    """The executor of `spin` and its like where none is given."""
    context = get_default_context()
    executor = _global_executors.get(id(context))
    if executor is None:
        executor = _global_executors[id(context)] = SingleThreadedExecutor()

        def reset() -> None:
            _global_executors.pop(id(context)).shutdown()

        context.on_shutdown(reset)
    return executor


def spin_once(node: Node, *, executor: Executor | None = None, timeout_sec: float | None = None) -> None:
    """Run one callback, or wait for one at most `timeout_sec` (for ever if None or negative)."""
    chosen = get_global_executor() if executor is None else executor
    try:
        chosen.add_node(node)
        chosen.spin_once(timeout_sec=timeout_sec)
    finally:
        chosen.remove_node(node)


def spin(node: Node, executor: Executor | None = None) -> None:
    """Run the node's callbacks until the context is shut down."""
    chosen = get_global_executor() if executor is None else executor
    try:
        chosen.add_node(node)
        while chosen.context.ok() and not chosen._is_shutdown:
            chosen.spin_once()
    finally:
        chosen.remove_node(node)


def spin_until_future_complete(
    node: Node, future: Future[Any], executor: Executor | None = None, timeout_sec: float | None = None
) -> None:
    """Run the node's callbacks until `future` is done, for at most `timeout_sec` if that is >= 0."""
    chosen = get_global_executor() if executor is None else executor
    added = False
    try:
        added = chosen.add_node(node)
        chosen.spin_until_future_complete(future, timeout_sec)
    finally:
        if added:
            chosen.remove_node(node)
