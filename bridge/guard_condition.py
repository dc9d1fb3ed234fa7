"""Guard conditions, as rclpy has them: make an executor call back, from any thread."""

import threading
from collections.abc import Callable

from .callback_groups import CallbackGroup
from .context import Context, get_default_context


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

    def trigger(self) -> None:
        """Have the callback called."""
        self._triggered.set()
        self.wake()

    def is_ready(self) -> bool:
        """Whether a call is due."""
        return self._triggered.is_set()

    def take(self) -> None:
        """Forget the triggers so far."""
        self._triggered.clear()

    def destroy(self) -> None:
        """Forget the triggers; use `Node.destroy_guard_condition`."""
        self._triggered.clear()
