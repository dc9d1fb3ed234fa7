"""The states of a managed node and the ways between them (design.ros2.org, Managed nodes)."""

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from ..service import Service


class TransitionCallbackReturn(Enum):
    """What a callback of a transition returns; the numbers are those of lifecycle_msgs/msg/Transition."""

    SUCCESS = 97
    FAILURE = 98
    ERROR = 99

    def to_label(self) -> str:
        """The label of the transition that it means."""
        return f"transition_{self.name.lower()}"


class State(NamedTuple):
    """A state, numbered as in lifecycle_msgs/msg/State."""

    id: int
    label: str


class Transition(NamedTuple):
    """A way from one state to another, numbered as in lifecycle_msgs/msg/Transition."""

    id: int
    label: str
    start: State
    goal: State


UNKNOWN, UNCONFIGURED, INACTIVE, ACTIVE, FINALIZED = map(
    State, range(5), ("unknown", "unconfigured", "inactive", "active", "finalized")
)
CONFIGURING, CLEANING_UP, SHUTTING_DOWN, ACTIVATING, DEACTIVATING, ERROR_PROCESSING = map(
    State,
    range(10, 16),
    ("configuring", "cleaningup", "shuttingdown", "activating", "deactivating", "errorprocessing"),
)
STATES = (
    UNKNOWN, UNCONFIGURED, INACTIVE, ACTIVE, FINALIZED,
    CONFIGURING, CLEANING_UP, SHUTTING_DOWN, ACTIVATING, DEACTIVATING, ERROR_PROCESSING,
)  # fmt: skip

#: (first number of its outcomes, state on the way, after success, after failure)
_OUTCOMES = (
    (10, CONFIGURING, INACTIVE, UNCONFIGURED),
    (20, CLEANING_UP, UNCONFIGURED, INACTIVE),
    (30, ACTIVATING, ACTIVE, INACTIVE),
    (40, DEACTIVATING, INACTIVE, ACTIVE),
    (50, SHUTTING_DOWN, FINALIZED, FINALIZED),
    (60, ERROR_PROCESSING, UNCONFIGURED, FINALIZED),
)


def _transitions() -> tuple[Transition, ...]:
    found = [
        Transition(1, "configure", UNCONFIGURED, CONFIGURING),
        Transition(2, "cleanup", INACTIVE, CLEANING_UP),
        Transition(3, "activate", INACTIVE, ACTIVATING),
        Transition(4, "deactivate", ACTIVE, DEACTIVATING),
        Transition(5, "shutdown", UNCONFIGURED, SHUTTING_DOWN),
        Transition(6, "shutdown", INACTIVE, SHUTTING_DOWN),
        Transition(7, "shutdown", ACTIVE, SHUTTING_DOWN),
    ]
    for number, state, success, failure in _OUTCOMES:
        error = FINALIZED if state == ERROR_PROCESSING else ERROR_PROCESSING
        for offset, goal in enumerate((success, failure, error)):
            label = list(TransitionCallbackReturn)[offset].to_label()
            found.append(Transition(number + offset, label, state, goal))
    return tuple(found)


TRANSITIONS = _transitions()


class StateMachine:
    """Is in one state, and tells of each transition.

    Parameters
    ----------
    tell : callable, optional
        Called with each transition after it was made.

    Attributes
    ----------
    service_change_state, ... : Service or None
        What serves it to other nodes, if anything does.
    """

    service_change_state: Service | None = None
    service_get_state: Service | None = None
    service_get_available_states: Service | None = None
    service_get_available_transitions: Service | None = None
    service_get_transition_graph: Service | None = None

    def __init__(self, tell: Callable[[Transition], None] | None = None) -> None:
        self._state = UNCONFIGURED
        self._tell = tell

    @property
    def initialized(self) -> bool:
        """Whether it can be used."""
        return True

    @property
    def current_state(self) -> tuple[int, str]:
        """Number and label."""
        return self._state

    @property
    def available_states(self) -> list[tuple[int, str]]:
        """All states."""
        return list(STATES)

    @property
    def available_transitions(self) -> list[Transition]:
        """The ways that lead on from the current state."""
        return [transition for transition in TRANSITIONS if transition.start == self._state]

    @property
    def transition_graph(self) -> list[Transition]:
        """All ways."""
        return list(TRANSITIONS)

    def get_transition_by_label(self, label: str) -> int:
        """The number of the way of that label from here; raises RuntimeError if there is none."""
        return self._find(lambda transition: transition.label == label, label).id

    def trigger_transition_by_id(self, transition_id: int, publish_notification: bool) -> None:
        """Go that way; raises RuntimeError if it does not begin at the current state."""
        found = self._find(lambda transition: transition.id == transition_id, transition_id)
        self._go(found, publish_notification)

    def trigger_transition_by_label(self, label: str, publish_notification: bool) -> None:
        """Go the way of that label; raises RuntimeError if none begins at the current state."""
        found = self._find(lambda transition: transition.label == label, label)
        self._go(found, publish_notification)

    def _find(self, wanted: Callable[[Transition], bool], name: object) -> Transition:
        for transition in self.available_transitions:
            if wanted(transition):
                return transition
        raise RuntimeError(f"no transition {name} from the state {self._state.label}")

    def _go(self, transition: Transition, publish_notification: bool) -> None:
        self._state = transition.goal
        if publish_notification and self._tell is not None:
            self._tell(transition)
