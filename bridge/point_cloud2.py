"""Point clouds as arrays and back, as `sensor_msgs_py.point_cloud2` has it.

A cloud is a sequence of records. `PointField`s say what is in a record: name, offset, type, and how many
values, which then are called `NAME_0`, `NAME_1`, ...
"""

import sys
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
from numpy.lib.recfunctions import structured_to_unstructured, unstructured_to_structured
from numpy.typing import ArrayLike, NDArray

from .messages import Message, message_class

#: NumPy's types by the numbers of `sensor_msgs/msg/PointField`, INT8 to FLOAT64
_DTYPES = {
    number: np.dtype(name)
    for number, name in enumerate(
        ("int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"), start=1
    )
}
DUMMY_FIELD_PREFIX = "unnamed_field"  #: of fields without a name


def dtype_from_fields(fields: Iterable[Message], point_step: int | None = None) -> np.dtype[Any]:
    """The type of one record.

    Parameters
    ----------
    fields : iterable of PointField
        What is in it.
    point_step : int, optional
        Bytes of a record; by default as many as the fields need.

    Raises
    ------
    ValueError
        If a field has a type that does not exist, or two have one name.
    """
    names: list[str] = []
    offsets: list[int] = []
    formats: list[np.dtype[Any]] = []
    for number, field in enumerate(fields):
        if field.datatype not in _DTYPES:
            raise ValueError(f"field {field.name!r} is of the type {field.datatype}, which does not exist")
        dtype = _DTYPES[field.datatype]
        name = field.name or f"{DUMMY_FIELD_PREFIX}_{number}"
        for index in range(field.count):
            names.append(name if field.count == 1 else f"{name}_{index}")
            offsets.append(field.offset + index * dtype.itemsize)
            formats.append(dtype)
    if len(set(names)) != len(names):
        raise ValueError(f"all fields must have different names, got {', '.join(names)}")
    described: dict[str, Any] = {"names": names, "offsets": offsets, "formats": formats}
    if point_step is not None:
        described["itemsize"] = point_step
    made: np.dtype[Any] = np.dtype(cast(Any, described))
    return made


def read_points(
    cloud: Message,
    field_names: Sequence[str] | None = None,
    skip_nans: bool = False,
    uvs: ArrayLike | None = None,
    reshape_organized_cloud: bool = False,
) -> NDArray[Any]:
    """The points of a cloud.

    Parameters
    ----------
    cloud : PointCloud2
        That holds them.
    field_names : sequence of str, optional
        Only these fields; by default all.
    skip_nans : bool
        Leave out points of which a field is not a number.
    uvs : (n, 2) or (n,) array_like, optional
        Only the points at these columns and rows, or with these numbers.
    reshape_organized_cloud : bool
        Return (height, width) points of a cloud with rows; not together with `skip_nans` or `uvs`.

    Returns
    -------
    (n,) structured array
        One element a point.

    Raises
    ------
    ValueError
        If a field does not exist, or the data are not as long as the cloud says.
    """
    data = np.asarray(cloud.data, np.uint8)
    width, height, step = cloud.width, cloud.height, cloud.point_step
    row = max(cloud.row_step, width * step)  # rows may have something behind their points
    if data.size < row * height:
        raise ValueError(f"{height} rows of {row} bytes are {row * height}, the cloud has {data.size}")
    rows = data[: row * height].reshape(height, row)[:, : width * step]
    dtype = dtype_from_fields(cloud.fields, step)
    points = np.ascontiguousarray(rows).view(dtype).reshape(-1)
    if field_names is not None:
        unknown = set(field_names) - set(dtype.names or ())
        if unknown:
            raise ValueError(f"the cloud has no field {', '.join(sorted(unknown))}")
        points = points[list(field_names)]
    if bool(sys.byteorder != "little") != bool(cloud.is_bigendian):
        points = points.byteswap()
    if skip_nans and not cloud.is_dense:
        names = points.dtype.names or ()
        points = points[~np.any([np.isnan(points[name]) for name in names], axis=0)]
    if uvs is not None:
        chosen = np.asarray(uvs, np.int64)
        points = points[chosen[..., 1] * width + chosen[..., 0] if chosen.ndim == 2 else chosen]
    return points.reshape(height, width) if reshape_organized_cloud and height > 1 else points


def read_points_numpy(
    cloud: Message,
    field_names: Sequence[str] | None = None,
    skip_nans: bool = False,
    uvs: ArrayLike | None = None,
    reshape_organized_cloud: bool = False,
) -> NDArray[Any]:
    """As `read_points`, as an array (n, fields) of numbers.

    Raises
    ------
    ValueError
        If the fields are not all of one type.
    """
    points = read_points(cloud, field_names, skip_nans, uvs, reshape_organized_cloud)
    types = {points.dtype[name] for name in points.dtype.names or ()}
    if len(types) > 1:
        raise ValueError("the fields must be of one type; read_points takes all")
    return structured_to_unstructured(points)


def create_cloud(
    header: Message,
    fields: Sequence[Message],
    points: Iterable[Any],
    step: int | None = None,
    point_step: int | None = None,
) -> Message:
    """A cloud of points.

    Parameters
    ----------
    header : Header
        Of the cloud.
    fields : sequence of PointField
        What is in a record.
    points : (n, fields) or (height, width, fields) array_like, or a structured array
        The values.
    step, point_step : int, optional
        Bytes of a record; by default as many as the fields need.

    Raises
    ------
    ValueError
        If the points do not have as many values as the fields, or are of another type.
    """
    dtype = dtype_from_fields(fields, step if step is not None else point_step)
    array = points if isinstance(points, np.ndarray) else np.array(list(points))
    if array.dtype.names is None:
        wanted = len(dtype.names or ())
        if array.size and array.shape[-1] != wanted:
            raise ValueError(f"the fields take {wanted} values a point, got {array.shape[-1]}")
        array = unstructured_to_structured(array.reshape((*array.shape[:-1], wanted)), dtype)
    elif array.dtype != dtype:
        raise ValueError(f"the fields make records of {dtype}, the points are of {array.dtype}")
    height, width = array.shape if array.ndim == 2 else (1, array.size)
    return message_class("sensor_msgs/msg/PointCloud2")(
        header=header,
        height=height,
        width=width,
        is_dense=False,
        is_bigendian=sys.byteorder != "little",
        fields=list(fields),
        point_step=dtype.itemsize,
        row_step=dtype.itemsize * width,
        data=np.frombuffer(array.tobytes(), np.uint8),
    )


def create_cloud_xyz32(
    header: Message, points: Iterable[Any], step: int | None = None, point_step: int | None = None
) -> Message:
    """A cloud of points with x, y and z as 32-bit numbers; arguments as those of `create_cloud`."""
    kind: Any = message_class("sensor_msgs/msg/PointField")
    fields = [
        kind(name=name, offset=4 * place, datatype=kind.FLOAT32, count=1) for place, name in enumerate("xyz")
    ]
    return create_cloud(header, fields, points, step, point_step)
