"""Services by which others read and set the levels of a node's loggers, as rclpy has them."""

from typing import TYPE_CHECKING, Any

from .interfaces import service_class
from .logging import get_logger_level, set_logger_level
from .messages import message_class

if TYPE_CHECKING:
    from .node import Node


class LoggingService:
    """`get_logger_levels` and `set_logger_levels` of a node."""

    def __init__(self, node: "Node") -> None:
        name = node.get_fully_qualified_name().rstrip("/")
        get = service_class("rcl_interfaces/srv/GetLoggerLevels")
        change = service_class("rcl_interfaces/srv/SetLoggerLevels")
        self._level = message_class("rcl_interfaces/msg/LoggerLevel")
        self._result = message_class("rcl_interfaces/msg/SetLoggerLevelsResult")
        node.create_service(get, f"{name}/get_logger_levels", self._get_logger_levels)
        node.create_service(change, f"{name}/set_logger_levels", self._set_logger_levels)

    def _get_logger_levels(self, request: Any, response: Any) -> Any:
        for name in request.names:
            response.levels.append(self._level(name=name, level=int(get_logger_level(name))))
        return response

    def _set_logger_levels(self, request: Any, response: Any) -> Any:
        for level in request.levels:
            result = self._result(successful=True)
            try:
                set_logger_level(level.name, level.level, detailed_error=True)
            except RuntimeError as error:
                result.successful, result.reason = False, f"Failed reason: {error}"
            response.results.append(result)
        return response
