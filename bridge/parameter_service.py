"""The services through which others read and set the parameters of a node, as rclpy has them."""

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .exceptions import ParameterNotDeclaredException, ParameterUninitializedException
from .interfaces import service_class
from .messages import Message
from .parameter import Parameter, rcl_message
from .qos import qos_profile_parameters

if TYPE_CHECKING:
    from .node import Node

#: service types of rcl_interfaces, and the last part of the names of the services
SERVICE_NAMES = {
    "DescribeParameters": "describe_parameters",
    "GetParameters": "get_parameters",
    "GetParameterTypes": "get_parameter_types",
    "ListParameters": "list_parameters",
    "SetParameters": "set_parameters",
    "SetParametersAtomically": "set_parameters_atomically",
}

Answer = Callable[[Message, Message], Message]  #: fills in a response, and returns it


class ParameterService:
    """Six services below the name of the node. Where one name of a request is bad, the answer is empty."""

    def __init__(self, node: "Node") -> None:
        self._node = weakref.ref(node)  # the node has the services: a cycle would keep both
        answers: dict[str, Answer] = {
            "DescribeParameters": self._describe_parameters_callback,
            "GetParameters": self._get_parameters_callback,
            "GetParameterTypes": self._get_parameter_types_callback,
            "ListParameters": self._list_parameters_callback,
            "SetParameters": self._set_parameters_callback,
            "SetParametersAtomically": self._set_parameters_atomically_callback,
        }
        for name, answer in answers.items():
            node.create_service(
                service_class(f"rcl_interfaces/srv/{name}"),
                f"{node.get_name()}/{SERVICE_NAMES[name]}",
                answer,
                qos_profile=qos_profile_parameters,
            )

    def _describe_parameters_callback(self, request: Message, response: Message) -> Message:
        try:
            response.descriptors = self._get_node().describe_parameters(list(request.names))
        except ParameterNotDeclaredException:
            response.descriptors = []
        return response

    def _get_parameters_callback(self, request: Message, response: Message) -> Message:
        try:
            parameters = self._get_node().get_parameters(list(request.names))
            response.values = [parameter.get_parameter_value() for parameter in parameters]
        except (ParameterNotDeclaredException, ParameterUninitializedException):
            response.values = []
        return response

    def _get_parameter_types_callback(self, request: Message, response: Message) -> Message:
        try:
            types = self._get_node().get_parameter_types(list(request.names))
            response.types = [int(type_) for type_ in types]
        except ParameterNotDeclaredException:
            response.types = []
        return response

    def _list_parameters_callback(self, request: Message, response: Message) -> Message:
        try:
            response.result = self._get_node().list_parameters(list(request.prefixes), int(request.depth))
        except (TypeError, ValueError):
            response.result = rcl_message("ListParametersResult")()
        return response

    def _set_parameters_callback(self, request: Message, response: Message) -> Message:
        response.results = [self._set([message]) for message in request.parameters]
        return response

    def _set_parameters_atomically_callback(self, request: Message, response: Message) -> Message:
        response.result = self._set(request.parameters)
        return response

    def _set(self, messages: list[Message]) -> Message:
        try:
            parameters: list[Parameter[Any]] = [Parameter.from_parameter_msg(message) for message in messages]
        except ValueError as error:  # a type that does not exist: the sender must hear of it, not the node
            return rcl_message("SetParametersResult")(successful=False, reason=str(error))
        try:
            return self._get_node().set_parameters_atomically(parameters)
        except ParameterNotDeclaredException as error:
            return rcl_message("SetParametersResult")(successful=False, reason=str(error))

    def _get_node(self) -> "Node":
        node = self._node()
        if node is None:
            raise ReferenceError("the node of this parameter service is gone")
        return node
