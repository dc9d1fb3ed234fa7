"""The module rclpy.validate_node_name: the check lives in `names`."""

from .names import validate_node_name

__all__ = ["validate_node_name"]
