"""What a node tells of the graph: who publishes, subscribes, serves and calls what."""

import time
from typing import TYPE_CHECKING, Any

from .exceptions import InvalidHandle
from .expand_topic_name import expand_topic_name
from .handles import Handle
from .network.graph import EndKind, TopicEnd

if TYPE_CHECKING:
    from .network.graph import Graph

NamesAndTypes = list[tuple[str, list[str]]]
HIDDEN = "/_"  #: how the topics of services begin


class NodeGraph:
    """The part of a node that asks the graph; base of `Node`."""

    _graph: "Graph"
    _handle: Handle
    _name: str
    _namespace: str

    def count_publishers(self, topic_name: str) -> int:
        """Publishers of a topic, over all processes; the name is expanded, not remapped."""
        return self._count(topic_name, "publisher")

    def count_subscribers(self, topic_name: str) -> int:
        """Subscriptions of a topic, over all processes; the name is expanded, not remapped."""
        return self._count(topic_name, "subscription")

    def count_clients(self, service_name: str) -> int:
        """Clients of a service, over all processes; the name is expanded, not remapped."""
        return self._count(service_name, "client")

    def count_services(self, service_name: str) -> int:
        """Servers of a service, over all processes; the name is expanded, not remapped."""
        return self._count(service_name, "service")

    def get_topic_names_and_types(self, no_demangle: bool = False) -> NamesAndTypes:
        """All topics and the types that are published or subscribed there."""
        return self._names_and_types("publisher", "subscription")

    def get_service_names_and_types(self) -> NamesAndTypes:
        """All services that are served, and their types."""
        return self._names_and_types("service")

    def get_publisher_names_and_types_by_node(
        self, node_name: str, node_namespace: str, no_demangle: bool = False
    ) -> NamesAndTypes:
        """Topics that a node publishes; raises NodeNameNonExistentError if there is no such node."""
        return self._names_and_types("publisher", node=self._existing(node_name, node_namespace))

    def get_subscriber_names_and_types_by_node(
        self, node_name: str, node_namespace: str, no_demangle: bool = False
    ) -> NamesAndTypes:
        """Topics that a node subscribes to; raises NodeNameNonExistentError if there is no such node."""
        return self._names_and_types("subscription", node=self._existing(node_name, node_namespace))

    def get_service_names_and_types_by_node(self, node_name: str, node_namespace: str) -> NamesAndTypes:
        """Services that a node serves; raises NodeNameNonExistentError if there is no such node."""
        return self._names_and_types("service", node=self._existing(node_name, node_namespace))

    def get_client_names_and_types_by_node(self, node_name: str, node_namespace: str) -> NamesAndTypes:
        """Services that a node calls; raises NodeNameNonExistentError if there is no such node."""
        return self._names_and_types("client", node=self._existing(node_name, node_namespace))

    def get_node_names_and_namespaces(self) -> list[tuple[str, str]]:
        """All nodes, over all processes."""
        with self._handle:
            return [
                (name, namespace)
                for participant in self._graph.participants
                for name, namespace in participant.nodes
            ]

    def get_node_names_and_namespaces_with_enclaves(self) -> list[tuple[str, str, str]]:
        """All nodes; there are no enclaves here but the root."""
        return [(name, namespace, "/") for name, namespace in self.get_node_names_and_namespaces()]

    def get_node_names(self) -> list[str]:
        """Names of all nodes, over all processes."""
        return [name for name, _ in self.get_node_names_and_namespaces()]

    def get_fully_qualified_node_names(self) -> list[str]:
        """Namespace and name of all nodes, over all processes."""
        return [f"{space.rstrip('/')}/{name}" for name, space in self.get_node_names_and_namespaces()]

    def get_publishers_info_by_topic(self, topic_name: str, no_mangle: bool = False) -> list[Any]:
        """A `TopicEndpointInfo` of each publisher of a topic."""
        return self._info(topic_name, no_mangle, "publisher")

    def get_subscriptions_info_by_topic(self, topic_name: str, no_mangle: bool = False) -> list[Any]:
        """A `TopicEndpointInfo` of each subscription to a topic."""
        return self._info(topic_name, no_mangle, "subscription")

    def wait_for_node(self, fully_qualified_node_name: str, timeout: float) -> bool:
        """Wait until a node is there; False after `timeout` s."""
        wanted = f"/{fully_qualified_node_name.lstrip('/')}"
        end = time.monotonic() + timeout
        while wanted not in self.get_fully_qualified_node_names():
            if time.monotonic() >= end:
                return False
            time.sleep(0.02)
        return True

    def _ends(self) -> list[TopicEnd]:
        if self._handle.destroyed:
            raise InvalidHandle("cannot use a node that was destroyed")
        return [end for participant in self._graph.participants for end in participant.ends]

    def _count(self, name: str, kind: EndKind) -> int:
        full = expand_topic_name(name, self._name, self._namespace)
        return sum(end.topic == full and end.kind == kind for end in self._ends())

    def _names_and_types(self, *kinds: EndKind, node: str | None = None) -> NamesAndTypes:
        found: dict[str, set[str]] = {}
        for end in self._ends():
            if end.kind in kinds and node in (None, end.node):
                found.setdefault(end.topic, set()).add(end.type_name)
        return [(name, sorted(types)) for name, types in sorted(found.items())]

    def _existing(self, name: str, namespace: str) -> str:
        from .exceptions import NodeNameNonExistentError
        from .names import validate_namespace, validate_node_name

        space = namespace if namespace.startswith("/") else f"/{namespace}"
        validate_node_name(name)
        validate_namespace(space)
        full = f"{space.rstrip('/')}/{name}"
        if full not in self.get_fully_qualified_node_names():
            raise NodeNameNonExistentError(f"cannot find a node named {full}")
        return full

    def _info(self, topic_name: str, no_mangle: bool, kind: EndKind) -> list[Any]:
        from .qos import unpacked
        from .topic_endpoint_info import TopicEndpointInfo, TopicEndpointTypeEnum
        from .type_hash import TypeHash

        full = topic_name if no_mangle else expand_topic_name(topic_name, self._name, self._namespace)
        if not no_mangle:
            full = self._remapped(full)
        kinds = TopicEndpointTypeEnum
        kind_of_end = kinds.PUBLISHER if kind == "publisher" else kinds.SUBSCRIPTION
        found = []
        for end in self._ends():
            if end.topic != full or end.kind != kind:
                continue
            space, _, name = end.node.rpartition("/")
            digest = end.type_hash.rpartition("_")[2]
            found.append(
                TopicEndpointInfo(
                    node_name=name,
                    node_namespace=space or "/",
                    topic_type=end.type_name,
                    topic_type_hash=TypeHash(version=1, value=bytes.fromhex(digest)),
                    endpoint_type=kind_of_end,
                    endpoint_gid=list(bytes.fromhex(end.gid)),
                    qos_profile=unpacked(end.qos),
                )
            )
        return found

    def _remapped(self, full: str) -> str:
        raise NotImplementedError
