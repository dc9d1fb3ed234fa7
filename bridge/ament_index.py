"""Where packages were installed, from the prefixes in $AMENT_PREFIX_PATH, as `ament_index_python` has it.

A prefix has an empty file `share/ament_index/resource_index/packages/NAME` for each package in it, and the
files of the package in `share/NAME`.
"""

import os
from pathlib import Path

ENVIRONMENT = "AMENT_PREFIX_PATH"  #: prefixes, separated as those of $PATH
_INDEX = Path("share", "ament_index", "resource_index")


class PackageNotFoundError(KeyError):
    """No prefix has the package."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


def get_search_paths() -> list[str]:
    """The prefixes that exist.

    Raises
    ------
    EnvironmentError
        If $AMENT_PREFIX_PATH is not set or empty.
    """
    prefixes = os.environ.get(ENVIRONMENT, "")
    if not prefixes:
        raise OSError(f"Environment variable '{ENVIRONMENT}' is not set or empty")
    return [prefix for prefix in prefixes.split(os.pathsep) if prefix and os.path.isdir(prefix)]


def has_resource(resource_type: str, resource_name: str) -> str:
    """The first prefix with a resource, or nothing."""
    for prefix in get_search_paths():
        if (Path(prefix) / _INDEX / _part(resource_type) / _part(resource_name)).is_file():
            return prefix
    return ""


def get_resource(resource_type: str, resource_name: str) -> tuple[str, str]:
    """What the file of a resource says, and its prefix.

    Raises
    ------
    LookupError
        If there is none.
    """
    prefix = has_resource(resource_type, resource_name)
    if not prefix:
        raise LookupError(f"Could not find the resource '{resource_name}' of type '{resource_type}'")
    return (Path(prefix) / _INDEX / resource_type / resource_name).read_text(encoding="utf-8"), prefix


def get_resources(resource_type: str) -> dict[str, str]:
    """Names of all resources of a type, with the first prefix that has each."""
    found: dict[str, str] = {}
    for prefix in get_search_paths():
        folder = Path(prefix) / _INDEX / _part(resource_type)
        if folder.is_dir():
            for file in sorted(folder.iterdir()):
                if file.is_file() and not file.name.startswith("."):
                    found.setdefault(file.name, prefix)
    return found


def get_packages_with_prefixes() -> dict[str, str]:
    """Names of all packages, with the first prefix that has each."""
    return get_resources("packages")


def get_package_prefix(package_name: str) -> str:
    """The prefix that a package was installed to.

    Raises
    ------
    PackageNotFoundError
        If none has it.
    ValueError
        If that cannot be the name of a package.
    """
    prefix = has_resource("packages", package_name)
    if not prefix:
        raise PackageNotFoundError(f"package '{package_name}' not found, searching: {get_search_paths()}")
    return prefix


def get_package_share_directory(package_name: str, print_warning: bool = True) -> str:
    """The folder of the files that came with a package; errors as those of `get_package_prefix`."""
    return str(get_package_share_path(package_name, print_warning))


def get_package_share_path(package_name: str, print_warning: bool = True) -> Path:
    """The same as a path."""
    path = Path(get_package_prefix(package_name)) / "share" / package_name
    if print_warning and not path.exists():
        print(f"the folder {path} of the package {package_name} does not exist")
    return path


def _part(name: str) -> str:
    if not name or name in (".", "..") or "/" in name or os.sep in name:
        raise ValueError(f"{name!r} cannot be the name of a resource")
    return name
