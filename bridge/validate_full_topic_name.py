"""The module rclpy.validate_full_topic_name: the check lives in `names`."""

from .names import validate_full_topic_name

__all__ = ["validate_full_topic_name"]
