"""Where processes meet: `tcp://127.0.0.1:PORT`; beyond the loopback interface only with keys or if asked."""

import ipaddress
import os
import socket
from typing import NamedTuple
from urllib.parse import urlsplit

from ..exceptions import EndpointError
from ..network import keys

#: environment variable that overrides the default endpoint
ENVIRONMENT = "TOLMAN_ENDPOINT"
#: environment variable that, as 1, allows addresses of the network without keys
INSECURE = "TOLMAN_INSECURE"
#: Tolman, E. C. (1948), Cognitive maps in rats and men; below the ephemeral ports. A domain id is added.
DEFAULT_PORT = 11948
DEFAULT_ENDPOINT = f"tcp://127.0.0.1:{DEFAULT_PORT}"
MAX_DOMAIN_ID = 232


class Endpoint(NamedTuple):
    """A TCP address."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The form ZeroMQ takes."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return ipaddress.ip_address(self.host).is_loopback

    @property
    def own_host(self) -> str:
        """The address of this machine at which those who meet there reach it."""
        if self.is_loopback:
            return self.host
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((self.host, self.port))  # sends nothing: it only picks a route
            except OSError as error:
                raise EndpointError(f"there is no way to {self.url}: {error.strerror or error}") from error
            return str(probe.getsockname()[0])


def insecure() -> bool:
    """Whether `$TOLMAN_INSECURE` allows addresses of the network without keys."""
    return os.environ.get(INSECURE, "") not in ("", "0")


def parse(text: str, *, anywhere: bool | None = None) -> Endpoint:
    """Read and check an endpoint.

    Parameters
    ----------
    text : str
        `tcp://127.0.0.1:PORT`, `tcp://localhost:PORT`, `tcp://[::1]:PORT`, or the same without `tcp://`.
    anywhere : bool, optional
        Whether it may lie beyond the loopback interface; by default if there are keys in the environment, or
        leave to do without.

    Raises
    ------
    EndpointError
        If it is malformed, or no loopback address where traffic is neither encrypted nor authenticated.
    """
    if anywhere is None:
        anywhere = insecure() or bool(os.environ.get(keys.ENVIRONMENT))
    wanted = "an endpoint looks like tcp://127.0.0.1:11948"
    try:
        parts = urlsplit(text if "://" in text else f"tcp://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise EndpointError(f"cannot read the endpoint {text!r}: {wanted}") from None
    if parts.scheme != "tcp" or not host or not port or parts.path or parts.query or parts.username:
        raise EndpointError(f"cannot read the endpoint {text!r}: {wanted}")
    host = "127.0.0.1" if host == "localhost" else host
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is None or not (anywhere or address.is_loopback):
        raise EndpointError(
            f"endpoint {text!r} is not on the loopback interface; use 127.0.0.1, ::1 or localhost, or keys "
            "(tolman keys, docs/security.md), or --insecure for neither encryption nor authentication"
        )
    if address.is_unspecified or address.is_multicast:
        raise EndpointError(f"endpoint {text!r} is no address of one machine; name the one to meet at")
    return Endpoint(host, port)


def resolve(endpoint: str | None = None, domain_id: int = 0, *, anywhere: bool | None = None) -> Endpoint:
    """The endpoint to use: the argument, else $TOLMAN_ENDPOINT, else the default of `domain_id` (0..232).

    Raises
    ------
    EndpointError
        As `parse`, and for a domain id out of range.
    """
    if endpoint is None:
        endpoint = os.environ.get(ENVIRONMENT) or None
    if endpoint is not None:
        return parse(endpoint, anywhere=anywhere)
    if not 0 <= domain_id <= MAX_DOMAIN_ID:
        raise EndpointError(f"the domain id must be in 0..{MAX_DOMAIN_ID}, got {domain_id}")
    return Endpoint("127.0.0.1", DEFAULT_PORT + domain_id)
