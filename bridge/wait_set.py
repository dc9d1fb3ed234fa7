"""A set of entities of which one waits until some are ready, as rclpy has it; for waitables of programs.

The executors of the bridge need none: their entities wake them. A program's own `Waitable` gets one, with
what it has added to it, each time it is asked whether it is ready.
"""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from .handles import Handle

KINDS = ("subscription", "guard_condition", "timer", "client", "service", "event")
T = TypeVar("T")
_POLL = 0.001  #: s between looks


class Ready(Protocol):
    """What can be added."""

    def is_ready(self) -> bool:
        """Whether it has something to do."""


class WaitSet:
    """Entities by kind and index; the numbers given at construction are of no consequence here."""

    def __init__(
        self,
        number_of_subscriptions: int = 0,
        number_of_guard_conditions: int = 0,
        number_of_timers: int = 0,
        number_of_clients: int = 0,
        number_of_services: int = 0,
        number_of_events: int = 0,
        context: Handle | None = None,
        *,
        wake: Callable[[], None] | None = None,
    ) -> None:
        self._wake = wake
        self.clear_entities()

    def clear_entities(self) -> None:
        """Forget all."""
        self._entities: dict[str, list[Ready]] = {kind: [] for kind in KINDS}
        self._ready: dict[str, set[int]] = {kind: set() for kind in KINDS}

    def add_subscription(self, subscription: Ready) -> int:
        """Add one; return its index, here and below."""
        return self._add("subscription", subscription)

    def add_guard_condition(self, guard_condition: Ready) -> int:
        """Add one."""
        if self._wake is not None and hasattr(guard_condition, "wake"):
            guard_condition.wake = self._wake
        return self._add("guard_condition", guard_condition)

    def add_timer(self, timer: Ready) -> int:
        """Add one."""
        return self._add("timer", timer)

    def add_client(self, client: Ready) -> int:
        """Add one."""
        return self._add("client", client)

    def add_service(self, service: Ready) -> int:
        """Add one."""
        return self._add("service", service)

    def add_event(self, event: Ready) -> int:
        """Add one."""
        return self._add("event", event)

    def is_ready(self, entity_type: str, index: int) -> bool:
        """Whether one was ready when `wait` returned."""
        return index in self._of(self._ready, entity_type)

    def get_ready_entities(self, entity_type: str) -> list[int]:
        """The numbers (`pointer`) of those of a kind that were ready when `wait` returned."""
        entities, ready = self._of(self._entities, entity_type), self._of(self._ready, entity_type)
        return [int(getattr(entities[index], "pointer", id(entities[index]))) for index in sorted(ready)]

    def wait(self, timeout: int) -> None:
        """Wait until at least one is ready, at most `timeout` ns (for ever if negative)."""
        end = None if timeout < 0 else time.monotonic_ns() + timeout
        while True:
            self._ready = {
                kind: {index for index, entity in enumerate(entities) if entity.is_ready()}
                for kind, entities in self._entities.items()
            }
            if any(self._ready.values()) or (end is not None and time.monotonic_ns() >= end):
                return
            time.sleep(_POLL)

    def _add(self, kind: str, entity: Ready) -> int:
        self._entities[kind].append(entity)
        return len(self._entities[kind]) - 1

    @staticmethod
    def _of(table: dict[str, T], kind: str) -> T:
        if kind not in table:
            raise ValueError(f"there is no kind of entity {kind!r}; there are {', '.join(KINDS)}")
        return table[kind]
