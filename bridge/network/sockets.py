"""A ZeroMQ context that nothing waits for when it is dropped without having been ended."""

from typing import TYPE_CHECKING

import zmq

if TYPE_CHECKING:
    _Base = zmq.Context[zmq.Socket[bytes]]
else:
    _Base = zmq.Context


class Sockets(_Base):
    """A `zmq.Context` whose owner ends it, or leaves it to the end of the process.

    pyzmq ends one that is collected. In a cycle of garbage its sockets are still open then, and no longer
    known to it, so that collecting garbage, anywhere in the program, would wait for ever.
    """

    def __del__(self) -> None:
        pass
