"""Sequences of numbers in messages: NumPy arrays that also grow, as the `array.array` of rclpy does."""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np

#: of `array.array`, by kind and size; it has none for truth values
_TYPECODES = {(np.dtype(code).kind, np.dtype(code).itemsize): code for code in "bBhHiIqQfd"}


class NumberSequence(np.ndarray[tuple[int], np.dtype[Any]]):
    """A one-dimensional array with the methods of a list: `append`, `extend`, `insert`, `pop` and more.

    It grows in place, as long as it owns its memory: not where it is a view of a received message, or of
    another array. It prints as `array.array` does, truth values as a list, which is what rclpy has for them.
    """

    @classmethod
    def zeros(cls, count: int, dtype: np.dtype[Any]) -> Self:
        """`count` zeros."""
        made = cls((count,), dtype)
        made.fill(0)
        return made

    @classmethod
    def of(cls, numbers: Iterable[Any], dtype: np.dtype[Any]) -> Self:
        """A copy of `numbers`."""
        values = list(numbers)
        made = cls((len(values),), dtype)
        made[:] = values
        return made

    def append(self, value: Any) -> None:
        """Add one number at the end.

        Raises
        ------
        ValueError
            If it is a view and cannot grow.
        OverflowError, TypeError
            If the number does not fit.
        """
        self.extend([value])

    def extend(self, values: Iterable[Any]) -> None:
        """Add numbers at the end; errors as those of `append`, and then nothing is added."""
        new = NumberSequence.of(values, self.dtype)
        before = self.size
        self._resize(before + new.size)
        self[before:] = new

    def insert(self, index: int, value: Any) -> None:
        """Put a number before the one at `index`; errors as those of `append`."""
        values = self.tolist()
        values.insert(index, value)
        self._become(values)

    def pop(self, index: int = -1) -> Any:
        """Remove the number at `index` and return it; raises IndexError if there is none."""
        values = self.tolist()
        value = values.pop(index)
        self._become(values)
        return value

    def remove(self, value: Any) -> None:
        """Remove the first number that equals `value`; raises ValueError if there is none."""
        values = self.tolist()
        values.remove(value)
        self._become(values)

    def reverse(self) -> None:
        """Turn the order round."""
        self[:] = self[::-1].copy()

    def index(self, value: Any) -> int:
        """Where the first number that equals `value` is; raises ValueError if there is none."""
        found: int = self.tolist().index(value)
        return found

    def count(self, value: Any) -> int:
        """How many numbers equal `value`."""
        found: int = self.tolist().count(value)
        return found

    def __repr__(self) -> str:
        if self.ndim != 1:
            return repr(np.asarray(self))
        code = _TYPECODES.get((self.dtype.kind, self.dtype.itemsize))
        if not code:
            return repr(self.tolist())
        return f"array('{code}', {self.tolist()})" if self.size else f"array('{code}')"

    def __str__(self) -> str:
        return repr(self) if self.ndim == 1 else str(np.asarray(self))

    def __bool__(self) -> bool:
        return self.size > 0

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """What is computed from it is an ordinary array: `if a > b` must not mean "has numbers"."""
        return array[()] if return_scalar else np.asarray(array)

    def _become(self, values: list[Any]) -> None:
        new = NumberSequence.of(values, self.dtype)
        self._resize(new.size)
        self[:] = new

    def _resize(self, count: int) -> None:
        try:
            self.resize((count,), refcheck=False)
        except ValueError:
            raise ValueError(
                "these numbers are a view of other memory and cannot grow; assign a list instead"
            ) from None
