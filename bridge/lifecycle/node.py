"""Nodes with a managed life, as rclpy has them."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

from ..callback_groups import CallbackGroup
from ..messages import Message
from ..node import Node
from ..publisher import Publisher
from ..qos import QoSProfile
from .managed_entity import ManagedEntity
from .publisher import LifecyclePublisher
from .services import LifecycleServices
from .state_machine import (
    ACTIVATING,
    ACTIVE,
    CLEANING_UP,
    CONFIGURING,
    DEACTIVATING,
    ERROR_PROCESSING,
    INACTIVE,
    SHUTTING_DOWN,
    UNCONFIGURED,
    StateMachine,
    TransitionCallbackReturn,
)

MsgT = TypeVar("MsgT", bound=Message)
CONFIGURE, CLEANUP, ACTIVATE, DEACTIVATE = 1, 2, 3, 4  #: numbers of transitions
_SHUTDOWN = {UNCONFIGURED: 5, INACTIVE: 6, ACTIVE: 7}


class LifecycleState(NamedTuple):
    """What callbacks of transitions are told: the state before."""

    label: str
    state_id: int


class LifecycleNodeMixin(ManagedEntity):
    """What a managed node has besides `Node`; of use only together with that.

    The default callbacks of transitions (`on_configure`, ...) call those of all managed entities, and stop at
    the first that does not succeed. Override them, and call them, to add to that.
    """

    def __init__(
        self, *, enable_communication_interface: bool = True, callback_group: CallbackGroup | None = None
    ) -> None:
        if not isinstance(enable_communication_interface, bool):
            raise TypeError(
                "enable_communication_interface must be True or False, got "
                f"{type(enable_communication_interface).__name__}"
            )
        node = self.__as_node()
        self._managed_entities: set[ManagedEntity] = set()
        self._callbacks: dict[int, Callable[[LifecycleState], TransitionCallbackReturn]] = {
            CONFIGURING.id: self.on_configure,
            CLEANING_UP.id: self.on_cleanup,
            SHUTTING_DOWN.id: self.on_shutdown,
            ACTIVATING.id: self.on_activate,
            DEACTIVATING.id: self.on_deactivate,
            ERROR_PROCESSING.id: self.on_error,
        }
        if not enable_communication_interface:
            self._state_machine = StateMachine()
            return
        group = node.default_callback_group if callback_group is None else callback_group
        served = LifecycleServices(node, group, self.__change_state)
        machine = self._state_machine = served.machine
        self._service_change_state = machine.service_change_state
        self._service_get_state = machine.service_get_state
        self._service_get_available_states = machine.service_get_available_states
        self._service_get_available_transitions = machine.service_get_available_transitions
        self._service_get_transition_graph = machine.service_get_transition_graph

    def trigger_configure(self) -> TransitionCallbackReturn:
        """Configure it."""
        return self.__change_state(CONFIGURE)

    def trigger_cleanup(self) -> TransitionCallbackReturn:
        """Undo configuring it."""
        return self.__change_state(CLEANUP)

    def trigger_shutdown(self) -> TransitionCallbackReturn:
        """End it; raises RuntimeError while another transition is under way, or after the end."""
        state = self._state_machine._state
        if state not in _SHUTDOWN:
            raise RuntimeError(f"a shutdown is not possible from the state {state.label}")
        return self.__change_state(_SHUTDOWN[state])

    def trigger_activate(self) -> TransitionCallbackReturn:
        """Activate it."""
        return self.__change_state(ACTIVATE)

    def trigger_deactivate(self) -> TransitionCallbackReturn:
        """Undo activating it."""
        return self.__change_state(DEACTIVATE)

    def add_managed_entity(self, entity: ManagedEntity) -> None:
        """Tell this of transitions, too; raises TypeError if it is no `ManagedEntity`."""
        if not isinstance(entity, ManagedEntity):
            raise TypeError("Expected a rclpy.lifecycle.ManagedEntity instance.")
        self._managed_entities.add(entity)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Tell the managed entities."""
        return self.__tell_entities("on_configure", state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Tell the managed entities."""
        return self.__tell_entities("on_cleanup", state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Tell the managed entities."""
        return self.__tell_entities("on_shutdown", state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Tell the managed entities."""
        return self.__tell_entities("on_activate", state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Tell the managed entities."""
        return self.__tell_entities("on_deactivate", state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Tell the managed entities."""
        return self.__tell_entities("on_error", state)

    def create_lifecycle_publisher(
        self,
        msg_type: type[MsgT],
        topic: str,
        qos_profile: QoSProfile | int,
        *,
        publisher_class: None = None,
        **kwargs: Any,
    ) -> LifecyclePublisher[MsgT]:
        """Make a publisher that is silent while the node is not active; arguments as of `create_publisher`.

        Raises
        ------
        TypeError
            If `publisher_class` is given; the rest as `Node.create_publisher`.
        """
        if publisher_class:
            raise TypeError("create_publisher() got an unexpected keyword argument 'publisher_class'")
        made = Node.create_publisher(
            self.__as_node(), msg_type, topic, qos_profile, publisher_class=LifecyclePublisher, **kwargs
        )
        publisher = cast(LifecyclePublisher[MsgT], made)
        self._managed_entities.add(publisher)
        return publisher

    def destroy_lifecycle_publisher(self, publisher: LifecyclePublisher[Any]) -> bool:
        """Remove a publisher of this node; False if it is not."""
        self._managed_entities.discard(publisher)
        return self.__as_node().destroy_publisher(publisher)

    def __as_node(self) -> Node:
        if not isinstance(self, Node):
            raise RuntimeError("a LifecycleNodeMixin must be a Node too: inherit from both")
        return self

    def __tell_entities(self, name: str, state: LifecycleState) -> TransitionCallbackReturn:
        for entity in list(self._managed_entities):
            if isinstance(entity, Publisher) and entity.handle.destroyed:
                self._managed_entities.discard(entity)
                continue
            outcome = getattr(entity, name)(state)
            if not isinstance(outcome, TransitionCallbackReturn):
                raise TypeError(
                    f"{name}() of {type(entity).__name__} should return a TransitionCallbackReturn, not "
                    f"{type(outcome).__name__}"
                )
            if outcome != TransitionCallbackReturn.SUCCESS:
                return outcome
        return TransitionCallbackReturn.SUCCESS

    def __change_state(self, transition_id: int) -> TransitionCallbackReturn:
        """Make a transition, and those that follow from its callback."""
        machine, logger = self._state_machine, self.__as_node().get_logger()
        number, label = machine.current_state
        before = LifecycleState(label=label, state_id=number)
        try:
            machine.trigger_transition_by_id(transition_id, True)
        except RuntimeError:
            logger.error(f"Unable to start transition {transition_id} from current state {before.label}")
            return TransitionCallbackReturn.ERROR
        outcome = self.__call_back(before)
        machine.trigger_transition_by_label(outcome.to_label(), True)
        if outcome == TransitionCallbackReturn.ERROR:
            machine.trigger_transition_by_label(self.__call_back(before).to_label(), True)
        return outcome

    def __call_back(self, before: LifecycleState) -> TransitionCallbackReturn:
        """Call the callback of the current state; what it raises, or a wrong answer, is an error."""
        state = self._state_machine._state
        try:
            outcome = self._callbacks[state.id](before)
        except Exception as error:
            self.__as_node().get_logger().error(f"{state.label}: {type(error).__name__}: {error}")
            return TransitionCallbackReturn.ERROR
        if not isinstance(outcome, TransitionCallbackReturn):
            self.__as_node().get_logger().error(
                f"{state.label}: the callback should return a TransitionCallbackReturn, not "
                f"{type(outcome).__name__}"
            )
            return TransitionCallbackReturn.ERROR
        return outcome


class LifecycleNode(LifecycleNodeMixin, Node):
    """A managed node; keywords are those of `Node`."""

    def __init__(self, node_name: str, *, enable_communication_interface: bool = True, **kwargs: Any) -> None:
        Node.__init__(self, node_name, **kwargs)
        LifecycleNodeMixin.__init__(self, enable_communication_interface=enable_communication_interface)
