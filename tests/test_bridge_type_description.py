"""Texts and hashes of definitions: those of `rosbags`, and of ROS 2 where `rosbags` has none."""

from tolman.bridge import type_description, typestore
from tolman.bridge.messages import agrees, definition, known_types, message_class, type_hash

#: what rosbags can describe; before any test has added types
NARROW = sorted({*known_types()} - {"example_interfaces/msg/WString"})

#: of test_msgs, and the hash in the description that ROS 2 installs with it
WSTRINGS = """wstring wstring_value
wstring wstring_value_default1 "Hello world!"
wstring wstring_value_default2 "Hellö wörld!"
wstring wstring_value_default3 "ハローワールド"
#wstring WSTRING_CONST="Hello world!"
wstring[3] array_of_wstrings
wstring[<=3] bounded_sequence_of_wstrings
wstring[] unbounded_sequence_of_wstrings
"""
HASH = "RIHS01_5a2c8ddb2054600023b9a180652f2ba895373217cad4b1f0fc1258c9e4424a79"


def test_texts_and_hashes_are_those_of_rosbags() -> None:
    store = typestore.store()
    for name in NARROW:
        message_class(name)
        assert definition(name) == store.generate_msgdef(name, ros_version=2)[0]
        assert type_hash(name) == store.hash_rihs01(name)


def test_wide_strings_are_described_as_in_ros() -> None:
    typestore.add_text("test_msgs/msg/WStrings", WSTRINGS)
    made = message_class("test_msgs/msg/WStrings")()
    assert made.wstring_value_default3 == "ハローワールド"
    assert made.array_of_wstrings == ["", "", ""]
    assert type_hash("test_msgs/msg/WStrings") == HASH
    assert "\nwstring[<=3] bounded_sequence_of_wstrings\n" in definition("test_msgs/msg/WStrings")


def test_a_definition_with_bounds_is_read_back() -> None:
    name = "bounded_msgs/msg/Bounded"
    text = "wstring<=4 a\nwstring<=5[<=6] b\nstring<=7[8] c\nwider_msgs/Wide[] d\n"
    typestore.add_text("wider_msgs/msg/Wide", "wstring wide\n")
    typestore.add_text(name, text)
    assert definition(name).startswith(text)
    assert agrees(name, definition(name))
    assert not agrees(name, definition(name).replace("wstring<=4", "string<=4"))
    assert not agrees(name, definition(name).replace("wstring wide", "string wide"))


def test_parts_of_services_are_described_too() -> None:
    typestore.ensure("std_srvs/srv/SetBool_Event")
    text = type_description.definition("std_srvs/srv/SetBool_Event", typestore.store().fielddefs)
    assert "MSG: std_srvs/SetBool_Request\nbool data\n" in text
