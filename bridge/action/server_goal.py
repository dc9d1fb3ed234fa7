"""A goal at its server."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .goal_state import GoalEvent, GoalStatus, after, is_active

if TYPE_CHECKING:
    from .server import ActionServer


class ServerGoalHandle:
    """What callbacks of an action server get: a goal that was accepted."""

    def __init__(self, action_server: "ActionServer", goal_info: Any, goal_request: Any) -> None:
        self._action_server = action_server
        self._goal_info = goal_info
        self._goal_request = goal_request
        self._status = GoalStatus.ACCEPTED
        self._ended_at: int | None = None  # ns of the node's clock
        self._destroyed = False
        self._lock = threading.Lock()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ServerGoalHandle) and bool(self.goal_id == other.goal_id)

    __hash__ = None  # type: ignore[assignment]  # as in rclpy

    @property
    def request(self) -> Any:
        """The goal."""
        return self._goal_request

    @property
    def goal_id(self) -> Any:
        """A unique_identifier_msgs/msg/UUID."""
        return self._goal_info.goal_id

    @property
    def is_active(self) -> bool:
        """Whether it has yet to end."""
        return not self._destroyed and is_active(self._status)

    @property
    def is_cancel_requested(self) -> bool:
        """Whether it was agreed to end it early: do so, then call `canceled`."""
        return self.status == GoalStatus.CANCELING

    @property
    def status(self) -> int:
        """One of the numbers of action_msgs/msg/GoalStatus."""
        return int(GoalStatus.UNKNOWN if self._destroyed else self._status)

    def _update_state(self, event: GoalEvent) -> None:
        """Take it to the next state, unless it is destroyed; raises RuntimeError if there is no way there."""
        with self._lock:
            if self._destroyed:
                return
            self._status = after(self._status, event)
            self._action_server._publish_status()
            if not is_active(self._status):
                self._ended_at = self._action_server._now()
                self._action_server.notify_goal_done()

    def execute(self, execute_callback: Callable[["ServerGoalHandle"], Any] | None = None) -> None:
        """Have the executor run `execute_callback`, by default the server's, with this goal.

        A goal that is to be cancelled already is executed too, so that the callback can end it.
        """
        if not self.is_cancel_requested:
            self._update_state(GoalEvent.EXECUTE)
        self._action_server.notify_execute(self, execute_callback)

    def publish_feedback(self, feedback: Any) -> None:
        """Tell the client how far it is; raises TypeError if it is no feedback of this action."""
        kind = self._action_server.action_type
        if not isinstance(feedback, kind.Feedback):
            raise TypeError(f"expected {kind.Feedback.__name__}, got {type(feedback).__name__}")
        with self._lock:
            if not self._destroyed:
                message = kind.Impl.FeedbackMessage(goal_id=self.goal_id, feedback=feedback)
                self._action_server._publish_feedback(message)

    def succeed(self) -> None:
        """End it: reached. RuntimeError unless it is executed."""
        self._update_state(GoalEvent.SUCCEED)

    def abort(self) -> None:
        """End it: given up. RuntimeError unless it is executed."""
        self._update_state(GoalEvent.ABORT)

    def canceled(self) -> None:
        """End it: as the client asked. RuntimeError unless that was agreed to."""
        self._update_state(GoalEvent.CANCELED)

    def destroy(self) -> None:
        """Forget it; it is of no state from now on."""
        with self._lock:
            self._destroyed = True
