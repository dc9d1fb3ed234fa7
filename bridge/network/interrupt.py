"""Something another thread can make readable, for whoever waits for sockets."""

import os
import socket
import threading


class Interrupt:
    """An event with a file descriptor."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed = False
        self._pair: tuple[socket.socket, socket.socket] | None = None
        if hasattr(os, "eventfd"):
            self._number = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self._pair = socket.socketpair()
            for end in self._pair:
                end.setblocking(False)
            self._number = self._pair[0].fileno()

    def fileno(self) -> int:
        """What to wait for."""
        return self._number

    def set(self) -> None:
        """Make it readable; nothing once it is closed, when its number may be somebody else's."""
        with self._lock:
            if self._closed:
                return
            try:
                if self._pair is None:
                    os.eventfd_write(self._number, 1)
                else:
                    self._pair[1].send(b"\0")
            except BlockingIOError:  # it is readable all the more
                return

    def clear(self) -> None:
        """Wait for the next time."""
        try:
            if self._pair is None:
                os.eventfd_read(self._number)
            else:
                self._pair[0].recv(4096)
        except BlockingIOError:
            return

    def close(self) -> None:
        """Be of no more use."""
        with self._lock:
            self._closed = True
            if self._pair is None:
                os.close(self._number)
            else:
                for end in self._pair:
                    end.close()
