"""Servers of actions, as rclpy has them."""

import threading
import traceback
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, TypedDict

from ..callback_groups import CallbackGroup
from ..constants import S_TO_NS
from ..exceptions import InvalidHandle
from ..executors import await_or_execute
from ..handles import Handle
from ..messages import message_class
from ..qos import (
    QoSProfile,
    qos_profile_action_status_default,
    qos_profile_default,
    qos_profile_services_default,
)
from ..service import Service, ServiceInfo
from ..task import Future
from ..type_support import check_for_type_support, check_is_valid_action_type
from ..waitable import NumberOfEntities, Waitable
from .cancel import REJECTED, goals_meant
from .goal_state import GoalEvent, GoalStatus
from .names import action_names
from .server_goal import ServerGoalHandle

if TYPE_CHECKING:
    from ..node import Node

__all__ = ["ActionServer", "CancelResponse", "GoalEvent", "GoalResponse", "ServerGoalHandle"]


class GoalResponse(Enum):
    """What a goal callback returns."""

    REJECT = 1
    ACCEPT = 2


class CancelResponse(Enum):
    """What a cancel callback returns."""

    REJECT = 1
    ACCEPT = 2


class ServerGoalHandleDict(TypedDict, total=False):
    """Requests taken at one time, with what is known of them."""

    goal: tuple[Any, ServiceInfo]
    cancel: tuple[Any, ServiceInfo]
    result: tuple[Any, ServiceInfo]


def default_handle_accepted_callback(goal_handle: ServerGoalHandle) -> None:
    """Execute the goal."""
    goal_handle.execute()


def default_goal_callback(goal_request: Any) -> GoalResponse:
    """Accept every goal."""
    return GoalResponse.ACCEPT


def default_cancel_callback(cancel_request: Any) -> CancelResponse:
    """Cancel nothing."""
    return CancelResponse.REJECT


def _unused(request: Any, response: Any) -> Any:
    """What the services would call if an executor asked them: the action server does it instead."""
    return response


