"""Clients of actions, as rclpy has them."""

import threading
import time
import uuid
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..callback_groups import CallbackGroup
from ..client import Client
from ..executors import await_or_execute
from ..handles import Handle
from ..messages import message_class
from ..qos import (
    QoSProfile,
    qos_profile_action_status_default,
    qos_profile_default,
    qos_profile_services_default,
)
from ..task import Future
from ..type_support import check_for_type_support, check_is_valid_action_type
from ..waitable import NumberOfEntities, Waitable
from .client_goal import ClientGoalHandle
from .goal_state import has_ended
from .names import action_names

if TYPE_CHECKING:
    from ..node import Node

__all__ = ["ActionClient", "ClientGoalHandle"]

_POLL = 0.01  #: s between looks for a server
Calls = list[Callable[[], Any]]


class ActionClient(Waitable[Calls]):
    """Sends goals to an action server.

    Raises
    ------
    InvalidTopicNameException, RuntimeError
        If the name or the type cannot be used.
    """

    def __init__(
        self,
        node: "Node",
        action_type: Any,
        action_name: str,
        *,
        callback_group: CallbackGroup | None = None,
        goal_service_qos_profile: QoSProfile = qos_profile_services_default,
        result_service_qos_profile: QoSProfile = qos_profile_services_default,
        cancel_service_qos_profile: QoSProfile = qos_profile_services_default,
        feedback_sub_qos_profile: QoSProfile = qos_profile_default,
        status_sub_qos_profile: QoSProfile = qos_profile_action_status_default,
    ) -> None:
        group = node.default_callback_group if callback_group is None else callback_group
        super().__init__(group)
        check_for_type_support(action_type)
        check_is_valid_action_type(action_type)
        self._node = node
        self._action_type = action_type
        self._action_name = action_name
        self._goal_handles: dict[bytes, weakref.ref[ClientGoalHandle]] = {}
        self._feedback_callbacks: dict[bytes, Callable[[Any], Any]] = {}
        self._handle = Handle(f"client of the action {action_name}")
        names, impl, parts = action_names(node, action_name), action_type.Impl, node._hidden_ends

        def call(kind: Any, name: str, profile: QoSProfile) -> Client:
            client = node._new_client(kind, name, profile, group, parts)
            client._executor = lambda: None  # what is done with an answer is done in `execute`
            return client

        self._goal_client = call(impl.SendGoalService, names.send_goal, goal_service_qos_profile)
        self._cancel_client = call(impl.CancelGoalService, names.cancel_goal, cancel_service_qos_profile)
        self._result_client = call(impl.GetResultService, names.get_result, result_service_qos_profile)
        self._feedback = node._new_subscription(
            impl.FeedbackMessage, names.feedback, self._take_feedback, feedback_sub_qos_profile, group, parts
        )
        self._status = node._new_subscription(
            impl.GoalStatusMessage, names.status, self._take_status, status_sub_qos_profile, group, parts
        )
        self._parts = (
            self._goal_client, self._cancel_client, self._result_client, self._feedback, self._status
        )  # fmt: skip
        node._announce()
        node.add_waitable(self)

    def is_ready(self, wait_set: Any = None) -> bool:
        """Whether an answer, feedback or a state waits."""
        return any(part.is_ready() for part in self._parts)

    def _asked(self, wake: Callable[[], None]) -> bool:
        return self.is_ready()

    def take_data(self) -> Calls:
        """Take an answer of each kind, and all feedback: it is told before a result that came later."""
        first, *rest = (
            client._take_call() for client in (self._goal_client, self._cancel_client, self._result_client)
        )
        told = [first]
        for topic in (self._feedback, self._status):
            while (call := topic._take_call()) is not None:
                told.append(call)
        return [call for call in (*told, *rest) if call is not None]

    async def execute(self, taken_data: Calls) -> None:
        """Complete futures, call back with feedback, and note states."""
        for call in taken_data:
            await await_or_execute(call)

    def get_num_entities(self) -> NumberOfEntities:
        """Two subscriptions and three clients of services."""
        return NumberOfEntities(2, 0, 0, 3, 0)

    def send_goal(self, goal: Any, **kwargs: Any) -> Any:
        """Send a goal and wait for the answer with its result; somebody else must spin the node meanwhile.

        The keywords and errors are those of `send_goal_async`.
        """
        goal_handle = self._wait_for(self.send_goal_async(goal, **kwargs))
        return self._get_result(goal_handle)

    def send_goal_async(
        self, goal: Any, feedback_callback: Callable[[Any], Any] | None = None, goal_uuid: Any = None
    ) -> Future[ClientGoalHandle]:
        """Send a goal; the future has its `ClientGoalHandle` once the server has accepted or rejected it.

        Parameters
        ----------
        feedback_callback : callable, optional
            Called with each feedback message until the result has come; may be a coroutine function.
        goal_uuid : UUID, optional
            A unique_identifier_msgs/msg/UUID; by default a random one.

        Raises
        ------
        TypeError
            If it is no goal of this action.
        """
        if not isinstance(goal, self._action_type.Goal):
            raise TypeError(f"expected {self._action_type.Goal.__name__}, got {type(goal).__name__}")
        goal_id = self._generate_random_uuid() if goal_uuid is None else goal_uuid
        key = bytes(goal_id.uuid)
        if feedback_callback is not None:
            self._feedback_callbacks[key] = feedback_callback

        def answered(response: Any) -> ClientGoalHandle:
            goal_handle = ClientGoalHandle(self, goal_id, response)
            if not goal_handle.accepted:
                self._feedback_callbacks.pop(key, None)
                return goal_handle
            if key in self._goal_handles:
                raise RuntimeError(f"Two goals were accepted with the same ID ({goal_handle})")
            self._goal_handles[key] = weakref.ref(goal_handle)
            return goal_handle

        request = self._action_type.Impl.SendGoalService.Request(goal_id=goal_id, goal=goal)
        return self._call(self._goal_client, request, answered)

    def server_is_ready(self) -> bool:
        """Whether somebody serves the action, and has been told of this client.

        A server that has not heard of it yet would send its first feedback to nobody.
        """
        with self._node.handle:
            if not self._node._graph.told:
                return False
            clients = (self._goal_client, self._cancel_client, self._result_client)
            topics = (self._feedback, self._status)
            return all(client.service_is_ready() for client in clients) and all(
                topic.get_publisher_count() for topic in topics
            )

    def wait_for_server(self, timeout_sec: float | None = None) -> bool:
        """Wait until somebody serves the action; False after `timeout_sec` (for ever if None)."""
        end = None if timeout_sec is None else time.monotonic() + timeout_sec
        while self._node.context.ok():
            if self.server_is_ready():
                return True
            left = _POLL if end is None else end - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, _POLL))
        return False

    def destroy(self) -> None:
        """End it; futures that are not done never will be."""
        if self._handle.destroyed:
            return
        self._handle.destroy_when_not_in_use()
        for part in self._parts:
            part.destroy()
        self._node.remove_waitable(self)

    @staticmethod
    def _generate_random_uuid() -> Any:
        return message_class("unique_identifier_msgs/msg/UUID")(uuid=list(uuid.uuid4().bytes))

    def _cancel_goal(self, goal_handle: ClientGoalHandle) -> Any:
        return self._wait_for(self._cancel_goal_async(goal_handle))

    def _cancel_goal_async(self, goal_handle: ClientGoalHandle) -> Future[Any]:
        self._check(goal_handle)
        request = self._action_type.Impl.CancelGoalService.Request()
        request.goal_info.goal_id = goal_handle.goal_id
        return self._call(self._cancel_client, request, lambda response: response)

    def _get_result(self, goal_handle: ClientGoalHandle) -> Any:
        return self._wait_for(self._get_result_async(goal_handle))

    def _get_result_async(self, goal_handle: ClientGoalHandle) -> Future[Any]:
        self._check(goal_handle)

        def answered(response: Any) -> Any:
            self._feedback_callbacks.pop(bytes(goal_handle.goal_id.uuid), None)
            return response

        request = self._action_type.Impl.GetResultService.Request(goal_id=goal_handle.goal_id)
        return self._call(self._result_client, request, answered)

    def _call(self, client: Client, request: Any, made: Callable[[Any], Any]) -> Future[Any]:
        """Call a service; the future has what is `made` of the answer."""
        answer, future = client.call_async(request), Future[Any]()

        def answered(answer: Future[Any]) -> None:
            try:
                future.set_result(made(answer.result()))
            except Exception as error:
                future.set_exception(error)
            self._futures.remove(future)

        def given_up(future: Future[Any]) -> None:
            if future.cancelled():
                client.remove_pending_request(answer)
                self._futures.remove(future)

        self.add_future(future)
        future.add_done_callback(given_up)
        answer.add_done_callback(answered)
        return future

    @staticmethod
    def _wait_for(future: Future[Any]) -> Any:
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        done.wait()
        return future.result()

    @staticmethod
    def _check(goal_handle: object) -> None:
        if not isinstance(goal_handle, ClientGoalHandle):
            raise TypeError(f"Expected type ClientGoalHandle but received {type(goal_handle)}")

    async def _take_feedback(self, message: Any) -> None:
        callback = self._feedback_callbacks.get(bytes(message.goal_id.uuid))
        if callback is not None:
            await await_or_execute(callback, message)

    def _take_status(self, message: Any) -> None:
        for status in message.status_list:
            key = bytes(status.goal_info.goal_id.uuid)
            reference = self._goal_handles.get(key)
            if reference is None:
                continue
            goal_handle = reference()
            if goal_handle is not None:
                goal_handle._status = int(status.status)
            if goal_handle is None or has_ended(status.status):
                del self._goal_handles[key]
