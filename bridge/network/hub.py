"""The hub's table: who is there, as they announce themselves and as far as their keys allow."""

import logging
from typing import NamedTuple

import msgspec

from ..exceptions import EndpointError, KeysError
from ..network import endpoint as endpoints
from .announcements import MAX_PARTICIPANTS, PROTOCOL, Participant, Table, publishers, read_participant
from .keys import Keys
from .permissions import DEED_OF, Permissions, matches
from .wire import Refusal, Refusals

FORGET_AFTER = 4.0  #: s of silence after which the hub forgets a process
SILENT_AFTER = 1.0  #: s of silence after which somebody else may take its id or its address

_log = logging.getLogger(__name__)


class _Refused(ValueError):
    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


class _Entry(NamedTuple):
    announced: Participant
    shown: Participant
    identity: bytes
    heard: float
    permissions: Permissions | None
    publishers: frozenset[bytes]


class Hub:
    """The table of participants, filled from announcements; no sockets of its own.

    Parameters
    ----------
    keys : Keys, optional
        Says who may take part, and do what; None: anybody, anything.
    anywhere : bool
        Whether data endpoints may lie beyond the loopback interface.
    """

    def __init__(self, refusals: Refusals, keys: Keys | None = None, anywhere: bool = False) -> None:
        self._refusals, self._keys, self._anywhere = refusals, keys, anywhere
        self._entries: dict[str, _Entry] = {}
        self._permissions: Permissions | None = None
        self._complained: set[str] = set()

    def announce(self, parts: list[bytes], now: float, key: str = "", address: str = "") -> bool:
        """Take a message of the ROUTER socket; return whether the table changed.

        `key` is the sender's, as ZeroMQ knows it (empty without keys), `address` the sender's IP address.
        """
        try:
            return self._announce(parts, now, key, address)
        except _Refused as refused:
            self._refusals.add(refused.reason)
        except (ValueError, EndpointError):  # msgspec.DecodeError is a ValueError
            self._refusals.add(Refusal.GRAPH)
        return False

    def _announce(self, parts: list[bytes], now: float, key: str, address: str) -> bool:
        identity, protocol, body = parts
        if protocol != PROTOCOL:
            raise _Refused(Refusal.GRAPH)
        participant = read_participant.decode(body)
        host = endpoints.parse(participant.data, anywhere=self._anywhere).host
        if self._anywhere and address and host != address:  # or all would connect to wherever it says
            raise _Refused(Refusal.GRAPH)
        before = self._entries.get(participant.id)
        if before is not None and before.identity != identity and now - before.heard <= SILENT_AFTER:
            raise _Refused(Refusal.SPOOFED)
        name = self._name_of(key)
        if participant.leaving:
            return self._entries.pop(participant.id, None) is not None
        permissions = self._permissions_now()
        if before is not None and before.permissions is permissions and before.announced == participant:
            self._entries[participant.id] = before._replace(identity=identity, heard=now)
            return False
        own = publishers(participant)
        for other, entry in list(self._entries.items()):
            if other == participant.id:
                continue
            if entry.identity == identity:  # one connection, one process
                raise _Refused(Refusal.SPOOFED)
            if entry.announced.data == participant.data or not own.isdisjoint(entry.publishers):
                if now - entry.heard <= SILENT_AFTER:
                    raise _Refused(Refusal.SPOOFED)
                del self._entries[other]
        if before is None and len(self._entries) >= MAX_PARTICIPANTS:
            raise _Refused(Refusal.GRAPH)
        shown = self._struck(participant, key, name, permissions)
        self._entries[participant.id] = _Entry(participant, shown, identity, now, permissions, own)
        return before is None or before.shown != shown

    def expire(self, now: float) -> bool:
        """Forget those who fell silent or are authorised no more; return whether there were any."""
        authorised = None if self._keys is None else self._keys.authorised()
        gone = [
            name
            for name, entry in self._entries.items()
            if now - entry.heard > FORGET_AFTER
            or (authorised is not None and entry.shown.key.encode() not in authorised)
        ]
        for name in gone:
            del self._entries[name]
        return bool(gone)

    @property
    def table(self) -> bytes:
        """The answer to send."""
        return msgspec.json.encode(Table(tuple(entry.shown for entry in self._entries.values())))

    @property
    def identities(self) -> list[bytes]:
        """Whom to send it to."""
        return [entry.identity for entry in self._entries.values()]

    def _name_of(self, key: str) -> str:
        if self._keys is None:
            return ""
        name = self._keys.authorised().get(key.encode("ascii"))
        if name is None:
            raise _Refused(Refusal.KEY)
        return name

    def _permissions_now(self) -> Permissions | None:
        """A file that was spoiled while the hub runs changes nothing: what it said before holds."""
        if self._keys is None:
            return None
        try:
            self._permissions = self._keys.permissions()
        except KeysError as error:
            self._say(f"{error}; what it said before holds")
        return self._permissions

    def _struck(
        self, participant: Participant, key: str, name: str, permissions: Permissions | None
    ) -> Participant:
        """What is shown of a participant: without what it may not do."""
        if permissions is None:
            return msgspec.structs.replace(participant, key=key, may=None)
        rules = permissions.of_key(name)
        nodes = tuple(n for n in participant.nodes if matches(rules.nodes, f"{n[1].rstrip('/')}/{n[0]}"))
        ends = []
        for end in participant.ends:
            deed = DEED_OF[end.kind]
            if permissions.allow(name, end.node, deed, end.topic):
                ends.append(end)
            elif self._say(f"{end.node} (key {name}) may not {deed} {end.topic}"):
                self._refusals.add(Refusal.PERMISSION)
        return msgspec.structs.replace(participant, nodes=nodes, ends=tuple(ends), key=key, may=rules.told())

    def _say(self, line: str) -> bool:
        """Say it once; return whether it was new."""
        if line in self._complained:
            return False
        if len(self._complained) < 1000:
            self._complained.add(line)
            _log.warning("refused: %s", line)
        return True
