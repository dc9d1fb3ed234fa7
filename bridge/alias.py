"""The bridge under the names that a node written for ROS 2 imports: `rclpy`, `std_msgs.msg`, ...

Only on request: `install()`, or `python -m tolman.bridge your_node.py`. What can really be imported is left
alone, unless forced. `rclpy.node` and `tolman.bridge.node` are then one and the same module.
"""

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

from . import interface_files, typestore
from .interfaces import action_class, service_class
from .messages import message_class, python_module

_BRIDGE = __package__ or "tolman.bridge"

#: modules of rclpy whose contents are elsewhere in the bridge, unless the bridge has one by that name
ELSEWHERE = {
    "clock_type": "clock",
    "impl.logging_severity": "logging",
    "impl.rcutils_logger": "logging",
    "qos_event": "event_handler",
}

#: modules of other packages that nodes import, and what has them here; a package of modules alone has none
PYTHON_PACKAGES = {
    "ament_index_python": "ament_index",
    "ament_index_python.packages": "ament_index",
    "sensor_msgs_py": None,
    "sensor_msgs_py.point_cloud2": "point_cloud2",
}

_CLASSES: dict[str, Callable[[str], type]] = {
    "msg": message_class,
    "srv": service_class,
    "action": action_class,
}


def install(force: bool = False) -> None:
    """Let `rclpy` mean the bridge, and the packages of known interfaces their classes.

    The folders in $TOLMAN_INTERFACES are added first (see `interface_files.add_interfaces`).

    Parameters
    ----------
    force : bool
        Also where a real `rclpy`, or a real package of interfaces, could be imported.

    Raises
    ------
    ValueError
        If a folder in $TOLMAN_INTERFACES cannot be used.
    """
    interface_files.add_from_environment()
    remove()
    sys.meta_path.insert(0, _Finder(force))


def remove() -> None:
    """Undo `install`; modules that were imported already stay with those who have them."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    for name, module in list(sys.modules.items()):
        is_ours = name.split(".")[0] == "rclpy" or name in PYTHON_PACKAGES
        is_bridge = is_ours and f"{module.__name__}.".startswith(f"{_BRIDGE}.")
        if is_bridge or isinstance(module, _Package):
            del sys.modules[name]


class _Package(ModuleType):
    """A package of interfaces, or a module of it; the classes are made when first asked for."""

    def __init__(self, name: str, doc: str, classes: dict[str, str]) -> None:
        super().__init__(name, doc)
        self._classes = classes  # name of the class to full name of the interface
        self.__all__ = sorted(classes)

    def __getattr__(self, name: str) -> type:
        full_name = self.__dict__.get("_classes", {}).get(name)
        if full_name is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        made = _CLASSES[full_name.split("/")[1]](full_name)
        setattr(self, name, made)
        return made

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__all__})


class _Finder(MetaPathFinder):
    def __init__(self, force: bool) -> None:
        self._force = force

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        root, _, rest = fullname.partition(".")
        if root == "rclpy":
            return self._bridge_module(fullname, rest)
        if fullname in PYTHON_PACKAGES:
            return self._python_package(fullname, path)
        package = _interface_package(fullname)
        if package is None or (not self._force and self._is_real(fullname, path)):
            return None
        return ModuleSpec(fullname, _Given(package), is_package=fullname.count(".") < 2)

    def _bridge_module(self, fullname: str, rest: str) -> ModuleSpec | None:
        if not rest:
            if not self._force and self._is_real(fullname, None):
                return None
            return ModuleSpec(fullname, _Given(importlib.import_module(_BRIDGE)), is_package=True)
        if sys.modules.get("rclpy") is not sys.modules[_BRIDGE]:
            return None
        own = f"{_BRIDGE}.{rest}"
        if not _exists(own):
            if rest not in ELSEWHERE:
                raise ModuleNotFoundError(f"the bridge has no module {fullname}", name=fullname)
            own = f"{_BRIDGE}.{ELSEWHERE[rest]}"
        return ModuleSpec(fullname, _Given(importlib.import_module(own)))

    def _python_package(self, fullname: str, path: Sequence[str] | None) -> ModuleSpec | None:
        if not self._force and self._is_real(fullname, path):
            return None
        own = PYTHON_PACKAGES[fullname]
        if own is None:
            module: ModuleType = _Package(fullname, f"What the bridge has of {fullname}.", {})
        else:
            module = importlib.import_module(f"{_BRIDGE}.{own}")
        return ModuleSpec(fullname, _Given(module), is_package="." not in fullname)

    def _is_real(self, fullname: str, path: Sequence[str] | None) -> bool:
        """Whether another finder has the module; a folder without code that merely has the name is none."""
        for finder in sys.meta_path:
            if finder is not self:
                spec = finder.find_spec(fullname, path)
                if spec is not None and spec.origin is not None:
                    return True
        return False


class _Given(Loader):
    """Hands out a module that exists already, and leaves it as it is."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        if self._spec is not None:  # the import system has put its own in place
            module.__spec__ = self._spec


def _exists(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # the module above is none either
        return False


def _interface_package(fullname: str) -> _Package | None:
    """The module `std_msgs`, `std_msgs.msg` or `std_msgs.msg._string`, if there are such interfaces."""
    parts = fullname.split(".")
    if len(parts) > 3 or (len(parts) > 1 and parts[1] not in _CLASSES):
        return None
    kinds = parts[1:2] or list(_CLASSES)
    names = [name for kind in kinds for name in typestore.names(kind) if name.split("/")[0] == parts[0]]
    if len(parts) == 3:
        names = [name for name in names if python_module(name) == fullname]
    if not names:
        return None
    classes = {} if len(parts) == 1 else {name.split("/")[2]: name for name in names}
    return _Package(fullname, f"Interfaces of {parts[0]}.", classes)
