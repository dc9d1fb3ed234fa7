"""Handles, as rclpy's entities have them: context managers that refuse once their entity is destroyed."""

import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .exceptions import InvalidHandle

if TYPE_CHECKING:
    from .end_events import EndEvents


class Handle:
    """What programs get from `entity.handle`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._destroyed = False
        self.events: EndEvents | None = None  #: what happens to it, if it is the end of a topic
        self._logger_name = ""
        self._owner: weakref.ref[object] | None = None

    @property
    def pointer(self) -> int:
        """A number that no other handle has."""
        return id(self)

    @property
    def owner(self) -> object:
        """The node, clock or context it belongs to; None where nobody has said so."""
        return None if self._owner is None else self._owner()

    @owner.setter
    def owner(self, value: object) -> None:
        self._owner = weakref.ref(value)

    def get_logger_name(self) -> str:
        """Of its node's logger."""
        return self._logger_name

    def destroy_when_not_in_use(self) -> None:
        """Refuse from now on."""
        self._destroyed = True

    @property
    def destroyed(self) -> bool:
        """Whether its entity is gone."""
        return self._destroyed

    def __bool__(self) -> bool:
        return not self._destroyed

    def __enter__(self) -> Self:
        if self._destroyed:
            raise InvalidHandle(f"cannot use {self._name} because destruction was requested")
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        return None


class Destroyable:
    """Base of what is destroyed at the end of a `with` block."""

    def destroy(self) -> None:
        """Be of no more use."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.destroy()
