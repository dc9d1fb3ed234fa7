"""Services and actions: classes that hold the messages they are made of, as rclpy's generated ones do."""

import functools
from typing import ClassVar, NoReturn

from . import typestore
from .messages import Message, message_class, python_module
from .type_description import rihs01


class _Interface:
    """What is asked for by name and never instantiated."""

    TYPE_NAME: ClassVar[str]  #: such as `std_srvs/srv/SetBool`
    _TYPE_SUPPORT: ClassVar[object]  #: not None: the type can be used

    def __init__(self) -> None:
        self._refuse()

    @classmethod
    def _refuse(cls) -> NoReturn:
        kind = "Service" if issubclass(cls, Service) else "Action"
        raise NotImplementedError(f"{kind} classes can not be instantiated")

    @classmethod
    def __import_type_support__(cls) -> None:
        """Nothing to import: here every type is usable from the start."""


class Service(_Interface):
    """Base of all service classes."""

    Request: ClassVar[type[Message]]
    Response: ClassVar[type[Message]]
    Event: ClassVar[type[Message]]


class ActionImpl:
    """The services and topics that an action consists of."""

    SendGoalService: ClassVar[type[Service]]
    GetResultService: ClassVar[type[Service]]
    CancelGoalService: ClassVar[type[Service]]
    FeedbackMessage: ClassVar[type[Message]]
    GoalStatusMessage: ClassVar[type[Message]]


class Action(_Interface):
    """Base of all action classes."""

    Goal: ClassVar[type[Message]]
    Result: ClassVar[type[Message]]
    Feedback: ClassVar[type[Message]]
    Impl: ClassVar[type[ActionImpl]]


def known_services() -> list[str]:
    """Names of all services, sorted."""
    return typestore.names("srv")


def known_actions() -> list[str]:
    """Names of all actions, sorted."""
    return typestore.names("action")


def service_class(name: str) -> type[Service]:
    """The class of a service: its `Request`, `Response` and `Event` are message classes.

    Parameters
    ----------
    name : str
        Such as `std_srvs/srv/SetBool` or `std_srvs/SetBool`.

    Raises
    ------
    ValueError
        If there is no such service.
    """
    return _service_class(typestore.canonical_name(name, "srv"))


def action_class(name: str) -> type[Action]:
    """The class of an action: `Goal`, `Result`, `Feedback`, and in `Impl` what carries them.

    Parameters
    ----------
    name : str
        Such as `example_interfaces/action/Fibonacci` or `example_interfaces/Fibonacci`.

    Raises
    ------
    ValueError
        If there is no such action.
    """
    return _action_class(typestore.canonical_name(name, "action"))


@functools.cache
def _service_class(name: str) -> type[Service]:
    if not typestore.ensure(f"{name}_Request") or not typestore.ensure(f"{name}_Event"):
        raise ValueError(f"unknown service type {name!r}; known_services() lists those that exist")
    parts = {part: message_class(f"{name}_{part}") for part in ("Request", "Response", "Event")}
    return type(name.rsplit("/", 1)[1], (Service,), _namespace("Service", name) | parts)


@functools.cache
def _action_class(name: str) -> type[Action]:
    if not typestore.ensure(f"{name}_SendGoal_Request"):
        raise ValueError(f"unknown action type {name!r}; known_actions() lists those that exist")
    parts: dict[str, object] = {
        part: message_class(f"{name}_{part}") for part in ("Goal", "Result", "Feedback")
    }
    parts["Impl"] = type(
        f"{name.rsplit('/', 1)[1]}_Impl",
        (ActionImpl,),
        {
            "__doc__": f"What carries the action {name}.",
            "__module__": python_module(name),
            "SendGoalService": service_class(f"{name}_SendGoal"),
            "GetResultService": service_class(f"{name}_GetResult"),
            "CancelGoalService": service_class("action_msgs/srv/CancelGoal"),
            "FeedbackMessage": message_class(f"{name}_FeedbackMessage"),
            "GoalStatusMessage": message_class("action_msgs/msg/GoalStatusArray"),
        },
    )
    return type(name.rsplit("/", 1)[1], (Action,), _namespace("Action", name) | parts)


def _namespace(kind: str, name: str) -> dict[str, object]:
    return {
        "__doc__": f"{kind} {name}.",
        "__module__": python_module(name),
        "TYPE_NAME": name,
        "_TYPE_SUPPORT": name,
    }


@functools.cache
def interface_hash(interface: type[Service] | type[Action]) -> str:
    """RIHS01 hash (REP 2016) of a service or action: `RIHS01_` and 64 hexadecimal digits."""
    return rihs01(interface.TYPE_NAME, typestore.store().fielddefs)
