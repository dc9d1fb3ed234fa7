"""Guard conditions, as rclpy has them: make an executor call back, from any thread."""

import threading
from collections.abc import Callable
from typing import Any

from .callback_groups import CallbackGroup
from .context import Context, get_default_context
from .exceptions import NotInitializedException
from .handles import Handle


class GuardCondition:
    """Calls back once after one or more triggers. Users make them with `Node.create_guard_condition`."""

    def __init__(
        self,
        callback: Callable[[], None] | None,
        callback_group: CallbackGroup | None,
        context: Context | None = None,
    ) -> None:
        self._context = get_default_context() if context is None else context
        self.callback = callback
        self.callback_group = callback_group
        self.wake: Callable[[], None] = lambda: None  #: set by the node
        self._triggered = threading.Event()
        if not self._context.ok():
            raise NotInitializedException("cannot create guard condition")
        self._executor_event = False
        self._handle = Handle("guard condition")

    @property
    def handle(self) -> Handle:
        """Refuses once the guard condition is destroyed."""
        return self._handle

    def trigger(self) -> None:
        """Have the callback called."""
        with self._handle:
            self._triggered.set()
        self.wake()

    def is_ready(self) -> bool:
        """Whether a call is due."""
        return self._triggered.is_set()

    def _take_call(self) -> Callable[[], Any] | None:
        self._triggered.clear()
        return self.callback

    def destroy(self) -> None:
        """Forget the triggers; use `Node.destroy_guard_condition`."""
        self._triggered.clear()
        self._handle.destroy_when_not_in_use()
