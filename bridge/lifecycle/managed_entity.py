"""What follows the life of a node, as rclpy has it."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from .state_machine import TransitionCallbackReturn

if TYPE_CHECKING:
    from .node import LifecycleState

F = TypeVar("F", bound=Callable[..., Any])


class ManagedEntity:
    """Base of what is told of transitions; everything succeeds."""

    def on_configure(self, state: "LifecycleState") -> TransitionCallbackReturn:
        """The node is being configured; `state` is the one before, here and below."""
        return TransitionCallbackReturn.SUCCESS

    def on_cleanup(self, state: "LifecycleState") -> TransitionCallbackReturn:
        """The node is being cleaned up."""
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: "LifecycleState") -> TransitionCallbackReturn:
        """The node is being shut down."""
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: "LifecycleState") -> TransitionCallbackReturn:
        """The node is being activated."""
        return TransitionCallbackReturn.SUCCESS

    def on_deactivate(self, state: "LifecycleState") -> TransitionCallbackReturn:
        """The node is being deactivated."""
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: "LifecycleState") -> TransitionCallbackReturn:
        """A transition failed with an error."""
        return TransitionCallbackReturn.SUCCESS


class SimpleManagedEntity(ManagedEntity):
    """Knows whether the node is active."""

    def __init__(self) -> None:
        self._enabled = False

    def on_activate(self, state: "LifecycleState") -> TransitionCallbackReturn:
        """Be active."""
        self._enabled = True
        return TransitionCallbackReturn.SUCCESS

    def on_deactivate(self, state: "LifecycleState") -> TransitionCallbackReturn:
        """Be not."""
        self._enabled = False
        return TransitionCallbackReturn.SUCCESS

    @property
    def is_activated(self) -> bool:
        """Whether the node is active."""
        return self._enabled

    @staticmethod
    def when_enabled(wrapped: Any = None, *, when_not_enabled: Callable[..., None] | None = None) -> Any:
        """Decorate a method: it does nothing, or calls `when_not_enabled`, while the node is not active.

        Used as `@when_enabled`, or as `@when_enabled(when_not_enabled=...)`.
        """

        def decorate(method: F) -> Callable[..., None]:
            @functools.wraps(method)
            def only_when_enabled(self: SimpleManagedEntity, *args: Any, **kwargs: Any) -> None:
                if self._enabled:
                    method(self, *args, **kwargs)
                elif when_not_enabled is not None:
                    when_not_enabled()

            return only_when_enabled

        return decorate if wrapped is None else decorate(wrapped)
