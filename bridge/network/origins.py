"""Where frames come from: which connection, so whose; what may come from there.

ZeroMQ tells with every message the file descriptor it came through, and with every connection its address.
"""

import time
from collections.abc import Iterable
from typing import NamedTuple

from .permissions import Rules
from .wire import Refusal

REUSED_WITHIN = 2.0  #: s that frames of an ended connection may still wait while its descriptor is used again
MAX_JUDGED = 8192  #: verdicts kept


class Peer(NamedTuple):
    """A process to connect to.

    Attributes
    ----------
    data : str
        Its data endpoint.
    key : str
        Its public key, Z85; empty without keys.
    may : Rules, optional
        What its key may do; None: everything.
    publishers : frozenset of bytes
        Ids of its publishers, as far as they were announced.
    """

    data: str
    key: str = ""
    may: Rules | None = None
    publishers: frozenset[bytes] = frozenset()


class Origins:
    """Attributes frames to peers, and judges them."""

    def __init__(self) -> None:
        self._peers: dict[str, Peer] = {}
        self._owners: dict[bytes, str] = {}
        self._restricted = False
        self._places: dict[int, list[tuple[str, float]]] = {}
        self._judged: dict[tuple[int, bytes, bytes], Refusal | None] = {}

    def set_peers(self, peers: Iterable[Peer]) -> None:
        """Those whom the hub told of; others are remembered until `forget`."""
        for peer in peers:
            self._peers[peer.data] = peer
        self._changed()

    def forget(self, data: str) -> None:
        """A peer is gone for good."""
        self._peers.pop(data, None)
        self._changed()

    def connected(self, descriptor: int, data: str) -> None:
        """A connection was made; frames of the one before may still come for a moment."""
        now = time.monotonic()
        before = [
            (place, now + REUSED_WITHIN) for place, until in self._places.get(descriptor, ()) if until > now
        ]
        self._places[descriptor] = [*before, (data, float("inf"))]
        self._judged.clear()

    def knows(self, descriptor: int) -> bool:
        """Whether a connection with this descriptor was told of."""
        return descriptor in self._places

    def judge(self, descriptor: int, topic: bytes, publisher: bytes) -> Refusal | None:
        """Why a frame on `topic` (wire form) is refused; None if it is not."""
        key = (descriptor, topic, publisher)
        try:
            return self._judged[key]
        except KeyError:
            pass
        if len(self._judged) >= MAX_JUDGED:
            self._judged.clear()
        verdict = self._judged[key] = self._judgement(descriptor, topic, publisher)
        return verdict

    def _judgement(self, descriptor: int, topic: bytes, publisher: bytes) -> Refusal | None:
        places = [place for place, _ in self._places.get(descriptor, ())]
        owner = self._owners.get(publisher)
        if owner is not None and owner not in places:
            return Refusal.SPOOFED
        if not self._restricted:
            return None
        name = topic[:-1].decode("ascii", "replace")
        for place in places:
            peer = self._peers.get(place)
            if peer is not None and (peer.may is None or peer.may.may_send(name)):
                return None
        return Refusal.PERMISSION

    def _changed(self) -> None:
        self._owners = {name: peer.data for peer in self._peers.values() for name in peer.publishers}
        self._restricted = any(peer.may is not None for peer in self._peers.values())
        self._judged.clear()
