"""The life of a process on the bridge, as rclpy has it: init, ok, shutdown; one transport, one graph."""

import functools
import logging
import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .exceptions import EndpointError, NotInitializedException
from .handles import Handle
from .logging import get_logging_severity_from_string, set_logger_level
from .matching import Matching
from .network import endpoint as endpoints
from .network import keys as key_folders
from .network.graph import Graph
from .network.receiver import Receiver
from .network.transport import Transport
from .network.wire import Refusal
from .ros_arguments import RosArguments, parse

if TYPE_CHECKING:
    from .node import Node

_log = logging.getLogger(__name__)


class Context:
    """Holds what the nodes of a process share. Nothing is opened before the first node needs it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._initialized = False
        self._handle = Handle("context")
        self._handle.owner = self
        self._down = threading.Event()
        self._domain_id = 0
        self._endpoint: str | None = None
        self._keys: str | os.PathLike[str] | None = None
        self._transport: Transport | None = None
        self._graph: Graph | None = None
        self._matching: Matching | None = None
        self._arguments = RosArguments()
        self._nodes: list[Node] = []
        self._callbacks: list[Callable[[], None]] = []

    def init(
        self, args: list[str] | None = None, *, initialize_logging: bool = True, domain_id: int | None = None
    ) -> None:
        """Begin.

        Parameters
        ----------
        args : list of str, optional
            Of which the ROS arguments (remappings, parameters, log levels) hold for all nodes; by default
            those of the program.
        domain_id : int, optional
            Added to the default port; has no effect where an endpoint is given.

        Raises
        ------
        RuntimeError
            If the context is already initialised.
        UnknownROSArgsError, RCLInvalidROSArgsError
            If a ROS argument means nothing or is malformed.
        EndpointError
            If the endpoint or the domain id cannot be used.
        """
        with self._lock:
            if self._initialized:
                raise RuntimeError("Context.init() must only be called once")
            arguments = parse(sys.argv[1:] if args is None else args)
            for logger, level in arguments.log_levels:
                set_logger_level(logger, get_logging_severity_from_string(level))
            if domain_id is not None and domain_id < 0:
                raise EndpointError(f"domain_id must be >= 0, got {domain_id}")
            self._arguments = arguments
            endpoints.resolve(self._endpoint, domain_id or 0, anywhere=self._anywhere)
            self._domain_id = domain_id or 0
            self._initialized = True
            self._down.clear()

    @property
    def endpoint(self) -> str:
        """Where processes meet; may be set before the first node. Default: see `endpoint.resolve`."""
        return endpoints.resolve(self._endpoint, self._domain_id, anywhere=self._anywhere).url

    @endpoint.setter
    def endpoint(self, url: str | None) -> None:
        if self._transport is not None:
            raise RuntimeError("the endpoint must be set before the first node is made")
        self._endpoint = url if url is None else endpoints.parse(url, anywhere=self._anywhere).url

    @property
    def keys(self) -> str | None:
        """The key folder (docs/security.md), by default `$TOLMAN_KEYS`; may be set before the first node."""
        folder = os.environ.get(key_folders.ENVIRONMENT) if self._keys is None else os.fspath(self._keys)
        return folder or None

    @keys.setter
    def keys(self, folder: str | os.PathLike[str] | None) -> None:
        if self._transport is not None:
            raise RuntimeError("keys must be set before the first node is made")
        self._keys = folder

    @property
    def _anywhere(self) -> bool:
        return self.keys is not None or endpoints.insecure()

    @property
    def refused(self) -> dict[Refusal, int]:
        """What was refused so far, by reason: connections, announcements, subscriptions, frames."""
        found: dict[Refusal, int] = {}
        for part in (self._transport, self._graph):
            for reason, count in {} if part is None else part.refusals.as_dict().items():
                found[reason] = found.get(reason, 0) + count
        return found

    @property
    def transport(self) -> Transport:
        """The data sockets, opened now if they are not.

        Raises
        ------
        NotInitializedException
            If `init` was not called or the context is shut down.
        BusyPortError
            If another program holds the port.
        KeysError
            If the keys cannot be used, or the hub does not take them.
        """
        self._open()
        assert self._transport is not None
        return self._transport

    @property
    def receiver(self) -> Receiver | None:
        """What receives; None before the first subscription."""
        transport = self._transport
        return None if transport is None else transport.receiver

    @property
    def graph(self) -> Graph:
        """Who is there; opened and failing as `transport`."""
        self._open()
        assert self._graph is not None
        return self._graph

    @property
    def matching(self) -> Matching:
        """Which ends of topics fit each other; opened and failing as `transport`."""
        self._open()
        assert self._matching is not None
        return self._matching

    def _open(self) -> None:
        with self._lock:
            if self._transport is not None:
                return
            if not self.ok():
                raise NotInitializedException
            keys = key_folders.load(self.keys)
            endpoint = endpoints.resolve(self._endpoint, self._domain_id, anywhere=self._anywhere)
            if keys is None and not endpoint.is_loopback:
                _log.warning("%s: nothing is encrypted, and anybody may take part (--insecure)", endpoint.url)
            transport = Transport(endpoint.own_host, keys)
            graph = Graph(
                endpoint,
                transport.data_endpoint,
                transport.set_peers,
                transport.tick,
                keys,
                anywhere=not endpoint.is_loopback,
            )
            try:
                graph.start()
            except BaseException:
                transport.close()
                raise
            transport.expected = graph.subscribers
            self._transport, self._graph, self._matching = transport, graph, Matching(graph)

    @property
    def arguments(self) -> RosArguments:
        """The ROS arguments that hold for all nodes."""
        return self._arguments

    @property
    def handle(self) -> Handle | None:
        """None before `init`."""
        return self._handle if self._initialized else None

    def destroy(self) -> None:
        """End, if there is anything to end."""
        self.try_shutdown()

    def ok(self) -> bool:
        """Whether it is initialised and not shut down."""
        return self._initialized and not self._down.is_set()

    def wait_for_shutdown(self, timeout: float) -> bool:
        """Sleep up to `timeout` seconds; True if it was shut down."""
        return self._down.wait(timeout)

    def get_domain_id(self) -> int:
        """The domain id given to `init`.

        Raises
        ------
        NotInitializedException
            Before `init`.
        """
        if not self._initialized:
            raise NotInitializedException
        return self._domain_id

    def track_node(self, node: "Node") -> None:
        """Remember a node, to destroy it at shutdown."""
        self._nodes.append(node)

    def untrack_node(self, node: "Node") -> None:
        """Forget a node."""
        if node in self._nodes:
            self._nodes.remove(node)

    def on_shutdown(self, callback: Callable[[], None]) -> None:
        """Call `callback` once at shutdown.

        Raises
        ------
        TypeError
            If it is not callable.
        """
        if not callable(callback):
            raise TypeError("callback should be a callable")
        if self._initialized and self._down.is_set():
            callback()
        else:
            self._callbacks.append(callback)

    def request_shutdown(self) -> None:
        """Make `ok()` false and wake whoever spins, without closing anything: safe in a signal handler."""
        self._down.set()

    def shutdown(self) -> None:
        """End: destroy the nodes, close the sockets.

        Raises
        ------
        NotInitializedException
            If there is nothing to end.
        """
        if not self._initialized:
            raise NotInitializedException("cannot shut down")
        self.try_shutdown()

    def try_shutdown(self) -> None:
        """End, if there is anything to end."""
        with self._lock:
            if not self._initialized:
                return
            self._down.set()
            callbacks, self._callbacks = self._callbacks, []
            for callback in callbacks:
                callback()
            for node in list(self._nodes):
                node.destroy_node()
            transport, graph, matching = self._transport, self._graph, self._matching
            self._transport = self._graph = self._matching = None
            self._initialized = False
        if transport is not None and graph is not None and matching is not None:
            matching.close()
            transport.close()
            graph.close()

    def __enter__(self) -> Self:
        if not self._initialized:
            self.init()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.try_shutdown()


@functools.cache
def get_default_context() -> Context:
    """The context that everything uses which is given none."""
    return Context()


def open_context(
    endpoint: str | None = None,
    *,
    domain_id: int | None = None,
    keys: str | os.PathLike[str] | None = None,
) -> Context:
    """A context of its own, initialised, without signal handlers; for programs that are more than one node.

    `keys` is a key folder, by default `$TOLMAN_KEYS`.

    Raises
    ------
    EndpointError
        If the endpoint cannot be used.
    """
    context = Context()
    context.keys = keys
    context.endpoint = endpoint
    context.init(domain_id=domain_id)
    return context
