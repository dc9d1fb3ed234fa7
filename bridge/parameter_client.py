"""Reading and setting the parameters of another node, as rclpy has it."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .callback_groups import CallbackGroup
from .interfaces import service_class
from .messages import Message
from .node_parameters import EVENTS_TOPIC
from .parameter import Parameter, parameter_dict_from_yaml_file, rcl_message
from .parameter_service import SERVICE_NAMES
from .qos import QoSProfile, qos_profile_parameter_events, qos_profile_services_default
from .subscription import MessageInfo, Subscription
from .task import Future

if TYPE_CHECKING:
    from .client import Client
    from .node import Node
    from .qos_overriding_options import QoSOverridingOptions

DoneCallback = Callable[[Future[Any]], None]
_POLL = 0.05  #: s between looks for the services


class AsyncParameterClient:
    """Asks the services of a node; every answer is a Future of the response, complete once the node was spun.

    Parameters
    ----------
    node : Node
        That asks.
    remote_node_name : str
        That is asked; relative to the namespace of `node`, or full.
    qos_profile : QoSProfile
    callback_group : CallbackGroup, optional
        Of the clients.
    """

    def __init__(
        self,
        node: "Node",
        remote_node_name: str,
        qos_profile: QoSProfile = qos_profile_services_default,
        callback_group: CallbackGroup | None = None,
    ) -> None:
        self.remote_node_name = remote_node_name
        self.node = node
        self._clients: dict[str, Client] = {
            name: node.create_client(
                service_class(f"rcl_interfaces/srv/{name}"),
                f"{remote_node_name}/{last}",
                qos_profile=qos_profile,
                callback_group=callback_group,
            )
            for name, last in SERVICE_NAMES.items()
        }

    def services_are_ready(self) -> bool:
        """Whether all services are there."""
        return all(client.service_is_ready() for client in self._clients.values())

    def wait_for_services(self, timeout_sec: float | None = None) -> bool:
        """Wait until all services are there; False after `timeout_sec` (for ever if None)."""
        end = float("inf") if timeout_sec is None else time.monotonic() + timeout_sec
        while not (ready := self.services_are_ready()) and time.monotonic() < end:
            time.sleep(min(_POLL, max(end - time.monotonic(), 0.0)))
        return ready

    def list_parameters(
        self,
        prefixes: list[str] | None = None,
        depth: int | None = None,
        callback: DoneCallback | None = None,
    ) -> Future[Any]:
        """Ask for names; see `Node.list_parameters`. None means all, at any depth."""
        return self._ask("ListParameters", callback, prefixes=prefixes or [], depth=depth or 0)

    def get_parameters(self, names: list[str], callback: DoneCallback | None = None) -> Future[Any]:
        """Ask for values."""
        return self._ask("GetParameters", callback, names=names)

    def set_parameters(
        self, parameters: Sequence[Parameter[Any] | Message], callback: DoneCallback | None = None
    ) -> Future[Any]:
        """Set parameters one after the other; Parameter objects and messages may be mixed."""
        return self._ask("SetParameters", callback, parameters=_messages(parameters))

    def describe_parameters(self, names: list[str], callback: DoneCallback | None = None) -> Future[Any]:
        """Ask for descriptors."""
        return self._ask("DescribeParameters", callback, names=names)

    def get_parameter_types(self, names: list[str], callback: DoneCallback | None = None) -> Future[Any]:
        """Ask for types: the numbers of Parameter.Type."""
        return self._ask("GetParameterTypes", callback, names=names)

    def set_parameters_atomically(
        self, parameters: Sequence[Parameter[Any] | Message], callback: DoneCallback | None = None
    ) -> Future[Any]:
        """Set all parameters or, if one is rejected, none."""
        return self._ask("SetParametersAtomically", callback, parameters=_messages(parameters))

    def delete_parameters(self, names: list[str], callback: DoneCallback | None = None) -> Future[Any]:
        """Remove parameters; only those can be removed whose typing is dynamic."""
        return self.set_parameters([Parameter(name) for name in names], callback)

    def load_parameter_file(
        self, parameter_file: str, use_wildcard: bool = False, callback: DoneCallback | None = None
    ) -> Future[Any]:
        """Set what is in a file, one after the other; see `parameter_dict_from_yaml_file`."""
        return self.set_parameters(_from_file(parameter_file, use_wildcard), callback)

    def load_parameter_file_atomically(
        self, parameter_file: str, use_wildcard: bool = False, callback: DoneCallback | None = None
    ) -> Future[Any]:
        """Set all that is in a file or, if one is rejected, nothing; see `parameter_dict_from_yaml_file`."""
        return self.set_parameters_atomically(_from_file(parameter_file, use_wildcard), callback)

    def on_parameter_event(
        self,
        callback: Callable[[Message], None] | Callable[[Message, MessageInfo], None],
        qos_profile: QoSProfile = qos_profile_parameter_events,
        *,
        callback_group: CallbackGroup | None = None,
        event_callbacks: Any = None,
        qos_overriding_options: "QoSOverridingOptions | None" = None,
        raw: bool = False,
    ) -> Subscription[Message]:
        """Subscribe to the changes of parameters, of all nodes; see `Node.create_subscription`."""
        return self.node.create_subscription(
            rcl_message("ParameterEvent"),
            EVENTS_TOPIC,
            callback,
            qos_profile,
            callback_group=callback_group,
            event_callbacks=event_callbacks,
            qos_overriding_options=qos_overriding_options,
            raw=raw,
        )

    def _ask(self, service: str, callback: DoneCallback | None, **fields: Any) -> Future[Any]:
        client = self._clients[service]
        future: Future[Any] = client.call_async(client.srv_type.Request(**fields))
        if callback is not None:
            future.add_done_callback(callback)
        return future


def _messages(parameters: Sequence[Parameter[Any] | Message]) -> list[Message]:
    return [p.to_parameter_msg() if isinstance(p, Parameter) else p for p in parameters]


def _from_file(parameter_file: str, use_wildcard: bool) -> list[Message]:
    return list(parameter_dict_from_yaml_file(parameter_file, use_wildcard).values())
