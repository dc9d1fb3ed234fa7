"""The module rclpy.validate_topic_name: the check lives in `names`."""

from .names import validate_topic_name

__all__ = ["TOPIC_SEPARATOR_STRING", "validate_topic_name"]

TOPIC_SEPARATOR_STRING = "/"