class ActionServer(Waitable[ServerGoalHandleDict]):
    """Accepts goals, has them executed, and tells of feedback, state and result.

    All callbacks may be coroutine functions.

    Parameters
    ----------
    execute_callback : callable
        Called with a `ServerGoalHandle`; returns the result.
    goal_callback : callable
        Called with the goal; returns a `GoalResponse`.
    handle_accepted_callback : callable
        Called with the handle of an accepted goal; by default executes it.
    cancel_callback : callable
        Called with the handle of a goal that is to be cancelled; returns a `CancelResponse`.
    result_timeout : float
        s that the result of a goal is kept after its end, on the node's clock; for ever if negative.

    Raises
    ------
    InvalidTopicNameException, RuntimeError, TypeError
        If the name, the type or a callback cannot be used.
    """

    def __init__(
        self,
        node: "Node",
        action_type: Any,
        action_name: str,
        execute_callback: Callable[[ServerGoalHandle], Any],
        *,
        callback_group: CallbackGroup | None = None,
        goal_callback: Callable[[Any], Any] | None = default_goal_callback,
        handle_accepted_callback: Callable[[ServerGoalHandle], Any] | None = default_handle_accepted_callback,
        cancel_callback: Callable[[Any], Any] | None = default_cancel_callback,
        goal_service_qos_profile: QoSProfile = qos_profile_services_default,
        result_service_qos_profile: QoSProfile = qos_profile_services_default,
        cancel_service_qos_profile: QoSProfile = qos_profile_services_default,
        feedback_pub_qos_profile: QoSProfile = qos_profile_default,
        status_pub_qos_profile: QoSProfile = qos_profile_action_status_default,
        result_timeout: float = 10,
    ) -> None:
        group = node.default_callback_group if callback_group is None else callback_group
        super().__init__(group)
        self.register_handle_accepted_callback(handle_accepted_callback)
        self.register_goal_callback(goal_callback)
        self.register_cancel_callback(cancel_callback)
        self.register_execute_callback(execute_callback)
        check_for_type_support(action_type)
        check_is_valid_action_type(action_type)
        self._node = node
        self._action_type = action_type
        self._lock = threading.Lock()
        self._status_lock = threading.Lock()
        self._goal_handles: dict[bytes, ServerGoalHandle] = {}
        self._result_futures: dict[bytes, Future[Any]] = {}
        self._logger = node.get_logger().get_child("action_server")
        self._clock = node.get_clock()
        self._timeout = None if result_timeout < 0 else int(result_timeout * S_TO_NS)
        self._handle = Handle(f"server of the action {action_name}")
        names, impl, parts = action_names(node, action_name), action_type.Impl, node._hidden_ends

        def serve(kind: Any, name: str, profile: QoSProfile) -> Service:
            return node._new_service(kind, name, _unused, profile, group, parts)

        self._goal_service = serve(impl.SendGoalService, names.send_goal, goal_service_qos_profile)
        self._cancel_service = serve(impl.CancelGoalService, names.cancel_goal, cancel_service_qos_profile)
        self._result_service = serve(impl.GetResultService, names.get_result, result_service_qos_profile)
        self._feedback = node._new_publisher(
            impl.FeedbackMessage, names.feedback, feedback_pub_qos_profile, parts
        )
        self._status = node._new_publisher(
            impl.GoalStatusMessage, names.status, status_pub_qos_profile, parts
        )
        self._expiry = node.create_timer(0.0, self._expire, group, self._clock, autostart=False)
        node._announce()
        node.add_waitable(self)

    @property
    def action_type(self) -> Any:
        """The class of the action."""
        return self._action_type

    def register_handle_accepted_callback(
        self, handle_accepted_callback: Callable[[ServerGoalHandle], Any] | None
    ) -> None:
        """Replace what is called with accepted goals; None executes them."""
        self._handle_accepted_callback = handle_accepted_callback or default_handle_accepted_callback

    def register_goal_callback(self, goal_callback: Callable[[Any], Any] | None) -> None:
        """Replace what decides on goals; None accepts them."""
        self._goal_callback = goal_callback or default_goal_callback

    def register_cancel_callback(self, cancel_callback: Callable[[Any], Any] | None) -> None:
        """Replace what decides on requests to cancel; None rejects them."""
        self._cancel_callback = cancel_callback or default_cancel_callback

    def register_execute_callback(self, execute_callback: Callable[[ServerGoalHandle], Any]) -> None:
        """Replace what executes goals; raises TypeError if it is not callable."""
        if not callable(execute_callback):
            raise TypeError("Failed to register goal execution callback: not callable")
        self._execute_callback = execute_callback

    def is_ready(self, wait_set: Any = None) -> bool:
        """Whether a request waits."""
        services = (self._goal_service, self._cancel_service, self._result_service)
        return any(service.is_ready() for service in services)

    def _asked(self, wake: Callable[[], None]) -> bool:
        return self.is_ready()

    def take_data(self) -> ServerGoalHandleDict:
        """Take a request of each kind."""
        data: ServerGoalHandleDict = {}
        with self._lock:
            if (goal := self._goal_service.take()) is not None:
                data["goal"] = goal
            if (cancel := self._cancel_service.take()) is not None:
                data["cancel"] = cancel
            if (result := self._result_service.take()) is not None:
                data["result"] = result
        return data

    async def execute(self, taken_data: ServerGoalHandleDict) -> None:
        """Answer what was taken."""
        if "goal" in taken_data:
            await self._execute_goal_request(*taken_data["goal"])
        if "cancel" in taken_data:
            await self._execute_cancel_request(*taken_data["cancel"])
        if "result" in taken_data:
            self._execute_get_result_request(*taken_data["result"])

    def get_num_entities(self) -> NumberOfEntities:
        """Three services, and a timer for results that expire."""
        return NumberOfEntities(0, 0, 1, 0, 3)

    def notify_execute(
        self, goal_handle: ServerGoalHandle, execute_callback: Callable[[ServerGoalHandle], Any] | None
    ) -> None:
        """Have the node's executor execute a goal.

        Raises
        ------
        RuntimeError
            If no executor ever spun the node.
        """
        executor = self._node.executor
        if executor is None:
            raise RuntimeError("a goal cannot be executed: no executor spins its node")
        executor.create_task(self._execute_goal, execute_callback or self._execute_callback, goal_handle)

    def notify_goal_done(self) -> None:
        """A goal has ended: its result will expire."""
        if self._timeout is None or self._handle.destroyed:
            return
        with self._lock:
            ends = [goal._ended_at for goal in self._goal_handles.values() if goal._ended_at is not None]
            if ends:
                self._expiry.timer_period_ns = max(min(ends) + self._timeout - self._now(), 0)
                self._expiry.reset()
            else:
                self._expiry.cancel()
        self._node._wake_executor()

    async def _execute_goal_request(self, request: Any, header: ServiceInfo) -> None:
        key = bytes(request.goal_id.uuid)
        info = message_class("action_msgs/msg/GoalInfo")(goal_id=request.goal_id)
        accepted = False
        if key not in self._goal_handles:
            decision = await await_or_execute(self._goal_callback, request.goal)
            if isinstance(decision, GoalResponse):
                accepted = decision == GoalResponse.ACCEPT
            else:
                self._logger.warning("The goal callback returned no GoalResponse: the goal is rejected")
        goal_handle = ServerGoalHandle(self, info, request.goal)
        if accepted:
            info.stamp = self._clock.now().to_msg()
            with self._lock:
                accepted = key not in self._goal_handles  # another thread may have accepted it meanwhile
                if accepted:
                    self._goal_handles[key] = goal_handle
                    self._result_futures[key] = Future()
        response = self._action_type.Impl.SendGoalService.Response(accepted=accepted, stamp=info.stamp)
        if accepted:
            self._publish_status()
        if self._answer(self._goal_service, response, header) and accepted:
            await await_or_execute(self._handle_accepted_callback, goal_handle)

    async def _execute_goal(
        self, execute_callback: Callable[[ServerGoalHandle], Any], goal_handle: ServerGoalHandle
    ) -> None:
        key, kind = bytes(goal_handle.goal_id.uuid), self._action_type.Result
        try:
            result = await await_or_execute(execute_callback, goal_handle)
        except Exception:
            self._logger.error(f"Error raised in execute callback: {traceback.format_exc()}")
            result = kind()
        if not isinstance(result, kind):
            self._logger.error(f"The execute callback returned {type(result).__name__} instead of a result")
            result = kind()
        if goal_handle.is_active:
            self._logger.warning(f"Goal state not set, assuming aborted. Goal ID: {key.hex()}")
            goal_handle.abort()
        response = self._action_type.Impl.GetResultService.Response(status=goal_handle.status, result=result)
        if (future := self._result_futures.get(key)) is not None:
            future.set_result(response)

    async def _execute_cancel_request(self, request: Any, header: ServiceInfo) -> None:
        with self._lock:
            meant, code = goals_meant(self._goal_handles.values(), request.goal_info)
        response = self._action_type.Impl.CancelGoalService.Response(return_code=code)
        for goal_handle in meant:
            if await await_or_execute(self._cancel_callback, goal_handle) != CancelResponse.ACCEPT:
                continue
            try:
                goal_handle._update_state(GoalEvent.CANCEL_GOAL)
            except RuntimeError:  # it has ended meanwhile
                continue
            response.goals_canceling.append(goal_handle._goal_info)
        if meant and not response.goals_canceling:
            response.return_code = REJECTED
        self._answer(self._cancel_service, response, header)

    def _execute_get_result_request(self, request: Any, header: ServiceInfo) -> None:
        key = bytes(request.goal_id.uuid)
        with self._lock:
            future = self._result_futures.get(key)
        if future is None:
            self._logger.warning(f"Sending result response for unknown or expired goal ID: {key.hex()}")
            response = self._action_type.Impl.GetResultService.Response(status=int(GoalStatus.UNKNOWN))
            self._answer(self._result_service, response, header)
            return
        future.add_done_callback(
            lambda done: None if done.cancelled() else self._send_result(done.result(), header)
        )

    def _send_result(self, response: Any, header: ServiceInfo) -> None:
        self._answer(self._result_service, response, header)

    def _answer(self, service: Service, response: Any, header: ServiceInfo) -> bool:
        try:
            service.send_response(response, header)
        except InvalidHandle:  # destroyed meanwhile
            self._logger.warning(f"Failed to answer on {service.srv_name}: the action server is destroyed")
            return False
        return True

    def _now(self) -> int:
        return self._clock.now().nanoseconds

    def _publish_status(self) -> None:
        """Tell the states of all goals that are remembered."""
        if self._status.handle.destroyed:
            return
        kind = message_class("action_msgs/msg/GoalStatus")
        with self._status_lock:  # so that the last message tells the last state
            goals = list(self._goal_handles.values())
            states = [kind(goal_info=goal._goal_info, status=goal.status) for goal in goals]
            self._status.publish(self._action_type.Impl.GoalStatusMessage(status_list=states))

    def _publish_feedback(self, message: Any) -> None:
        if not self._feedback.handle.destroyed:
            self._feedback.publish(message)

    def _expire(self) -> None:
        """Forget the goals whose results are too old."""
        assert self._timeout is not None
        oldest = self._now() - self._timeout
        with self._lock:
            goals = self._goal_handles.items()
            old = [key for key, goal in goals if goal._ended_at is not None and goal._ended_at <= oldest]
            expired = [self._goal_handles.pop(key) for key in old]
            for key in old:
                del self._result_futures[key]
        for goal_handle in expired:
            goal_handle.destroy()
        self._expiry.cancel()
        self.notify_goal_done()

    def destroy(self) -> None:
        """Accept no more goals; those there are get no result."""
        if self._handle.destroyed:
            return
        self._handle.destroy_when_not_in_use()
        for goal_handle in list(self._goal_handles.values()):
            goal_handle.destroy()
        self._result_futures.clear()
        for part in (
            self._goal_service, self._cancel_service, self._result_service, self._feedback, self._status
        ):  # fmt: skip
            part.destroy()
        self._node.destroy_timer(self._expiry)
        self._node.remove_waitable(self)
