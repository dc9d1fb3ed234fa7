"""The process that publishes for an agent, and the memory it shares with it."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_agent import period, until
from tolman.bridge import state_process
from tolman.bridge.exceptions import BusyPortError, EndpointError
from tolman.bridge.shared_ring import ORDERED, SharedRing
from tolman.bridge.state_process import DetachedPublisher
from tolman.bridge.viewers.observer import StateObserver

pytestmark = pytest.mark.skipif(not ORDERED, reason="needs stores that are seen in order")


@given(st.lists(st.one_of(st.none(), st.integers(0, 70)), max_size=200), st.integers(64, 80))
@settings(deadline=None)
def test_a_ring_is_a_queue_that_refuses_what_has_no_room(steps: list[int | None], size: int) -> None:
    """Against a list: numbers are records put in, None takes one out."""
    ring, other = None, None
    try:
        ring = SharedRing(size=size)
        other = SharedRing(os.dup(ring.descriptor))
        kept: list[bytes] = []
        for number, step in enumerate(steps):
            if step is None:
                assert other.get() == (kept.pop(0) if kept else None)
                continue
            record = bytes([number % 256]) * step
            if ring.put(record):
                kept.append(record)
            else:
                assert kept or 2 * (4 + step) > size  # an empty one takes whatever fits into half of it
        assert [other.get() for _ in kept] == kept
    finally:
        for each in (ring, other):
            if each is not None:
                each.close()


def test_a_ring_keeps_the_order_while_both_ends_are_at_work() -> None:
    ring = SharedRing(size=1000)
    count, seen = 20_000, []

    def take() -> None:
        while len(seen) < count:
            record = ring.get()
            if record is not None:
                assert set(record[8:]) <= {record[0]}
                seen.append(int.from_bytes(record[:8], "little"))

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    for number in range(count):
        record = number.to_bytes(8, "little") + bytes([number % 256]) * (number % 50)
        while not ring.put(record):
            time.sleep(0)
    thread.join(30.0)
    assert seen == list(range(count))
    ring.close()


def test_a_bad_endpoint_and_a_busy_port_are_what_they_are_without_the_other_process(endpoint: str) -> None:
    with pytest.raises(EndpointError, match="loopback"):
        DetachedPublisher("tcp://192.0.2.1:4000")
    port = int(endpoint.rsplit(":", 1)[1])
    squatter = subprocess.Popen([sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        assert until(lambda: _listens(port))
        with pytest.raises(BusyPortError, match=str(port)):
            DetachedPublisher(endpoint)
    finally:
        squatter.kill()
        squatter.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_an_agent_goes_on_without_the_process_that_publishes(
    endpoint: str, caplog: pytest.LogCaptureFixture
) -> None:
    with DetachedPublisher(endpoint) as publisher:
        publisher._process.kill()
        publisher._process.wait()
        start = time.monotonic()
        with caplog.at_level(logging.WARNING):
            for number in range(2000):
                snapshot, observation = period(number, 4000)
                publisher.publish(snapshot, observation)
        assert time.monotonic() - start < 60.0
    assert publisher.lost > 0
    assert [record.message for record in caplog.records] == [
        "the process that publishes has ended; nothing is published any more"
    ]


def test_periods_that_had_no_room_are_lost_and_counted(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_process, "PATIENCE", 0.05)
    with DetachedPublisher(endpoint) as publisher, StateObserver(endpoint) as observer:
        assert publisher.wait_for_viewer()
        time.sleep(0.2)
        publisher.publish(*period(0))
        assert until(lambda: observer.gather_for(0.02) or observer.latest)
        os.kill(publisher._process.pid, signal.SIGSTOP)
        sent = 1
        while publisher.lost < 5:
            publisher.publish(*period(sent, 20_000))
            sent += 1
        os.kill(publisher._process.pid, signal.SIGCONT)

        def caught_up() -> bool:
            publisher.publish(*period(sent))
            observer.gather_for(0.02)
            heard = observer.statistics["/clock"]
            return heard.lost >= publisher.lost

        assert until(caught_up)


def test_nothing_is_left_when_the_agent_is_killed(endpoint: str) -> None:
    code = (
        "import sys, time; from tolman.bridge.state_process import DetachedPublisher\n"
        f"p = DetachedPublisher({endpoint!r}); print(p._process.pid, flush=True); time.sleep(60)"
    )
    agent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert agent.stdout is not None
    child = int(agent.stdout.readline())
    agent.kill()
    agent.wait()
    agent.stdout.close()
    assert until(lambda: not os.path.exists(f"/proc/{child}") or _is_zombie(child))


def _is_zombie(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True
