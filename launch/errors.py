"""What a user can mend: reported as one line with exit code 2, never as a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """A mistake in what was asked for; its text says what, where and what to do, in one line."""

    def __str__(self) -> str:
        return " ".join(super().__str__().split())


@contextmanager
def asked(what: str, *kinds: type[Exception]) -> Iterator[None]:
    """Report an exception of `kinds` (default `ValueError`) in the block as a `UserError` about `what`."""
    expected = kinds or (ValueError,)
    try:
        yield
    except expected as error:
        raise UserError(f"{what}: {error}" if what else str(error)) from error
