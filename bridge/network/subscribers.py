"""Who subscribes to what at the XPUB, connection by connection: caps, and cutting off who goes too far.

ZeroMQ remembers every subscription that a connection ever sent, also those that were refused, and has no call
that ends one connection: the socket underneath is shut down instead. It tells the file descriptor with each
subscription, none with the end of those of a connection that is gone: which one that was is looked up.
"""

import logging
import socket
from collections.abc import Callable
from typing import NamedTuple

MAX_TOPICS_OF_ONE = 4096  #: topics that one connection may subscribe to
MAX_TOPICS = 16384  #: distinct topics over all of them
MAX_REFUSED = 256  #: refused subscriptions after which a connection is cut off

_log = logging.getLogger(__name__)


class _Name(NamedTuple):
    """A connection; descriptors are used again, with another address at the far end."""

    descriptor: int
    peer: tuple[object, ...]


class _Connection:
    def __init__(self, key: bytes) -> None:
        self.key = key
        self.topics: set[bytes] = set()
        self.refused = 0
        self.cut_off = False


class Subscribers:
    """The subscriptions at one socket.

    Attributes
    ----------
    counts : dict of bytes to int
        Connections that subscribe to a topic (its wire form); topics without any are absent.
    """

    def __init__(self, port: int, family: socket.AddressFamily = socket.AF_INET) -> None:
        self._family = family
        self.counts: dict[bytes, int] = {}
        self._port = port
        self._connections: dict[_Name, _Connection] = {}
        self._unsettled = False

    def add(self, descriptor: int, topic: bytes, key: bytes) -> bool:
        """Note a subscription; False if it must be refused."""
        connection = self._connection(descriptor, key)
        if connection is None or connection.cut_off or topic in connection.topics:
            return False
        if len(connection.topics) >= MAX_TOPICS_OF_ONE:
            return False
        if topic not in self.counts and len(self.counts) >= MAX_TOPICS:
            return False
        connection.topics.add(topic)
        self.counts[topic] = self.counts.get(topic, 0) + 1
        return True

    def remove(self, descriptor: int | None, topic: bytes) -> bool:
        """Note the end of a subscription; without a descriptor, of one of a connection that is gone."""
        if descriptor is None:
            self._unsettled = True
            return topic in self.counts
        connection = self._connection(descriptor, b"")
        if connection is None or topic not in connection.topics:
            return False
        connection.topics.discard(topic)
        self._less(topic)
        return True

    def refuse(self, descriptor: int | None) -> None:
        """Note a refused subscription; too many, and the connection is cut off."""
        connection = None if descriptor is None else self._connection(descriptor, b"")
        if connection is None or descriptor is None:
            return
        connection.refused += 1
        if connection.refused >= MAX_REFUSED and not connection.cut_off:
            connection.cut_off = True
            _log.warning("refused: %d subscriptions of one peer; it is cut off", connection.refused)
            self._shut(descriptor)

    def settle(self) -> None:
        """Forget connections that are gone."""
        if not self._unsettled:
            return
        self._unsettled = False
        for name, connection in list(self._connections.items()):
            if self._peer(name.descriptor) != name.peer:
                del self._connections[name]
                for topic in connection.topics:
                    self._less(topic)

    def cut_off(self, which: Callable[[bytes], bool]) -> None:
        """End connections by their keys; they may try again, and be judged again."""
        for name, connection in list(self._connections.items()):
            if not connection.cut_off and which(connection.key) and self._peer(name.descriptor) == name.peer:
                connection.cut_off = True
                self._shut(name.descriptor)

    def _less(self, topic: bytes) -> None:
        left = self.counts.get(topic, 0) - 1
        if left > 0:
            self.counts[topic] = left
        else:
            self.counts.pop(topic, None)

    def _connection(self, descriptor: int, key: bytes) -> _Connection | None:
        peer = self._peer(descriptor)
        if peer is None:  # gone already
            return None
        name = _Name(descriptor, peer)
        found = self._connections.get(name)
        if found is None and self._is_ours(descriptor):
            found = self._connections[name] = _Connection(key)
            self._unsettled = True  # another may have had the descriptor before
        return found

    def _peer(self, descriptor: int) -> tuple[object, ...] | None:
        """The far end of a connection; None if there is none."""
        try:
            end = socket.socket(self._family, socket.SOCK_STREAM, 0, descriptor)
        except OSError:
            return None
        try:
            return tuple(end.getpeername())
        except OSError:
            return None
        finally:
            end.detach()

    def _is_ours(self, descriptor: int) -> bool:
        """Whether it is a connection to our port: the descriptor may be something else's by now."""
        end = socket.socket(self._family, socket.SOCK_STREAM, 0, descriptor)
        try:
            return bool(end.getsockname()[1] == self._port)
        except (OSError, TypeError, IndexError):
            return False
        finally:
            end.detach()

    def _shut(self, descriptor: int) -> None:
        """Shut the socket down; ZeroMQ sees the end and cleans up."""
        try:
            end = socket.socket(self._family, socket.SOCK_STREAM, 0, descriptor)
        except OSError:
            return
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError as error:
            _log.debug("shutting a connection down: %s", error)
        finally:
            end.detach()
