"""What a descriptor demands of a parameter: its type, a range, that it stays as it is."""

import math
from typing import Any

from .messages import Message
from .parameter import Parameter

#: relative tolerance of comparisons with the ends and steps of a range. rclpy, Node.PARAM_REL_TOL
RELATIVE_TOLERANCE = 1e-6

#: how a reason begins that is about the type
WRONG_TYPE = "Wrong parameter type"


def objection(
    parameter: Parameter[Any],
    descriptor: Message,
    *,
    declared: bool,
    check_read_only: bool,
    tolerance: float = RELATIVE_TOLERANCE,
) -> str:
    """Why a parameter must not get this value; empty if it may.

    Parameters
    ----------
    parameter : Parameter
        With the new value.
    descriptor : Message
        A ParameterDescriptor. Name, and type where typing is dynamic, are set to those of the parameter.
    declared : bool
        Whether it exists already.
    check_read_only : bool
        Whether to object to a change of what is read-only.
    tolerance : float
        Relative tolerance of floating-point ranges.
    """
    descriptor.name = parameter.name
    if check_read_only and descriptor.read_only:
        return f"Trying to set a read-only parameter: {parameter.name}."
    if descriptor.dynamic_typing:
        descriptor.type = int(parameter.type_)
    elif parameter.type_ == Parameter.Type.NOT_SET:
        if declared:
            return "Static parameter cannot be undeclared"
    elif parameter.type_ != descriptor.type:
        expected = Parameter.Type(int(descriptor.type)).name
        return f"{WRONG_TYPE}, expected {expected}, got {parameter.type_.name}"
    if parameter.type_ == Parameter.Type.INTEGER and descriptor.integer_range:
        return _outside_integers(parameter, descriptor.integer_range[0])
    if parameter.type_ == Parameter.Type.DOUBLE and descriptor.floating_point_range:
        return _outside_floats(parameter, descriptor.floating_point_range[0], tolerance)
    return ""


def _outside_integers(parameter: Parameter[int], allowed: Message) -> str:
    low, high = sorted((allowed.from_value, allowed.to_value))
    value = parameter.value
    if value in (low, high):  # the ends are right whatever the step
        return ""
    if not low < value < high:
        return f"Parameter {parameter.name} out of range, min: {low}, max: {high}, value: {value}"
    if allowed.step and (value - low) % allowed.step:
        return (
            f"The value of parameter {parameter.name} is no valid step, min: {low}, max: {high}, "
            f"value: {value}, step: {allowed.step}"
        )
    return ""


def _outside_floats(parameter: Parameter[float], allowed: Message, tolerance: float) -> str:
    low, high = sorted((allowed.from_value, allowed.to_value))
    value = parameter.value
    if any(math.isclose(value, end, rel_tol=tolerance) for end in (low, high)):
        return ""
    if not low < value < high:  # also for a NaN
        return f"Parameter {parameter.name} out of range, min: {low}, max: {high}, value: {value}"
    if allowed.step:
        nearest = low + round((value - low) / allowed.step) * allowed.step
        if not math.isclose(nearest, value, rel_tol=tolerance):
            return (
                f"The value of parameter {parameter.name} is not close enough to a valid step, "
                f"min: {low}, max: {high}, value: {value}, step: {allowed.step}"
            )
    return ""
