"""The hash of a message definition, as rclpy shows it (REP 2016)."""

from typing import Self, TypedDict

HASH_BYTES = 32  #: SHA-256


class TypeHashDictionary(TypedDict):
    """The two fields of a type hash."""

    version: int
    value: bytes


class TypeHash:
    """Version of the hashing scheme, -1 where there is none, and 32 bytes."""

    __slots__ = ("_value", "_version")

    def __init__(self, version: int = -1, value: bytes = bytes(HASH_BYTES)) -> None:
        self.version = version
        self.value = value

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The hash that `messages.type_hash` gives as `RIHS01_` and 64 hexadecimal digits.

        Raises
        ------
        ValueError
            If the text is not that.
        """
        scheme, _, digits = text.partition("_")
        value = bytes.fromhex(digits)
        if not scheme.startswith("RIHS") or not scheme[4:].isdigit() or len(value) != HASH_BYTES:
            raise ValueError(f"a type hash looks like RIHS01_ and 64 hexadecimal digits, got {text!r}")
        return cls(int(scheme[4:]), value)

    @property
    def version(self) -> int:
        """Of the hashing scheme."""
        return self._version

    @version.setter
    def version(self, value: int) -> None:
        assert isinstance(value, int)
        self._version = value

    @property
    def value(self) -> bytes:
        """The hash itself."""
        return self._value

    @value.setter
    def value(self, value: bytes) -> None:
        assert isinstance(value, bytes)
        self._value = value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TypeHash):
            return False
        return (self._version, self._value) == (other._version, other._value)

    __hash__ = None  # type: ignore[assignment]  # mutable, as in rclpy

    def __str__(self) -> str:
        if self._version <= 0 or len(self._value) != HASH_BYTES:
            return "INVALID"
        return f"RIHS{self._version:02}_{self._value.hex()}"
