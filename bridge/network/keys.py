"""Key folders: who a process is (CURVE), which hub it trusts, and, where the hub may run, whom it admits.

    DIR/own.key              this process's key, secret          DIR/hub.pub    public key of the hub
    DIR/hub.key              the hub's key, secret: only where processes may be the hub
    DIR/authorised/NAME.pub  who may take part                   DIR/permissions.toml   and do what
    DIR/clients/NAME/        a key folder of its own for NAME, to be carried to another machine or user

A file is a line of TOML for each half, in Z85. Secrets that others can read are refused.
"""

import logging
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import zmq

from ..exceptions import KeysError
from .permissions import Permissions, read_permissions

#: environment variable that names the key folder of a process; empty or absent: no keys
ENVIRONMENT = "TOLMAN_KEYS"
LOCAL = "local"  #: name of the key of the folder that holds the hub's
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_KEY_CHARACTERS = 40

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Keys:
    """What a key folder holds; keys in Z85.

    Attributes
    ----------
    public, secret : bytes
        Of this process.
    hub_public : bytes
        Of every hub that this process talks to.
    hub_secret : bytes, optional
        None where processes may not be the hub.
    """

    folder: Path
    public: bytes
    secret: bytes = field(repr=False)
    hub_public: bytes
    hub_secret: bytes | None = field(repr=False)
    _cache: dict[str, tuple[object, object]] = field(default_factory=dict, repr=False, compare=False)

    def authorised(self) -> Mapping[bytes, str]:
        """Names by public key of those who may take part; read again when the folder changes."""
        folder = self.folder / "authorised"
        try:
            files = sorted(folder.glob("*.pub"))
            stamp = tuple((file.name, file.stat().st_mtime_ns) for file in files)
            cached = self._cache.get("authorised")
            if cached is not None and cached[0] == stamp:
                assert isinstance(cached[1], dict)
                return cached[1]
            found = {_read(file, "public"): file.stem for file in files}
        except (OSError, KeysError) as error:  # nobody is let in by mistake
            _log.warning("%s: %s; nobody is authorised", folder, error)
            return {}
        self._cache["authorised"] = stamp, found
        return found

    def permissions(self) -> Permissions | None:
        """What `permissions.toml` says; None if there is none; read again when it changes.

        Raises
        ------
        KeysError
            If it cannot be read.
        """
        path = self.folder / "permissions.toml"
        try:
            stamp = path.stat().st_mtime_ns
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeysError(f"{path}: {error.strerror or error}") from error
        cached = self._cache.get("permissions")
        if cached is None or cached[0] != stamp:
            self._cache["permissions"] = cached = stamp, read_permissions(path)
        assert isinstance(cached[1], Permissions)
        return cached[1]

    def as_client(self, socket: "zmq.Socket[bytes]") -> None:
        """Have a socket say who it is; whom it connects to is said with each connection (CURVE_SERVERKEY)."""
        socket.setsockopt(zmq.CURVE_PUBLICKEY, self.public)
        socket.setsockopt(zmq.CURVE_SECRETKEY, self.secret)

    def as_server(self, socket: "zmq.Socket[bytes]", *, hub: bool = False) -> None:
        """Have a socket that will be bound demand keys of its peers."""
        secret = self.hub_secret if hub else self.secret
        assert secret is not None
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt(zmq.CURVE_SECRETKEY, secret)
        socket.setsockopt(zmq.ZAP_DOMAIN, b"tolman")


def load(folder: str | os.PathLike[str] | None = None) -> Keys | None:
    """The keys of a folder, by default `$TOLMAN_KEYS`; None if none is named.

    Raises
    ------
    KeysError
        If something is missing or malformed, or a secret can be read by others.
    """
    if folder is None:
        folder = os.environ.get(ENVIRONMENT) or None
    if folder is None:
        return None
    path = Path(folder).absolute()
    if not path.is_dir():
        raise KeysError(f"there is no key folder {path}; make one with: tolman keys {path}")
    own, hub = path / "own.key", path / "hub.key"
    _check_secret(own)
    hub_secret = None
    if hub.exists():
        _check_secret(hub)
        hub_secret = _read(hub, "secret")
    keys = Keys(
        path, _read(own, "public"), _read(own, "secret"), _read(path / "hub.pub", "public"), hub_secret
    )
    if zmq.curve_public(keys.secret) != keys.public:
        raise KeysError(f"{own}: the two halves do not belong together")
    if hub_secret is not None:
        if zmq.curve_public(hub_secret) != keys.hub_public:
            raise KeysError(f"{hub} and hub.pub do not belong together")
        keys.permissions()
    return keys


