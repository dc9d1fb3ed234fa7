"""A receiver that is closed while another thread has something to tell it."""

import threading
import time

import pytest
import zmq
from tolman.bridge.network.receiver import Receiver
from tolman.bridge.network.wire import Refusals


def test_a_command_after_the_end_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread of the graph tells of a peer that left between the end of the thread and of its sockets."""
    context = zmq.Context()
    receiver = Receiver(context, Refusals())
    join = receiver._thread.join
    late = threading.Thread(target=receiver.set_peers, args=(frozenset(),), daemon=True)

    def joined_and_told() -> None:
        join()
        time.sleep(0.2)  # until the other end of the pair is gone
        late.start()
        late.join(2.0)

    monkeypatch.setattr(receiver._thread, "join", joined_and_told)
    closing = threading.Thread(target=receiver.close, daemon=True)
    closing.start()
    closing.join(5.0)
    assert not closing.is_alive()
    assert not late.is_alive()
    context.term()
