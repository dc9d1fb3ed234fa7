"""Who may publish, subscribe to, call and serve what: `permissions.toml` in the hub's key folder.

    [keys.viewer]                 # a name in authorised/
    nodes = ["/viewer"]           # names its nodes may have (default: any)
    subscribe = ["/odom", "/camera/**"]
    [default]                     # keys not named; without it they may do nothing
    publish = ["/**"]
    [nodes."/camera"]             # on top of that, wherever a node of this name runs
    publish = ["/camera/*"]

`*` stands for one part of a name, `**` for any number of parts. The hub strikes out of announcements what is
not allowed, and tells the others what each key may do: they check subscriptions and messages themselves.
"""

import functools
import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from ..exceptions import KeysError

Pattern = Annotated[str, msgspec.Meta(pattern=r"^/", max_length=256)]
Patterns = Annotated[tuple[Pattern, ...], msgspec.Meta(max_length=256)]
Deed = Literal["publish", "subscribe", "call", "serve"]

#: what an end of a kind does
DEED_OF: dict[str, Deed] = {
    "publisher": "publish",
    "subscription": "subscribe",
    "client": "call",
    "service": "serve",
}
_REQUEST, _ANSWER = "/_request/", "/_answer/"


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one may do, as patterns of names; an empty list allows nothing."""

    publish: Patterns = ()
    subscribe: Patterns = ()
    call: Patterns = ()
    serve: Patterns = ()

    def allow(self, deed: Deed, name: str) -> bool:
        """Whether `deed` is allowed on a topic or service, fully qualified."""
        patterns: tuple[str, ...] = getattr(self, deed)
        return matches(patterns, name)

    def may_send(self, topic: str) -> bool:
        """Whether messages on `topic` may come from there; requests are calls, answers are service."""
        return self.allow(*_hidden(topic, "publish", "call", "serve"))

    def may_receive(self, topic: str) -> bool:
        """Whether messages on `topic` may go there."""
        return self.allow(*_hidden(topic, "subscribe", "serve", "call"))


class KeyRules(Rules, frozen=True, forbid_unknown_fields=True):
    """Rules of a key, and the names that nodes of its processes may have."""

    nodes: Patterns = ("/**",)

    def told(self) -> Rules:
        """What the others are told."""
        return Rules(self.publish, self.subscribe, self.call, self.serve)


class Permissions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    keys: dict[str, KeyRules] = {}
    nodes: dict[Pattern, Rules] = {}
    default: KeyRules = KeyRules(nodes=())

    def of_key(self, name: str) -> KeyRules:
        """Rules of a key by its name."""
        return self.keys.get(name, self.default)

    def allow(self, key: str, node: str, deed: Deed, name: str) -> bool:
        """Whether a node of a process with this key may do this."""
        rules = self.of_key(key)
        if not matches(rules.nodes, node) or not rules.allow(deed, name):
            return False
        return all(own.allow(deed, name) for pattern, own in self.nodes.items() if matches((pattern,), node))


def read_permissions(path: Path) -> Permissions:
    """Read the file.

    Raises
    ------
    KeysError
        If it cannot be read, is no TOML, or says something that means nothing.
    """
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Permissions)
    except OSError as error:
        raise KeysError(f"cannot read {path}: {error.strerror or error}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise KeysError(f"{path}: {error}") from None


def matches(patterns: tuple[str, ...], name: str) -> bool:
    """Whether one of the patterns fits."""
    return any(_compiled(pattern).fullmatch(name) is not None for pattern in patterns)


@functools.lru_cache(4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    part = {"**": ".+", "*": "[^/]+"}
    return re.compile("".join(part.get(piece, re.escape(piece)) for piece in re.split(r"(\*\*|\*)", pattern)))


def _hidden(topic: str, plain: Deed, request: Deed, answer: Deed) -> tuple[Deed, str]:
    """What a topic is about: services are two topics with hidden names."""
    if topic.startswith(_REQUEST):
        return request, topic[len(_REQUEST) - 1 :]
    if topic.startswith(_ANSWER):
        return answer, topic[len(_ANSWER) - 1 :]
    return plain, topic
