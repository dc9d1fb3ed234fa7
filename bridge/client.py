"""Clients of services, as rclpy has them."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .callback_groups import CallbackGroup
from .clock import Clock
from .context import Context
from .exceptions import MessageError
from .handles import Destroyable, Handle
from .messages import deserialize, serialize, type_hash_prefix
from .network.wire import FrameError, Header, Refusal, Refusals
from .publisher import Publisher
from .qos import QoSProfile
from .service import split_answer
from .service_introspection import Introspection, ServiceEvent, ServiceIntrospectionState
from .task import Future

if TYPE_CHECKING:
    from .network.transport import Outlet

_POLL = 0.01  #: s between looks for a service


class Client(Destroyable):
    """Calls a service. Users make clients with `Node.create_client`."""

    def __init__(
        self,
        context: Context,
        srv_type: Any,
        srv_name: str,
        qos_profile: QoSProfile,
        callback_group: CallbackGroup,
        outlet: "Outlet",
        served: Callable[[], bool],
        wake: Callable[[], None],
        refusals: Refusals,
        make_event_publisher: Callable[[QoSProfile], Publisher[Any]] | None = None,
    ) -> None:
        self.context = context
        self.srv_type = srv_type
        self.srv_name = srv_name
        self.qos_profile = qos_profile
        self.callback_group = callback_group
        self._executor_event = False
        self._outlet, self._served, self._wake, self._refusals = outlet, served, wake, refusals
        self._answer_hash = type_hash_prefix(srv_type.Response.TYPE_NAME)
        self._pending: dict[int, Future[Any]] = {}
        self._answers: deque[tuple[int, memoryview]] = deque(maxlen=max(qos_profile.depth, 1000))
        self._lock = threading.Lock()
        self._executor: Callable[[], Any] = lambda: None  #: set by the node: what runs its callbacks
        self._handle = Handle(f"client of {srv_name}")
        self._introspection = Introspection(srv_type.Event, make_event_publisher)
        self.remove: Callable[[], None] = lambda: None  #: set by the node: takes it off the transport

    @property
    def service_name(self) -> str:
        """Fully qualified."""
        return self.srv_name

    @property
    def handle(self) -> Handle:
        """Refuses once the client is destroyed."""
        return self._handle

    def call(self, request: Any, timeout_sec: float | None = None) -> Any:
        """Call and wait for the answer; somebody else must spin the node meanwhile.

        Raises
        ------
        TypeError
            If it is not a request of this service's type.
        TimeoutError
            If no answer came in `timeout_sec` (waits for ever if None).
        """
        self._check(request)
        done = threading.Event()
        future = self.call_async(request)
        future.add_done_callback(lambda _: done.set())
        if not future.done() and not done.wait(timeout_sec):
            self.remove_pending_request(future)
            raise TimeoutError(f"no answer from {self.srv_name} in {timeout_sec} s")
        return future.result()

    def call_async(self, request: Any) -> Future[Any]:
        """Send a request; the future has the answer once the node was spun for long enough.

        Raises
        ------
        TypeError
            If it is not a request of this service's type.
        """
        self._check(request)
        payload = serialize(request)
        with self._lock, self._handle:
            future: Future[Any] = Future(executor=self._executor())
            self._outlet.send(payload)
            number = self._outlet.sequence
            self._pending[number] = future
        if self._introspection.state:
            self._introspection.tell(
                ServiceEvent.REQUEST_SENT, self._outlet.publisher, number, request=request
            )
        future.add_done_callback(self._forget)
        return future

    def get_pending_request(self, sequence_number: int) -> Future[Any]:
        """The future of a request; raises KeyError if it was answered or never made."""
        return self._pending[sequence_number]

    def remove_pending_request(self, future: Future[Any]) -> None:
        """Wait for an answer no longer."""
        self._forget(future)

    def service_is_ready(self) -> bool:
        """Whether somebody serves, and hears us."""
        with self._handle:
            return self._served()

    def wait_for_service(self, timeout_sec: float | None = None) -> bool:
        """Wait until somebody serves; False after `timeout_sec` (for ever if None or negative)."""
        end = None if timeout_sec is None or timeout_sec < 0 else time.monotonic() + timeout_sec
        while self.context.ok():
            if self.service_is_ready():
                return True
            left = _POLL if end is None else end - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, _POLL))
        return False

    def configure_introspection(
        self,
        clock: Clock,
        service_event_qos_profile: QoSProfile,
        introspection_state: ServiceIntrospectionState,
    ) -> None:
        """Tell of requests that go and answers that come, on SERVICE/_service_event."""
        with self._handle:
            self._introspection.configure(clock, service_event_qos_profile, introspection_state)

    def deliver(self, header: Header, payload: memoryview) -> None:
        """Take a valid frame from the receiver thread; raises FrameError if it is no answer of this type."""
        if header.type_hash != self._answer_hash:
            raise FrameError(Refusal.TYPE)
        body, request = split_answer(payload)
        if request.writer_guid == self._outlet.publisher:
            self._answers.append((request.sequence_number, body))
            self._wake()

    def is_ready(self) -> bool:
        """Whether an answer waits."""
        return bool(self._answers)

    def _take_call(self) -> Callable[[], Any] | None:
        while self._answers:
            number, body = self._answers.popleft()
            with self._lock:
                future = self._pending.get(number)
            if future is None:  # given up, or an answer that was sent again for a late client
                continue
            try:
                response = deserialize(body, self.srv_type.Response)
            except MessageError:
                self._refusals.add(Refusal.MESSAGE)
                continue
            if self._introspection.state:
                self._introspection.tell(
                    ServiceEvent.RESPONSE_RECEIVED, self._outlet.publisher, number, response=response
                )
            return lambda: future.set_result(response)
        return None

    def _check(self, request: Any) -> None:
        if not isinstance(request, self.srv_type.Request):
            raise TypeError(f"expected {self.srv_type.Request.__name__}, got {type(request).__name__}")

    def _forget(self, future: Future[Any]) -> None:
        with self._lock:
            for number, waiting in list(self._pending.items()):
                if waiting is future:
                    del self._pending[number]

    def destroy(self) -> None:
        """End it; use `Node.destroy_client`."""
        if not self._handle.destroyed:
            self._handle.destroy_when_not_in_use()
            self.remove()
            self._introspection.close()
            self._outlet.close()
            self._answers.clear()
