"""A goal at its client."""

from typing import TYPE_CHECKING, Any

from ..task import Future
from .goal_state import GoalStatus

if TYPE_CHECKING:
    from .client import ActionClient


class ClientGoalHandle:
    """What the answer to a goal becomes: whether it was accepted, and the way to its result."""

    def __init__(self, action_client: "ActionClient", goal_id: Any, goal_response: Any) -> None:
        self._action_client = action_client
        self._goal_id = goal_id
        self._goal_response = goal_response
        self._status = int(GoalStatus.UNKNOWN)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClientGoalHandle) and bool(self._goal_id == other._goal_id)

    __hash__ = None  # type: ignore[assignment]  # as in rclpy

    def __repr__(self) -> str:
        return f"ClientGoalHandle <id={self.goal_id.uuid}, accepted={self.accepted}, status={self.status}>"

    @property
    def goal_id(self) -> Any:
        """A unique_identifier_msgs/msg/UUID."""
        return self._goal_id

    @property
    def stamp(self) -> Any:
        """When it was accepted."""
        return self._goal_response.stamp

    @property
    def accepted(self) -> bool:
        """Whether it was accepted."""
        return bool(self._goal_response.accepted)

    @property
    def status(self) -> int:
        """What the server told last; one of the numbers of action_msgs/msg/GoalStatus."""
        return self._status

    def cancel_goal(self) -> Any:
        """Ask to end it early and wait for the answer; somebody else must spin the node meanwhile."""
        return self._action_client._cancel_goal(self)

    def cancel_goal_async(self) -> Future[Any]:
        """Ask to end it early; the future has the answer, an action_msgs/srv/CancelGoal response."""
        return self._action_client._cancel_goal_async(self)

    def get_result(self) -> Any:
        """Wait for the answer with the result; somebody else must spin the node meanwhile."""
        return self._action_client._get_result(self)

    def get_result_async(self) -> Future[Any]:
        """Ask for the result; the future has the answer, with `status` and `result`."""
        return self._action_client._get_result_async(self)
