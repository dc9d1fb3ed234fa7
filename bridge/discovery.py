"""Which topics are published at an endpoint, and which of them can be read here."""

from typing import NamedTuple

from .context import Context
from .messages import type_hash


class Published(NamedTuple):
    """What the graph announces."""

    types: dict[str, str]  #: topic to type name, of topics that can be read
    unreadable: dict[str, str]  #: topic to the reason, of the others


def published_topics(context: Context) -> Published:
    """Topics that any process publishes now, sorted by name.

    A topic can be read if its type is one of `messages.known_types()` with the same definition. Where several
    types are published on one topic, the first by name counts.
    """
    announced: dict[str, set[tuple[str, str]]] = {}
    for participant in context.graph.participants:
        for end in participant.ends:
            if end.kind == "publisher":
                announced.setdefault(end.topic, set()).add((end.type_name, end.type_hash))
    found = Published({}, {})
    for topic, candidates in sorted(announced.items()):
        for name, announced_hash in sorted(candidates):
            try:
                same = type_hash(name) == announced_hash
            except ValueError:
                found.unreadable[topic] = f"type {name} is not known here"
                continue
            if same:
                found.types[topic] = name
                found.unreadable.pop(topic, None)
                break
            found.unreadable[topic] = f"type {name} has another definition there than here"
    return found
