"""Severities of log messages, where some programs import them from."""

from ..logging import LoggingSeverity

__all__ = ["LoggingSeverity"]
