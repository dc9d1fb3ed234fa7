"""Services, as rclpy has them: a request comes on one hidden topic, its answer goes back on another.

As with DDS, all clients of a service hear all its answers, and take those that carry their own id and the
sequence number of their request. The last answers are kept for clients whose subscription is on its way.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from .callback_groups import CallbackGroup
from .clock import Clock
from .exceptions import MessageError
from .handles import Destroyable, Handle
from .messages import deserialize, serialize, type_hash_prefix
from .network.wire import ID_BYTES, FrameError, Header, Refusal, Refusals
from .publisher import Publisher
from .qos import QoSProfile
from .service_introspection import Introspection, ServiceEvent, ServiceIntrospectionState

if TYPE_CHECKING:
    from .network.transport import Outlet

NUMBER_BYTES = 8
KEPT_ANSWERS = 10
MAX_CLIENTS = 1024  #: whose sequence numbers one service remembers


def request_topic(service: str) -> str:
    """The topic of the requests to `service`, fully qualified."""
    return f"/_request{service}"


def answer_topic(service: str) -> str:
    """The topic of the answers of `service`, fully qualified."""
    return f"/_answer{service}"


class RequestId(NamedTuple):
    """Whose request it is, and which."""

    writer_guid: bytes
    sequence_number: int


class ServiceInfo(NamedTuple):
    """What is known of a request or of an answer; stamps in ns."""

    source_timestamp: int
    received_timestamp: int
    request_id: RequestId


class ServiceHandle(Handle):
    """What programs get from `service.handle`."""

    def __init__(self, service: "Service") -> None:
        super().__init__(f"service {service.service_name}")
        self._service = service

    def service_take_request(self, request_type: type[Any]) -> tuple[Any, ServiceInfo] | tuple[None, None]:
        """The next request and what is known of it; (None, None) if there is none."""
        return self._service.take() or (None, None)


class Service(Destroyable):
    """Answers the requests of clients. Users make services with `Node.create_service`."""

    def __init__(
        self,
        srv_type: Any,
        srv_name: str,
        callback: Callable[[Any, Any], Any],
        callback_group: CallbackGroup,
        qos_profile: QoSProfile,
        outlet: "Outlet",
        wake: Callable[[], None],
        refusals: Refusals,
        make_event_publisher: Callable[[QoSProfile], Publisher[Any]] | None = None,
    ) -> None:
        self.srv_type = srv_type
        self.srv_name = srv_name
        self.callback = callback
        self.callback_group = callback_group
        self.qos_profile = qos_profile
        self._executor_event = False
        self._outlet, self._wake, self._refusals = outlet, wake, refusals
        self._request_hash = type_hash_prefix(srv_type.Request.TYPE_NAME)
        self._queue: deque[tuple[Header, memoryview, int]] = deque(maxlen=max(qos_profile.depth, 1))
        self._seen: dict[bytes, int] = {}
        self._handle = ServiceHandle(self)
        self._introspection = Introspection(srv_type.Event, make_event_publisher)
        self.remove: Callable[[], None] = lambda: None  #: set by the node: takes it off the transport

    @property
    def service_name(self) -> str:
        """Fully qualified."""
        return self.srv_name

    @property
    def handle(self) -> ServiceHandle:
        """Refuses once the service is destroyed."""
        return self._handle

    def deliver(self, header: Header, payload: memoryview) -> None:
        """Take a valid frame from the receiver thread; raises FrameError for one of another type."""
        if header.type_hash != self._request_hash:
            raise FrameError(Refusal.TYPE)
        if header.sequence <= self._seen.get(header.publisher, 0):
            if header.flags:  # sent again
                return
            raise FrameError(Refusal.SEQUENCE)
        if len(self._seen) >= MAX_CLIENTS:
            self._seen.pop(next(iter(self._seen)))
        self._seen[header.publisher] = header.sequence
        self._queue.append((header, payload, time.time_ns()))
        self._wake()

    def is_ready(self) -> bool:
        """Whether a request waits."""
        return bool(self._queue)

    def take(self) -> tuple[Any, ServiceInfo] | None:
        """The oldest readable request; None if there is none."""
        while self._queue:
            header, payload, received = self._queue.popleft()
            try:
                request = deserialize(payload, self.srv_type.Request)
            except MessageError:
                self._refusals.add(Refusal.MESSAGE)
                continue
            request_id = RequestId(header.publisher, header.sequence)
            if self._introspection.state:
                self._introspection.tell(ServiceEvent.REQUEST_RECEIVED, *request_id, request=request)
            return request, ServiceInfo(header.source_stamp, received, request_id)
        return None

    def _take_call(self) -> Callable[[], Any] | None:
        taken = self.take()
        if taken is None:
            return None
        request, info = taken

        async def answer() -> None:
            response = self.callback(request, self.srv_type.Response())
            if hasattr(response, "__await__"):
                response = await response
            self.send_response(response, info)

        return answer

    def send_response(self, response: Any, header: ServiceInfo | RequestId) -> None:
        """Answer a request.

        Raises
        ------
        TypeError
            If it is not a response of this service's type.
        """
        if not isinstance(response, self.srv_type.Response):
            raise TypeError(f"expected {self.srv_type.Response.__name__}, got {type(response).__name__}")
        request_id = header.request_id if isinstance(header, ServiceInfo) else header
        tail = request_id.writer_guid + request_id.sequence_number.to_bytes(NUMBER_BYTES, "little")
        with self._handle:
            self._outlet.send(b"".join((serialize(response), tail)))
        if self._introspection.state:
            self._introspection.tell(ServiceEvent.RESPONSE_SENT, *request_id, response=response)

    def configure_introspection(
        self,
        clock: Clock,
        service_event_qos_profile: QoSProfile,
        introspection_state: ServiceIntrospectionState,
    ) -> None:
        """Tell of requests that come and answers that go, on SERVICE/_service_event."""
        with self._handle:
            self._introspection.configure(clock, service_event_qos_profile, introspection_state)

    def destroy(self) -> None:
        """End it; use `Node.destroy_service`."""
        if not self._handle.destroyed:
            self._handle.destroy_when_not_in_use()
            self.remove()
            self._introspection.close()
            self._outlet.close()
            self._queue.clear()


def split_answer(payload: memoryview) -> tuple[memoryview, RequestId]:
    """Part an answer's frame into its CDR payload and the request it answers; raises FrameError if short."""
    end = len(payload) - ID_BYTES - NUMBER_BYTES
    if end < 4:
        raise FrameError(Refusal.PAYLOAD)
    number = int.from_bytes(payload[end + ID_BYTES :], "little")
    return payload[:end], RequestId(bytes(payload[end : end + ID_BYTES]), number)
