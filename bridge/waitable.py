"""Anything else that executors ask whether it is ready, as rclpy has it."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from .callback_groups import CallbackGroup
from .task import Future
from .wait_set import WaitSet

T = TypeVar("T")


class NumberOfEntities:
    """How many entities of each kind a waitable has; here only for programs that ask."""

    __slots__ = (
        "num_clients",
        "num_events",
        "num_guard_conditions",
        "num_services",
        "num_subscriptions",
        "num_timers",
    )

    def __init__(
        self,
        num_subs: int = 0,
        num_gcs: int = 0,
        num_timers: int = 0,
        num_clients: int = 0,
        num_services: int = 0,
        num_events: int = 0,
    ) -> None:
        self.num_subscriptions = num_subs
        self.num_guard_conditions = num_gcs
        self.num_timers = num_timers
        self.num_clients = num_clients
        self.num_services = num_services
        self.num_events = num_events

    def __add__(self, other: "NumberOfEntities") -> "NumberOfEntities":
        total = NumberOfEntities()
        for name in self.__slots__:
            setattr(total, name, getattr(self, name) + getattr(other, name))
        return total

    def __iadd__(self, other: "NumberOfEntities") -> Self:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}={getattr(self, name)}" for name in self.__slots__)
        return f"{type(self).__name__}({counts})"


class Waitable(Generic[T]):
    """Base of what is asked by an executor; `is_ready` is given a wait set with what it adds to it."""

    def __init__(self, callback_group: CallbackGroup) -> None:
        self.callback_group = callback_group
        callback_group.add_entity(self)
        self._executor_event = False
        self._futures: list[Future[Any]] = []

    def add_future(self, future: Future[Any]) -> None:
        """Remember a future that it will complete."""
        self._futures.append(future)

    def remove_future(self, future: Future[Any]) -> None:
        """Forget a future."""
        self._futures.remove(future)

    def is_ready(self, wait_set: Any = None) -> bool:
        """Whether there is something to do."""
        raise NotImplementedError("Must be implemented by subclass")

    def take_data(self) -> T:
        """Take what there is to do, so that it is not ready for that any more."""
        raise NotImplementedError("Must be implemented by subclass")

    async def execute(self, taken_data: T) -> None:
        """Do it."""
        raise NotImplementedError("Must be implemented by subclass")

    def get_num_entities(self) -> NumberOfEntities:
        """How many entities it has."""
        raise NotImplementedError("Must be implemented by subclass")

    def add_to_wait_set(self, wait_set: Any) -> None:
        """Add what makes it ready; by default nothing."""

    def _asked(self, wake: Callable[[], None]) -> bool:
        """Whether it is ready, with a wait set made for the question; those of the bridge need none."""
        wait_set = WaitSet(wake=wake)
        self.add_to_wait_set(wait_set)
        wait_set.wait(0)
        return self.is_ready(wait_set)

    def _take_call(self) -> Any:
        data = self.take_data()
        return lambda: self.execute(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        return None
