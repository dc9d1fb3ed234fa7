"""The module rclpy.validate_namespace: the check lives in `names`."""

from .names import validate_namespace

__all__ = ["validate_namespace"]
