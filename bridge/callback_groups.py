"""Which callbacks may run at the same time, as rclpy has it."""

import threading
import weakref
from abc import ABC, abstractmethod


class CallbackGroup(ABC):
    """Base of the groups: knows its entities."""

    def __init__(self) -> None:
        self.entities: weakref.WeakSet[object] = weakref.WeakSet()

    def add_entity(self, entity: object) -> None:
        """Put a timer, subscription or guard condition into the group."""
        self.entities.add(entity)

    def has_entity(self, entity: object) -> bool:
        """Whether the entity is in the group."""
        return entity in self.entities

    @abstractmethod
    def can_execute(self, entity: object) -> bool:
        """Whether its callback may run now."""

    @abstractmethod
    def beginning_execution(self, entity: object) -> bool:
        """Ask to run its callback; True if it may."""

    @abstractmethod
    def ending_execution(self, entity: object) -> None:
        """Its callback has run."""


class ReentrantCallbackGroup(CallbackGroup):
    """All callbacks may run at once."""

    def can_execute(self, entity: object) -> bool:
        return True

    def beginning_execution(self, entity: object) -> bool:
        return True

    def ending_execution(self, entity: object) -> None:
        return None


class MutuallyExclusiveCallbackGroup(CallbackGroup):
    """One callback at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._busy = threading.Lock()  #: held while one of its callbacks runs, by whatever thread

    def can_execute(self, entity: object) -> bool:
        return not self._busy.locked()

    def beginning_execution(self, entity: object) -> bool:
        return self._busy.acquire(blocking=False)

    def ending_execution(self, entity: object) -> None:
        if self._busy.locked():
            self._busy.release()
