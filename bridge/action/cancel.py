"""Which goals a request to cancel means (action_msgs/srv/CancelGoal)."""

from collections.abc import Iterable
from typing import Any

from ..constants import S_TO_NS
from .goal_state import GoalStatus, is_cancelable
from .server_goal import ServerGoalHandle

NONE, REJECTED, UNKNOWN_GOAL_ID, GOAL_TERMINATED = 0, 1, 2, 3  #: codes of the response


def _nanoseconds(stamp: Any) -> int:
    return int(stamp.sec) * S_TO_NS + int(stamp.nanosec)


def goals_meant(goals: Iterable[ServerGoalHandle], info: Any) -> tuple[list[ServerGoalHandle], int]:
    """Those of `goals` that can be cancelled and that `info` means, and the code of the response.

    With an id and no stamp: that goal. With a stamp: all accepted until then, and the one of the id if that
    is given too. With neither: all.
    """
    goals = list(goals)
    wanted, until = bytes(info.goal_id.uuid), _nanoseconds(info.stamp)
    by_id = [goal for goal in goals if bytes(goal.goal_id.uuid) == wanted]
    if any(wanted) and until == 0:
        if not by_id:
            return [], UNKNOWN_GOAL_ID
        possible = [goal for goal in by_id if is_cancelable(GoalStatus(goal.status))]
        return possible, NONE if possible else GOAL_TERMINATED
    everything = not any(wanted) and until == 0
    return [
        goal
        for goal in goals
        if is_cancelable(GoalStatus(goal.status))
        and (everything or goal in by_id or _nanoseconds(goal._goal_info.stamp) <= until)
    ], NONE
