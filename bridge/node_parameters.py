"""The parameters of a node, as rclpy has them: declared, read, set, described, and told on /parameter_events.

`Node` inherits from `NodeParameters`, whose methods are those of rclpy's Node, signature for signature.
Before a value is set, callbacks may replace it (`add_pre_set_parameters_callback`), its descriptor is asked
(`parameter_constraints`), then callbacks that may reject it (`add_on_set_parameters_callback`).
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from .exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterAlreadyDeclaredException,
    ParameterImmutableException,
    ParameterNotDeclaredException,
    ParameterUninitializedException,
)
from .messages import Message
from .parameter import PARAMETER_SEPARATOR_STRING, Parameter, rcl_message
from .parameter_constraints import RELATIVE_TOLERANCE, WRONG_TYPE, objection
from .parameter_declaration import read_declaration
from .parameter_listing import list_names
from .qos import QoSProfile, qos_profile_parameter_events

if TYPE_CHECKING:
    from .clock import Clock
    from .publisher import Publisher

    MsgT = TypeVar("MsgT", bound=Message)

Parameters = list[Parameter[Any]]
PreSetCallback = Callable[[Parameters], Parameters]  #: returns what to set instead
OnSetCallback = Callable[[Parameters], Message]  #: returns a SetParametersResult
PostSetCallback = Callable[[Parameters], None]

EVENTS_TOPIC = "/parameter_events"

#: the reason that rclpy gives, word for word: programs compare it
EMPTY_LIST = (
    "parameter list cannot be empty, this might be due to pre_set_parameters_callback modifying the original "
    "parameters list."
)


class NodeParameters:
    """The part of a node that holds its parameters; `_init_parameters` must be called once."""

    #: relative tolerance of floating-point ranges
    PARAM_REL_TOL = RELATIVE_TOLERANCE

    if TYPE_CHECKING:  # what the node has

        def get_fully_qualified_name(self) -> str: ...
        def get_clock(self) -> Clock: ...
        def create_publisher(
            self, msg_type: type[MsgT], topic: str, qos_profile: QoSProfile | int
        ) -> Publisher[MsgT]: ...

    def _init_parameters(
        self,
        *,
        parameter_overrides: Iterable[Parameter[Any]] | None = None,
        allow_undeclared_parameters: bool = False,
        automatically_declare_parameters_from_overrides: bool = False,
    ) -> None:
        """Begin. Needs publishers and the clock of the node; of two overrides of one name the last counts."""
        self._parameters: dict[str, Parameter[Any]] = {}
        self._descriptors: dict[str, Message] = {}
        self._parameter_overrides = {p.name: p for p in parameter_overrides or ()}
        self._allow_undeclared_parameters = allow_undeclared_parameters
        self._pre_set_parameters_callbacks: list[PreSetCallback] = []
        self._on_set_parameters_callbacks: list[OnSetCallback] = []
        self._post_set_parameters_callbacks: list[PostSetCallback] = []
        self._parameter_event_publisher: Publisher[Message] | None = self.create_publisher(
            rcl_message("ParameterEvent"), EVENTS_TOPIC, qos_profile_parameter_events
        )
        if automatically_declare_parameters_from_overrides:
            overrides = self._parameter_overrides.values()
            self.declare_parameters("", [(p.name, p.value) for p in overrides], ignore_override=True)

    def _stop_parameter_events(self) -> None:
        """Tell of no more changes: the publisher is about to be destroyed."""
        self._parameter_event_publisher = None

    def declare_parameter(
        self,
        name: str,
        value: Any = None,
        descriptor: Message | None = None,
        ignore_override: bool = False,
    ) -> Parameter[Any]:
        """Declare a parameter and return it, with the value it got; see `declare_parameters`."""
        if value is None and descriptor is None:
            return self.declare_parameters("", [(name,)], ignore_override)[0]
        if descriptor is None:
            descriptor = rcl_message("ParameterDescriptor")()
        return self.declare_parameters("", [(name, value, descriptor)], ignore_override)[0]

    def declare_parameters(
        self, namespace: str, parameters: list[tuple[Any, ...]], ignore_override: bool = False
    ) -> Parameters:
        """Declare several parameters.

        Parameters
        ----------
        namespace : str
            Put before each name, with a dot, unless empty.
        parameters : list of tuples
            (name, value or Parameter.Type, ParameterDescriptor), the last one or two optional. A type makes
            a parameter without a value. Type and name of the descriptor are set here.
        ignore_override : bool
            Whether to take the values as they are; otherwise those given to the node go before.

        Returns
        -------
        list of Parameter
            With the values they got.

        Raises
        ------
        ParameterAlreadyDeclaredException
            If one is declared already; then none is declared.
        InvalidParameterException
            If a name is empty.
        InvalidParameterValueException
            If a descriptor or a callback rejects a value; those before it stay declared.
        InvalidParameterTypeException
            If an override is not of the type that is declared.
        TypeError, ValueError
            If an entry is malformed.
        """
        overrides = {} if ignore_override else self._parameter_overrides
        entries = [read_declaration(tuple(p), i, namespace, overrides) for i, p in enumerate(parameters)]
        # As in rclpy, a name that comes twice counts once, with what comes last.
        if known := [entry.parameter.name for entry in entries if entry.parameter.name in self._parameters]:
            raise ParameterAlreadyDeclaredException(known)
        descriptors = {entry.parameter.name: entry.descriptor for entry in entries}
        for parameter, _ in entries:
            descriptor = descriptors[parameter.name]
            result = self._set_and_tell([parameter], {parameter.name: descriptor}, keep_unset=True)
            if result.successful:
                continue
            if result.reason.startswith(WRONG_TYPE):
                raise InvalidParameterTypeException(parameter, Parameter.Type(int(descriptor.type)).name)
            raise InvalidParameterValueException(parameter.name, parameter.value, result.reason)
        return [self._parameters[entry.parameter.name] for entry in entries]

    def undeclare_parameter(self, name: str) -> None:
        """Remove a parameter; no callback is called.

        Raises
        ------
        ParameterNotDeclaredException
            If there is none.
        ParameterImmutableException
            If it is read-only.
        """
        if not self.has_parameter(name):
            raise ParameterNotDeclaredException(name)
        if self._descriptors[name].read_only:
            raise ParameterImmutableException(name)
        del self._parameters[name], self._descriptors[name]

    def has_parameter(self, name: str) -> bool:
        """Whether a parameter is declared."""
        return name in self._parameters

    def get_parameter_types(self, names: list[str]) -> list[Parameter.Type]:
        """The types of several parameters; see `get_parameter_type`. TypeError for a name that is no str."""
        _check_names(names)
        return [self.get_parameter_type(name) for name in names]

    def get_parameter_type(self, name: str) -> Parameter.Type:
        """The type of a parameter's value, NOT_SET if it has none.

        Raises
        ------
        ParameterNotDeclaredException
            If it is not declared, on a node that demands it.
        """
        if self.has_parameter(name):
            return self._parameters[name].type_
        if self._allow_undeclared_parameters:
            return Parameter.Type.NOT_SET
        raise ParameterNotDeclaredException(name)

    def get_parameters(self, names: list[str]) -> Parameters:
        """Several parameters; see `get_parameter`. TypeError for a name that is no str."""
        _check_names(names)
        return [self.get_parameter(name) for name in names]

    def get_parameter(self, name: str) -> Parameter[Any]:
        """A parameter; one that is not set where it is not declared and need not be.

        Raises
        ------
        ParameterNotDeclaredException
            If it is not declared, on a node that demands it.
        ParameterUninitializedException
            If it has a fixed type and no value yet.
        """
        if not self.has_parameter(name):
            if self._allow_undeclared_parameters:
                return Parameter(name)
            raise ParameterNotDeclaredException(name)
        parameter = self._parameters[name]
        if parameter.type_ == Parameter.Type.NOT_SET and not self._descriptors[name].dynamic_typing:
            raise ParameterUninitializedException(name)
        return parameter

    def get_parameter_or(self, name: str, alternative_value: Parameter[Any] | None = None) -> Parameter[Any]:
        """A parameter, or the alternative where it has no value; without one, a parameter that is not set."""
        parameter = self._parameters.get(name)
        if parameter is not None and parameter.type_ != Parameter.Type.NOT_SET:
            return parameter
        return Parameter(name) if alternative_value is None else alternative_value

    def get_parameters_by_prefix(self, prefix: str) -> dict[str, Parameter[Any]]:
        """The parameters `prefix.*` by what follows the dot; all of them if the prefix is empty."""
        start = f"{prefix}{PARAMETER_SEPARATOR_STRING}" if prefix else ""
        return {
            name[len(start) :]: parameter
            for name, parameter in self._parameters.items()
            if name.startswith(start)
        }

    def list_parameters(self, prefixes: list[str], depth: int) -> Message:
        """Names of parameters and their prefixes, as a ListParametersResult.

        Parameters
        ----------
        prefixes : list of str
            Only parameters of these names or below them. Empty: all.
        depth : int
            How many parts a name may have below the prefix. 0: any number.

        Raises
        ------
        TypeError, ValueError
            If an argument is of another type, or the depth negative.
        """
        return list_names(self._parameters, prefixes, depth)

    def set_parameters(self, parameter_list: Parameters) -> list[Message]:
        """Set parameters one after the other; a SetParametersResult for each.

        A parameter without a value is removed, if its typing is dynamic.

        Raises
        ------
        ParameterNotDeclaredException
            If one is not declared, on a node that demands it; those before it stay set.
        TypeError
            If one is no Parameter.
        """
        return [self.set_parameters_atomically([parameter]) for parameter in parameter_list]

    def set_parameters_atomically(self, parameter_list: Parameters) -> Message:
        """Set all parameters or, if one is rejected, none; one SetParametersResult for all.

        Raises as `set_parameters`.
        """
        if self._pre_set_parameters_callbacks:
            callbacks = list(self._pre_set_parameters_callbacks)
            parameter_list = [p for callback in callbacks for p in callback(parameter_list)]
            if not parameter_list:
                return _result(EMPTY_LIST)
        for parameter in parameter_list:
            if not isinstance(parameter, Parameter):
                raise TypeError(f"parameter must be an instance of {Parameter!r}, got {parameter!r}")
        undeclared = [p.name for p in parameter_list if p.name not in self._parameters]
        if undeclared and not self._allow_undeclared_parameters:
            raise ParameterNotDeclaredException(undeclared)
        return self._set_and_tell(parameter_list)

    def _set_and_tell(
        self,
        parameter_list: Parameters,
        descriptors: dict[str, Message] | None = None,
        *,
        keep_unset: bool = False,
    ) -> Message:
        """Set what descriptors and callbacks allow, publish it, call those who want to know.

        With `descriptors`, these replace the present ones, and read-only ones do not object; with
        `keep_unset`, a parameter without a value is stored, not removed.
        """
        demands = self._descriptors if descriptors is None else descriptors
        for parameter in parameter_list:
            if parameter.name in demands:
                reason = self._objection(parameter, demands[parameter.name], descriptors is None)
                if reason:
                    return _result(reason)
        for callback in list(self._on_set_parameters_callbacks):
            result = callback(parameter_list)
            if not result.successful:
                return result
        event = rcl_message("ParameterEvent")(node=self.get_fully_qualified_name())
        for parameter in parameter_list:
            if parameter.type_ == Parameter.Type.NOT_SET and not keep_unset:
                self._parameters.pop(parameter.name, None)
                self._descriptors.pop(parameter.name, None)
                event.deleted_parameters.append(parameter.to_parameter_msg())
                continue
            if descriptors is not None:
                self._descriptors[parameter.name] = descriptors[parameter.name]
            elif parameter.name not in self._descriptors:
                dynamic = rcl_message("ParameterDescriptor")(
                    name=parameter.name, type=int(parameter.type_), dynamic_typing=True
                )
                self._descriptors[parameter.name] = dynamic
            is_new = self.get_parameter_or(parameter.name).type_ == Parameter.Type.NOT_SET
            told = event.new_parameters if is_new else event.changed_parameters
            told.append(parameter.to_parameter_msg())
            self._parameters[parameter.name] = parameter
        event.stamp = self.get_clock().now().to_msg()
        if self._parameter_event_publisher is not None:
            self._parameter_event_publisher.publish(event)
        for tell in list(self._post_set_parameters_callbacks):
            tell(parameter_list)
        return _result()

    def _objection(self, parameter: Parameter[Any], descriptor: Message, check_read_only: bool) -> str:
        return objection(
            parameter,
            descriptor,
            declared=self.has_parameter(parameter.name),
            check_read_only=check_read_only,
            tolerance=self.PARAM_REL_TOL,
        )

    def add_pre_set_parameters_callback(self, callback: PreSetCallback) -> None:
        """Call this first when parameters are set, not when declared: it returns what to set instead."""
        self._pre_set_parameters_callbacks.insert(0, callback)

    def add_on_set_parameters_callback(self, callback: OnSetCallback) -> None:
        """Call this before parameters are set or declared: its SetParametersResult may reject them."""
        self._on_set_parameters_callbacks.insert(0, callback)

    def add_post_set_parameters_callback(self, callback: PostSetCallback) -> None:
        """Call this after parameters were set or declared."""
        self._post_set_parameters_callbacks.insert(0, callback)

    def remove_pre_set_parameters_callback(self, callback: PreSetCallback) -> None:
        """Undo `add_pre_set_parameters_callback`; ValueError if there is nothing to undo."""
        self._pre_set_parameters_callbacks.remove(callback)

    def remove_on_set_parameters_callback(self, callback: OnSetCallback) -> None:
        """Undo `add_on_set_parameters_callback`; ValueError if there is nothing to undo."""
        self._on_set_parameters_callbacks.remove(callback)

    def remove_post_set_parameters_callback(self, callback: PostSetCallback) -> None:
        """Undo `add_post_set_parameters_callback`; ValueError if there is nothing to undo."""
        self._post_set_parameters_callbacks.remove(callback)

    def describe_parameter(self, name: str) -> Message:
        """The ParameterDescriptor of a parameter; an empty one where it is not declared and need not be.

        Raises
        ------
        ParameterNotDeclaredException
            If it is not declared, on a node that demands it.
        """
        if name in self._descriptors:
            return self._descriptors[name]
        if self._allow_undeclared_parameters:
            return rcl_message("ParameterDescriptor")()
        raise ParameterNotDeclaredException(name)

    def describe_parameters(self, names: list[str]) -> list[Message]:
        """The descriptors of several parameters; see `describe_parameter`."""
        return [self.describe_parameter(name) for name in names]

    def set_descriptor(
        self, name: str, descriptor: Message, alternative_value: Message | None = None
    ) -> Message:
        """Replace the descriptor of a parameter; its name is set here.

        Parameters
        ----------
        name : str
        descriptor : Message
            A ParameterDescriptor.
        alternative_value : Message, optional
            A ParameterValue, taken if the descriptor does not allow the present one.

        Returns
        -------
        Message
            The ParameterValue that the parameter then has.

        Raises
        ------
        ParameterNotDeclaredException
            If it is not declared, on a node that demands it.
        ParameterImmutableException
            If it is read-only.
        InvalidParameterValueException
            If the descriptor allows neither value.
        """
        if not self.has_parameter(name):
            if self._allow_undeclared_parameters:
                return self.get_parameter(name).get_parameter_value()
            raise ParameterNotDeclaredException(name)
        if self._descriptors[name].read_only:
            raise ParameterImmutableException(name)
        parameter = self.get_parameter(name)
        reason = self._objection(parameter, descriptor, False)
        if reason and alternative_value is not None:
            message = rcl_message("Parameter")(name=name, value=alternative_value)
            parameter = Parameter.from_parameter_msg(message)
            reason = self._objection(parameter, descriptor, False)
        if reason:
            raise InvalidParameterValueException(name, parameter.value, reason)
        self._parameters[name], self._descriptors[name] = parameter, descriptor
        return parameter.get_parameter_value()


def _check_names(names: list[str]) -> None:
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"names of parameters must be of type str, got {names!r}")


def _result(reason: str = "") -> Message:
    return rcl_message("SetParametersResult")(successful=not reason, reason=reason)
