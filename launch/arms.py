"""Arms of a comparison: what each changes about the experiment, by name or as typed."""

from __future__ import annotations

import re

from .config import ExperimentConfig, load, to_builtins
from .errors import UserError

#: Arms by name.
ARMS: dict[str, tuple[str, ...]] = {
    "td-ltp": (),
    "no-learning": ("agent.learning=false",),
    "raw-reward": ("agent.third_factor='reward'",),
    "no-preplay": ("agent.guidance.enabled=false",),
    "no-search": ("agent.guidance.explore=false",),
    "no-frontier": ("agent.frontier.enabled=false",),
    "no-replay": ("agent.replay.sweeps=0", "agent.replay.stretches=0"),
    "da+ach": ("agent.actor_critic.neuromodulators='da+ach'",),
    "rstdp": ("algorithm='rstdp'",),
    "hedonistic": ("algorithm='hedonistic'",),
    "both": ("algorithm='both'",),
    "random": ("algorithm='random'",),
    "oracle": ("algorithm='oracle'",),
    "surrogate": ("algorithm='surrogate'",),
    "ppo": ("algorithm='ppo'",),
    "sac": ("algorithm='sac'",),
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")  #: it becomes the name of a folder


def arms_of(config: ExperimentConfig, text: str) -> dict[str, ExperimentConfig]:
    """Return the experiment of each arm in the comma-separated `text`.

    An arm is the name of one of `ARMS`, or ``NAME:CHANGE;CHANGE;...`` with a name of one's own, where a
    change is a setting ``key=value`` as of ``--set`` or the name of one of `ARMS`; later ones win.

    Raises
    ------
    UserError
        For an unknown arm, a name that cannot be used, or a setting that the experiment refuses.
    """
    arms: dict[str, ExperimentConfig] = {}
    texts: dict[str, str] = {}
    for part in _split(text, ","):
        name, colon, changes = (piece.strip() for piece in part.partition(":"))
        if texts.setdefault(name, part) != part:
            raise UserError(f"--arms: two arms are called {name!r}")
        if not colon:
            settings = _named(name)
        elif name in ARMS:
            raise UserError(f"--arms {part}: {name!r} is an arm already; give yours another name")
        elif _NAME.fullmatch(name) is None:
            raise UserError(f"--arms {part}: a name has letters, digits, '.', '_', '+' and '-', got {name!r}")
        else:
            each = [change.strip() for change in _split(changes, ";")]
            settings = tuple(
                setting for change in each for setting in ((change,) if "=" in change else _named(change))
            )
        try:
            arms[name] = load(base=to_builtins(config), settings=settings)
        except UserError as error:
            raise UserError(f"arm {name!r}: {error}") from error
        for key in ("task", "seed"):
            if getattr(arms[name], key) != getattr(config, key):
                raise UserError(f"arm {name!r} changes the {key}, which is one for all arms")
    return arms


def _named(name: str) -> tuple[str, ...]:
    if name not in ARMS:
        raise UserError(f"unknown arm {name!r}; known: {', '.join(ARMS)}, or NAME:key=value;key=value")
    return ARMS[name]


def _split(text: str, separator: str) -> list[str]:
    """Split at separators outside of brackets and quotes, which a TOML value may have."""
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        else:
            depth += (character in "[{") - (character in "]}")
            if character == separator and depth <= 0:
                parts.append("")
                continue
        parts[-1] += character
    return parts
