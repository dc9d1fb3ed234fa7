"""How other nodes see and change the state of a managed node: five services and a topic below its name."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..callback_groups import CallbackGroup
from ..interfaces import service_class
from ..messages import message_class
from ..publisher import Publisher
from ..qos import QoSProfile
from .state_machine import State, StateMachine, Transition, TransitionCallbackReturn

if TYPE_CHECKING:
    from ..node import Node

_SERVICES = {
    "change_state": "ChangeState",
    "get_state": "GetState",
    "get_available_states": "GetAvailableStates",
    "get_available_transitions": "GetAvailableTransitions",
    "get_transition_graph": "GetAvailableTransitions",
}


class LifecycleServices:
    """Serves a state machine.

    Parameters
    ----------
    change : callable
        Called with the number of the transition that is asked for.
    """

    def __init__(
        self,
        node: "Node",
        group: CallbackGroup,
        change: Callable[[int], TransitionCallbackReturn],
    ) -> None:
        self._node, self._change = node, change
        self._state = message_class("lifecycle_msgs/msg/State")
        self._transition = message_class("lifecycle_msgs/msg/Transition")
        self._description = message_class("lifecycle_msgs/msg/TransitionDescription")
        self._event = message_class("lifecycle_msgs/msg/TransitionEvent")
        self.machine = StateMachine(self._tell)
        self.publisher: Publisher[Any] = node.create_publisher(
            self._event, "~/transition_event", QoSProfile(depth=10)
        )
        for name, kind in _SERVICES.items():
            callback = getattr(self, f"_{name}")
            service = node.create_service(
                service_class(f"lifecycle_msgs/srv/{kind}"), f"~/{name}", callback, callback_group=group
            )
            setattr(self.machine, f"service_{name}", service)

    def _change_state(self, request: Any, response: Any) -> Any:
        number = request.transition.id
        if request.transition.label:
            try:
                number = self.machine.get_transition_by_label(request.transition.label)
            except RuntimeError:
                response.success = False
                return response
        response.success = self._change(number) == TransitionCallbackReturn.SUCCESS
        return response

    def _get_state(self, request: Any, response: Any) -> Any:
        response.current_state.id, response.current_state.label = self.machine.current_state
        return response

    def _get_available_states(self, request: Any, response: Any) -> Any:
        response.available_states = [
            self._state(id=number, label=label) for number, label in self.machine.available_states
        ]
        return response

    def _get_available_transitions(self, request: Any, response: Any) -> Any:
        response.available_transitions = list(map(self._described, self.machine.available_transitions))
        return response

    def _get_transition_graph(self, request: Any, response: Any) -> Any:
        response.available_transitions = list(map(self._described, self.machine.transition_graph))
        return response

    def _tell(self, transition: Transition) -> None:
        if self.publisher.handle.destroyed:
            return
        told = self._described(transition)
        self.publisher.publish(
            self._event(
                timestamp=self._node.get_clock().now().nanoseconds,
                transition=told.transition,
                start_state=told.start_state,
                goal_state=told.goal_state,
            )
        )

    def _described(self, transition: Transition) -> Any:
        def message(state: State) -> Any:
            return self._state(id=state.id, label=state.label)

        return self._description(
            transition=self._transition(id=transition.id, label=transition.label),
            start_state=message(transition.start),
            goal_state=message(transition.goal),
        )
