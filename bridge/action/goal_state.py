"""The states that a goal passes through at its server (design.ros2.org, Actions, "Goal states")."""

from enum import Enum, IntEnum


class GoalStatus(IntEnum):
    """The numbers of action_msgs/msg/GoalStatus."""

    UNKNOWN = 0
    ACCEPTED = 1
    EXECUTING = 2
    CANCELING = 3
    SUCCEEDED = 4
    CANCELED = 5
    ABORTED = 6


class GoalEvent(Enum):
    """What takes a goal from one state to another."""

    EXECUTE = 1
    CANCEL_GOAL = 2
    SUCCEED = 3
    ABORT = 4
    CANCELED = 5


_TRANSITIONS = {
    (GoalStatus.ACCEPTED, GoalEvent.EXECUTE): GoalStatus.EXECUTING,
    (GoalStatus.ACCEPTED, GoalEvent.CANCEL_GOAL): GoalStatus.CANCELING,
    (GoalStatus.EXECUTING, GoalEvent.CANCEL_GOAL): GoalStatus.CANCELING,
    (GoalStatus.EXECUTING, GoalEvent.SUCCEED): GoalStatus.SUCCEEDED,
    (GoalStatus.EXECUTING, GoalEvent.ABORT): GoalStatus.ABORTED,
    (GoalStatus.CANCELING, GoalEvent.SUCCEED): GoalStatus.SUCCEEDED,
    (GoalStatus.CANCELING, GoalEvent.ABORT): GoalStatus.ABORTED,
    (GoalStatus.CANCELING, GoalEvent.CANCELED): GoalStatus.CANCELED,
}
_ACTIVE = (GoalStatus.ACCEPTED, GoalStatus.EXECUTING, GoalStatus.CANCELING)
_ENDED = (GoalStatus.SUCCEEDED, GoalStatus.CANCELED, GoalStatus.ABORTED)


def after(status: GoalStatus, event: GoalEvent) -> GoalStatus:
    """The state that `event` leads to.

    Raises
    ------
    RuntimeError
        If nothing leads there from `status`.
    """
    try:
        return _TRANSITIONS[status, event]
    except KeyError:
        raise RuntimeError(
            "Failed to update goal state: goal_handle attempted invalid transition "
            f"from state {status.name} with event {event.name}"
        ) from None


def is_active(status: GoalStatus) -> bool:
    """Whether a goal in this state has yet to end."""
    return status in _ACTIVE


def is_cancelable(status: GoalStatus) -> bool:
    """Whether a goal in this state can be asked to end."""
    return (status, GoalEvent.CANCEL_GOAL) in _TRANSITIONS


def has_ended(status: int) -> bool:
    """Whether a goal in this state has ended."""
    return status in _ENDED
