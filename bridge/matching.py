"""Which publishers and subscriptions fit each other, found anew whenever the graph changes."""

import threading
from collections import defaultdict
from typing import TYPE_CHECKING

from .end_events import EndEvents
from .watchdogs import Watchdogs

if TYPE_CHECKING:
    from .network.graph import EndKind, Graph, TopicEnd


class Matching:
    """The ends of topics of this process, and whom they meet."""

    def __init__(self, graph: "Graph") -> None:
        self.watchdogs = Watchdogs()
        self._graph = graph
        self._ends: list[EndEvents] = []
        self._lock = threading.RLock()
        graph.on_change = self.update

    def add(self, events: EndEvents) -> None:
        """Tell an end of those it meets, now and whenever the graph changes."""
        with self._lock:
            self._ends.append(events)
            kind: EndKind = "subscription" if events.is_publisher else "publisher"
            everyone = self._graph.participants
            events.meet(
                (participant.id, end)
                for participant in everyone
                for end in participant.ends
                if end.kind == kind and end.topic == events.topic
            )

    def remove(self, events: EndEvents) -> None:
        """Undo `add`."""
        with self._lock:
            if events in self._ends:
                self._ends.remove(events)
        events.close()

    def update(self) -> None:
        """The graph has changed."""
        with self._lock:
            found: defaultdict[tuple[EndKind, str], list[tuple[str, TopicEnd]]] = defaultdict(list)
            for participant in self._graph.participants:
                for end in participant.ends:
                    found[end.kind, end.topic].append((participant.id, end))
            for events in list(self._ends):
                kind: EndKind = "subscription" if events.is_publisher else "publisher"
                events.meet(found.get((kind, events.topic), ()))

    def close(self) -> None:
        """Watch nothing more."""
        self.watchdogs.close()
