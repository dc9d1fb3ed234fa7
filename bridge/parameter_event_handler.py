"""Hearing of changes of parameters, of one node or of all, as rclpy has it."""

import threading
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from .callback_groups import CallbackGroup
from .messages import Message
from .node_parameters import EVENTS_TOPIC
from .parameter import rcl_message
from .qos import QoSProfile, qos_profile_parameter_events

if TYPE_CHECKING:
    from .node import Node
    from .qos_overriding_options import QoSOverridingOptions

ParameterCallback = Callable[[Message], None]  #: given a Parameter message
EventCallback = Callable[[Message], None]  #: given a ParameterEvent message


class ParameterCallbackHandle:
    """What `add_parameter_callback` returns, to remove the callback with."""

    def __init__(self, parameter_name: str, node_name: str, callback: ParameterCallback) -> None:
        self.parameter_name = parameter_name
        self.node_name = node_name
        self.callback = callback


class ParameterEventCallbackHandle:
    """What `add_parameter_event_callback` returns, to remove the callback with."""

    def __init__(self, callback: EventCallback) -> None:
        self.callback = callback


class _Callbacks:
    """The callbacks of a handler, the newest first."""

    def __init__(self) -> None:
        self.parameter_callbacks: dict[tuple[str, str], list[ParameterCallbackHandle]] = {}
        self.event_callbacks: list[ParameterEventCallbackHandle] = []
        self._lock = threading.Lock()

    def event_callback(self, event: Message) -> None:
        """Call those that an event concerns."""
        with self._lock:  # not held while they run: they may add and remove callbacks
            by_parameter = {key: list(handles) for key, handles in self.parameter_callbacks.items()}
            by_event = list(self.event_callbacks)
        for (parameter_name, node_name), handles in by_parameter.items():
            parameter = ParameterEventHandler.get_parameter_from_event(event, parameter_name, node_name)
            if parameter is not None:
                for handle in handles:
                    handle.callback(parameter)
        for event_handle in by_event:
            event_handle.callback(event)

    def add_parameter_callback(
        self, parameter_name: str, node_name: str, callback: ParameterCallback
    ) -> ParameterCallbackHandle:
        handle = ParameterCallbackHandle(parameter_name, node_name, callback)
        with self._lock:
            self.parameter_callbacks.setdefault((parameter_name, node_name), []).insert(0, handle)
        return handle

    def remove_parameter_callback(self, handle: ParameterCallbackHandle) -> None:
        key = handle.parameter_name, handle.node_name
        with self._lock:
            handles = self.parameter_callbacks.get(key, [])
            if handle not in handles:
                raise RuntimeError("this parameter callback was not added, or is removed already")
            handles.remove(handle)
            if not handles:
                del self.parameter_callbacks[key]

    def add_parameter_event_callback(self, callback: EventCallback) -> ParameterEventCallbackHandle:
        handle = ParameterEventCallbackHandle(callback)
        with self._lock:
            self.event_callbacks.insert(0, handle)
        return handle

    def remove_parameter_event_callback(self, handle: ParameterEventCallbackHandle) -> None:
        with self._lock:
            if handle not in self.event_callbacks:
                raise RuntimeError("this parameter event callback was not added, or is removed already")
            self.event_callbacks.remove(handle)


class ParameterEventHandler:
    """Subscribes to /parameter_events and calls back, the callback that was added last first.

    Parameters
    ----------
    node : Node
        That subscribes.
    qos_profile, callback_group, event_callbacks, qos_overriding_options, raw
        As for `Node.create_subscription`.
    """

    def __init__(
        self,
        node: "Node",
        qos_profile: QoSProfile = qos_profile_parameter_events,
        callback_group: CallbackGroup | None = None,
        event_callbacks: Any = None,
        qos_overriding_options: "QoSOverridingOptions | None" = None,
        raw: bool = False,
    ) -> None:
        self.node = node
        self.qos_profile = qos_profile
        self._callbacks = _Callbacks()
        self.parameter_event_subscription = node.create_subscription(
            rcl_message("ParameterEvent"),
            EVENTS_TOPIC,
            self._callbacks.event_callback,
            qos_profile,
            callback_group=callback_group,
            event_callbacks=event_callbacks,
            qos_overriding_options=qos_overriding_options,
            raw=raw,
        )

    def destroy(self) -> None:
        """Stop listening."""
        self.node.destroy_subscription(self.parameter_event_subscription)

    @staticmethod
    def get_parameter_from_event(event: Message, parameter_name: str, node_name: str) -> Message | None:
        """The new or changed Parameter of this name in an event of this node (full name), or None."""
        if event.node != node_name:
            return None
        parameters = ParameterEventHandler.get_parameters_from_event(event)
        return next((p for p in parameters if p.name == parameter_name), None)

    @staticmethod
    def get_parameters_from_event(event: Message) -> Iterator[Message]:
        """All new and changed Parameters in an event."""
        yield from chain(event.new_parameters, event.changed_parameters)

    def add_parameter_callback(
        self, parameter_name: str, node_name: str, callback: ParameterCallback
    ) -> ParameterCallbackHandle:
        """Call back when a parameter is new or changed.

        Parameters
        ----------
        parameter_name : str
        node_name : str
            Full, or relative to the namespace of this node; empty for this node itself.
        callback : callable
            Given the Parameter message.
        """
        return self._callbacks.add_parameter_callback(parameter_name, self._resolve_path(node_name), callback)

    def remove_parameter_callback(self, handle: ParameterCallbackHandle) -> None:
        """Call back no longer; RuntimeError if the callback was removed already."""
        self._callbacks.remove_parameter_callback(handle)

    def add_parameter_event_callback(self, callback: EventCallback) -> ParameterEventCallbackHandle:
        """Call back with every ParameterEvent, of any node."""
        return self._callbacks.add_parameter_event_callback(callback)

    def remove_parameter_event_callback(self, handle: ParameterEventCallbackHandle) -> None:
        """Call back no longer; RuntimeError if the callback was removed already."""
        self._callbacks.remove_parameter_event_callback(handle)

    def _resolve_path(self, node_path: str | None = None) -> str:
        """The full name of a node."""
        if not node_path:
            return self.node.get_fully_qualified_name()
        if node_path.startswith("/"):
            return node_path
        return f"{self.node.get_namespace().rstrip('/')}/{node_path}"
