"""What processes tell the hub about themselves, and what it tells all: plain JSON with a strict schema."""

from typing import Annotated, Literal

import msgspec

from .origins import Peer
from .permissions import Rules

PROTOCOL = b"TLMN-graph-4"
MAX_ANNOUNCEMENT = 2**20  #: bytes
MAX_PARTICIPANTS = 64

Text = Annotated[str, msgspec.Meta(max_length=256)]
EndKind = Literal["publisher", "subscription", "service", "client"]
_KEY = Annotated[str, msgspec.Meta(max_length=40)]


class TopicEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A publisher, a subscription, a service or a client, as announced."""

    node: Text  #: fully qualified
    topic: Text  #: or name of the service
    type_name: Text
    type_hash: Text
    kind: EndKind
    gid: Text = ""  #: hexadecimal
    qos: Annotated[tuple[int, ...], msgspec.Meta(max_length=8)] = ()  #: see `qos.packed`
    alive: bool = True  #: a publisher that has to show that it is alive, and has not: false


class Participant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A process, as it announces itself; `key` and `may` are what the hub knows, whatever was announced."""

    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
    data: Text
    nodes: Annotated[tuple[tuple[Text, Text], ...], msgspec.Meta(max_length=256)] = ()  #: (name, namespace)
    ends: Annotated[tuple[TopicEnd, ...], msgspec.Meta(max_length=4096)] = ()
    revision: Annotated[int, msgspec.Meta(ge=0)] = 0  #: counts what was announced before
    leaving: bool = False
    key: _KEY = ""  #: public key, Z85; empty without keys
    may: Rules | None = None  #: what its key may do; None: everything

    def peer(self) -> Peer:
        """What those need to know who connect to it."""
        return Peer(self.data, self.key, self.may, publishers(self))


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hub's answer: everyone there is."""

    participants: Annotated[tuple[Participant, ...], msgspec.Meta(max_length=MAX_PARTICIPANTS)]


def publishers(participant: Participant) -> frozenset[bytes]:
    """Ids of its publishers; of its services and clients, too."""
    found = set()
    for end in participant.ends:
        if end.kind != "subscription" and end.gid:
            try:
                found.add(bytes.fromhex(end.gid))
            except ValueError:
                continue
    return frozenset(found)


def listens_to(end: TopicEnd) -> bytes | None:
    """The wire form of the topic that an end receives; None if it receives none."""
    name = {"subscription": end.topic, "service": f"/_request{end.topic}", "client": f"/_answer{end.topic}"}
    topic = name.get(end.kind)
    return None if topic is None else topic.encode("utf-8", "replace") + b"\0"


read_participant = msgspec.json.Decoder(Participant)
read_table = msgspec.json.Decoder(Table)
