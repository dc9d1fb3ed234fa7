"""Point clouds from arrays and back, with the layouts of records that sensors use."""

import numpy as np
import pytest
from tolman.bridge.messages import Message, deserialize, message_class, serialize
from tolman.bridge.point_cloud2 import (
    create_cloud,
    create_cloud_xyz32,
    dtype_from_fields,
    read_points,
    read_points_numpy,
)

FIELD = message_class("sensor_msgs/msg/PointField")
HEADER = message_class("std_msgs/msg/Header")(frame_id="map")
POINTS = np.arange(24, dtype=np.float32).reshape(8, 3)


def fields(*described: tuple[str, int, int, int]) -> list[Message]:
    return [FIELD(name=n, offset=o, datatype=d, count=c) for n, o, d, c in described]


def test_points_survive_the_wire() -> None:
    cloud = create_cloud_xyz32(HEADER, POINTS)
    assert (cloud.width, cloud.height, cloud.point_step, cloud.row_step) == (8, 1, 12, 96)
    back = deserialize(serialize(cloud), type(cloud))
    np.testing.assert_array_equal(read_points_numpy(back), POINTS)
    assert read_points(back)["y"].tolist() == POINTS[:, 1].tolist()
    np.testing.assert_array_equal(read_points_numpy(back, ["z", "x"]), POINTS[:, [2, 0]])


def test_records_may_have_gaps_several_types_and_fields_of_many_values() -> None:
    layout = fields(("x", 0, FIELD.FLOAT64, 1), ("ring", 8, FIELD.UINT16, 1), ("rgb", 12, FIELD.UINT8, 3))
    dtype = dtype_from_fields(layout, 16)
    assert dtype.itemsize == 16
    assert dtype.names == ("x", "ring", "rgb_0", "rgb_1", "rgb_2")
    records = np.zeros(2, dtype)
    records["x"], records["ring"], records["rgb_1"] = (1.5, -2.5), (7, 65535), (1, 255)
    cloud = create_cloud(HEADER, layout, records, 16)
    read = read_points(cloud)
    assert read.tolist() == records.tolist()
    with pytest.raises(ValueError, match="one type"):
        read_points_numpy(cloud)


def test_what_is_not_a_number_and_what_is_not_asked_for_is_left_out() -> None:
    points = POINTS.copy()
    points[3, 1] = np.nan
    cloud = create_cloud_xyz32(HEADER, points.tolist())
    assert len(read_points(cloud, skip_nans=True)) == 7
    assert len(read_points(cloud, ["x"], skip_nans=True)) == 8
    assert read_points(cloud, ["x"], uvs=[5, 1])["x"].tolist() == [15.0, 3.0]


def test_organised_clouds_keep_their_rows() -> None:
    cloud = create_cloud_xyz32(HEADER, POINTS.reshape(2, 4, 3))
    assert (cloud.height, cloud.width) == (2, 4)
    assert read_points(cloud, reshape_organized_cloud=True)["x"].shape == (2, 4)
    assert read_points(cloud, uvs=[[1, 1]])["x"].tolist() == [15.0]  # column 1 of row 1
    cloud.data = np.insert(cloud.data, [48] * 8, 0)  # eight bytes behind the first row
    cloud.data = np.append(cloud.data, np.zeros(8, np.uint8))
    cloud.row_step = 56
    np.testing.assert_array_equal(read_points_numpy(cloud), POINTS)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="does not exist"):
        dtype_from_fields(fields(("x", 0, 9, 1)))
    with pytest.raises(ValueError, match="different names"):
        dtype_from_fields(fields(("x", 0, 7, 1), ("x", 4, 7, 1)))
    with pytest.raises(ValueError, match="3 values"):
        create_cloud_xyz32(HEADER, [[1.0, 2.0]])
    cloud = create_cloud_xyz32(HEADER, POINTS)
    cloud.width = 9
    with pytest.raises(ValueError, match="108"):
        read_points(cloud)
    with pytest.raises(ValueError, match="no field w"):
        read_points(create_cloud_xyz32(HEADER, POINTS), ["x", "w"])
