"""Definitions of interfaces that `rosbags` does not know, in the language of .msg, .srv and .action files.

They state the fields, types, default values and constants of ROS 2 Jazzy, and two messages of our own.
"""

_INTEGERS = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
_MULTI_ARRAYS = ("Byte", "Float32", "Float64", *_INTEGERS)
_SCALARS = ("Bool", "Char", "String", *_MULTI_ARRAYS)

MESSAGES = {
    "tolman_msgs/msg/EventPacket": """
# Events of an event camera in one control period, by ascending time.
std_msgs/Header header
uint32 width   # of the sensor, pixels
uint32 height
int64[] t      # microseconds since the start of the episode
int16[] x      # column, 0 is leftmost
int16[] y      # row, 0 is the top
uint8[] p      # 0 darker (OFF), 1 brighter (ON)
""",
    "tolman_msgs/msg/Spikes": """
# Spikes of one control period.
std_msgs/Header header   # stamp: start of the period
uint32[] neuron          # global index
uint16[] time_ms         # since the start of the period
""",
    "nav_msgs/msg/Goals": "std_msgs/Header header\ngeometry_msgs/PoseStamped[] goals",
    "example_interfaces/msg/Empty": "",
    "example_interfaces/msg/MultiArrayDimension": "string label\nuint32 size\nuint32 stride",
    "example_interfaces/msg/MultiArrayLayout": "MultiArrayDimension[] dim\nuint32 data_offset",
    **{
        f"example_interfaces/msg/{name}MultiArray": f"MultiArrayLayout layout\n{name.lower()}[] data"
        for name in _MULTI_ARRAYS
    },
    **{f"example_interfaces/msg/{name}": f"{name.lower()} data" for name in _SCALARS},
    "example_interfaces/msg/WString": "wstring data",
}

_SET_BOOL = "bool data\n---\nbool success\nstring message"
_TRIGGER = "---\nbool success\nstring message"

SERVICES = {
    "action_msgs/srv/CancelGoal": """
GoalInfo goal_info
---
int8 ERROR_NONE=0
int8 ERROR_REJECTED=1
int8 ERROR_UNKNOWN_GOAL_ID=2
int8 ERROR_GOAL_TERMINATED=3
int8 return_code
GoalInfo[] goals_canceling
""",
    "diagnostic_msgs/srv/AddDiagnostics": "string load_namespace\n---\nbool success\nstring message",
    "diagnostic_msgs/srv/SelfTest": "---\nstring id\nbyte passed\nDiagnosticStatus[] status",
    "example_interfaces/srv/AddTwoInts": "int64 a\nint64 b\n---\nint64 sum",
    "example_interfaces/srv/SetBool": _SET_BOOL,
    "example_interfaces/srv/Trigger": _TRIGGER,
    "lifecycle_msgs/srv/ChangeState": "Transition transition\n---\nbool success",
    "lifecycle_msgs/srv/GetAvailableStates": "---\nState[] available_states",
    "lifecycle_msgs/srv/GetAvailableTransitions": "---\nTransitionDescription[] available_transitions",
    "lifecycle_msgs/srv/GetState": "---\nState current_state",
    "nav_msgs/srv/GetMap": "---\nOccupancyGrid map",
    "nav_msgs/srv/GetPlan": """
geometry_msgs/PoseStamped start
geometry_msgs/PoseStamped goal
float32 tolerance
---
Path plan
""",
    "nav_msgs/srv/LoadMap": """
string map_url
---
uint8 RESULT_SUCCESS=0
uint8 RESULT_MAP_DOES_NOT_EXIST=1
uint8 RESULT_INVALID_MAP_DATA=2
uint8 RESULT_INVALID_MAP_METADATA=3
uint8 RESULT_UNDEFINED_FAILURE=255
OccupancyGrid map
uint8 result
""",
    "nav_msgs/srv/SetMap": """
OccupancyGrid map
geometry_msgs/PoseWithCovarianceStamped initial_pose
---
bool success
""",
    "rcl_interfaces/srv/DescribeParameters": "string[] names\n---\nParameterDescriptor[] descriptors",
    "rcl_interfaces/srv/GetLoggerLevels": "string[] names\n---\nLoggerLevel[] levels",
    "rcl_interfaces/srv/GetParameterTypes": "string[] names\n---\nuint8[] types",
    "rcl_interfaces/srv/GetParameters": "string[] names\n---\nParameterValue[] values",
    "rcl_interfaces/srv/ListParameters": """
uint64 DEPTH_RECURSIVE=0
string[] prefixes
uint64 depth
---
ListParametersResult result
""",
    "rcl_interfaces/srv/SetLoggerLevels": "LoggerLevel[] levels\n---\nSetLoggerLevelsResult[] results",
    "rcl_interfaces/srv/SetParameters": "Parameter[] parameters\n---\nSetParametersResult[] results",
    "rcl_interfaces/srv/SetParametersAtomically": "Parameter[] parameters\n---\nSetParametersResult result",
    "sensor_msgs/srv/SetCameraInfo": "CameraInfo camera_info\n---\nbool success\nstring status_message",
    "std_srvs/srv/Empty": "---",
    "std_srvs/srv/SetBool": _SET_BOOL,
    "std_srvs/srv/Trigger": _TRIGGER,
    "type_description_interfaces/srv/GetTypeDescription": """
string type_name
string type_hash
bool include_type_sources true
---
bool successful
string failure_reason
TypeDescription type_description
TypeSource[] type_sources
KeyValue[] extra_information
""",
    "visualization_msgs/srv/GetInteractiveMarkers": """
---
uint64 sequence_number
InteractiveMarker[] markers
""",
}

ACTIONS = {
    "example_interfaces/action/Fibonacci": "int32 order\n---\nint32[] sequence\n---\nint32[] sequence",
}