def create(folder: Path) -> None:
    """Make a key folder with a hub's key and one of its own, which is authorised.

    Raises
    ------
    KeysError
        If there are keys already, or the folder cannot be written.
    """
    try:
        _make_folder(folder)
        _write_pair(folder, "hub", folder / "hub.pub")
        _make_folder(folder / "authorised")
        _write_pair(folder, "own", folder / "authorised" / f"{LOCAL}.pub")
    except OSError as error:
        raise KeysError(f"cannot write {error.filename or folder}: {error.strerror or error}") from error


def add_client(folder: Path, name: str) -> Path:
    """Make a key folder for `name` in `folder`/clients, and authorise it.

    Raises
    ------
    KeysError
        If `folder` holds no hub's key, or the name is taken or unfit.
    """
    if not _NAME.fullmatch(name):
        raise KeysError(f"a name has letters, digits, ., _ and - and begins with none of these, got {name!r}")
    hub = _read(folder / "hub.pub", "public")
    if not (folder / "hub.key").exists():
        raise KeysError(f"{folder} holds no hub.key: clients are made where the hub runs")
    public = folder / "authorised" / f"{name}.pub"
    client = folder / "clients" / name
    if public.exists() or client.exists():
        raise KeysError(f"{name} exists already; end it with: tolman keys {folder} --revoke {name}")
    try:
        _make_folder(folder / "clients")
        _make_folder(client)
        _write(client / "hub.pub", f'public = "{hub.decode()}"\n', secret=False)
        _write_pair(client, "own", public)
    except OSError as error:
        raise KeysError(f"cannot write {error.filename or client}: {error.strerror or error}") from error
    return client


def revoke(folder: Path, name: str) -> None:
    """Authorise `name` no more; a running hub notices.

    Raises
    ------
    KeysError
        If it was not.
    """
    try:
        (folder / "authorised" / f"{name}.pub").unlink()
    except OSError as error:
        raise KeysError(f"{folder} authorises no {name}: {error.strerror or error}") from error
    client = folder / "clients" / name
    for file in ("own.key", "hub.pub"):
        (client / file).unlink(missing_ok=True)
    if client.is_dir() and not any(client.iterdir()):
        client.rmdir()


def _make_folder(path: Path) -> None:
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True)
        path.chmod(0o700)  # whatever the umask took away


def _write_pair(folder: Path, name: str, public_file: Path) -> None:
    public, secret = (half.decode("ascii") for half in zmq.curve_keypair())
    _write(folder / f"{name}.key", f'public = "{public}"\nsecret = "{secret}"\n', secret=True)
    _write(public_file, f'public = "{public}"\n', secret=False)


def _write(path: Path, text: str, *, secret: bool) -> None:
    mode = 0o600 if secret else 0o644
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise KeysError(f"{path} exists already and is not replaced") from None
    with os.fdopen(descriptor, "w") as file:
        if os.name == "posix":
            os.fchmod(descriptor, mode)  # whatever the umask took away
        file.write(text)


def _check_secret(path: Path) -> None:
    if os.name != "posix":
        return
    try:
        status = path.stat()
    except OSError as error:
        raise KeysError(f"cannot read {path}: {error.strerror or error}") from error
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        mode = stat.S_IMODE(status.st_mode)
        raise KeysError(f"others may use the secret in {path} (mode {mode:o}): chmod 600 {path}")
    if status.st_uid not in (os.geteuid(), 0):
        raise KeysError(f"the secret in {path} belongs to another user")


def _read(path: Path, half: str) -> bytes:
    try:
        key = tomllib.loads(path.read_text("ascii")).get(half)
        if not isinstance(key, str) or len(key) != _KEY_CHARACTERS:
            raise ValueError
        zmq.utils.z85.decode(key.encode("ascii"))
    except OSError as error:
        raise KeysError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, KeyError):  # TOMLDecodeError is a ValueError
        raise KeysError(f"{path} holds no {half} key") from None
    return key.encode("ascii")
