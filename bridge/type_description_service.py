"""The service that tells what a type is, as rclpy has it: `~/get_type_description`."""

from typing import TYPE_CHECKING, Any

from . import typestore
from .interfaces import service_class
from .messages import definition, message_class, type_hash

if TYPE_CHECKING:
    from .node import Node

START_TYPE_DESCRIPTION_SERVICE_PARAM = "start_type_description_service"


class TypeDescriptionService:
    """Serves the definition text of types, unless the parameter `start_type_description_service` is false.

    The structured description of a type has its name only: the text has everything.
    """

    def __init__(self, node: "Node") -> None:
        if not node.has_parameter(START_TYPE_DESCRIPTION_SERVICE_PARAM):
            node.declare_parameter(START_TYPE_DESCRIPTION_SERVICE_PARAM, True)
        self._source = message_class("type_description_interfaces/msg/TypeSource")
        if node.get_parameter(START_TYPE_DESCRIPTION_SERVICE_PARAM).value:
            kind = service_class("type_description_interfaces/srv/GetTypeDescription")
            name = f"{node.get_fully_qualified_name()}/get_type_description"
            node.create_service(kind, name, self._describe)

    def _describe(self, request: Any, response: Any) -> Any:
        name = typestore.canonical_name(request.type_name)
        try:
            known = type_hash(name)
        except ValueError as error:
            response.successful, response.failure_reason = False, str(error)
            return response
        if request.type_hash and request.type_hash != known:
            response.successful = False
            response.failure_reason = f"{name} has the hash {known} here, asked for was {request.type_hash}"
            return response
        response.successful = True
        response.type_description.type_description.type_name = name
        if request.include_type_sources:
            text = definition(name)
            response.type_sources = [self._source(type_name=name, encoding="msg", raw_file_contents=text)]
        return response
