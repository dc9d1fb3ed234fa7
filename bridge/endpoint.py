"""Where processes meet: `tcp://127.0.0.1:PORT`, on the loopback interface and nowhere else."""

import ipaddress
import os
from typing import NamedTuple
from urllib.parse import urlsplit

from .exceptions import EndpointError

#: environment variable that overrides the default endpoint
ENVIRONMENT = "TOLMAN_ENDPOINT"
#: Tolman, E. C. (1948), Cognitive maps in rats and men; below the ephemeral ports. A domain id is added.
DEFAULT_PORT = 11948
DEFAULT_ENDPOINT = f"tcp://127.0.0.1:{DEFAULT_PORT}"
MAX_DOMAIN_ID = 232


class Endpoint(NamedTuple):
    """A TCP address on the loopback interface."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The form ZeroMQ takes."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"


def parse(text: str) -> Endpoint:
    """Read and check an endpoint.

    Parameters
    ----------
    text : str
        `tcp://127.0.0.1:PORT`, `tcp://localhost:PORT`, `tcp://[::1]:PORT`, or the same without `tcp://`.

    Raises
    ------
    EndpointError
        If it is malformed, or not a loopback address: traffic is neither encrypted nor authenticated.
    """
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
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise EndpointError(
            f"endpoint {text!r} is not on the loopback interface; use 127.0.0.1, ::1 or localhost"
        )
    return Endpoint(host, port)


def resolve(endpoint: str | None = None, domain_id: int = 0) -> Endpoint:
    """The endpoint to use: the argument, else $TOLMAN_ENDPOINT, else the default of `domain_id` (0..232).

    Raises
    ------
    EndpointError
        As `parse`, and for a domain id out of range.
    """
    if endpoint is None:
        endpoint = os.environ.get(ENVIRONMENT) or None
    if endpoint is not None:
        return parse(endpoint)
    if not 0 <= domain_id <= MAX_DOMAIN_ID:
        raise EndpointError(f"the domain id must be in 0..{MAX_DOMAIN_ID}, got {domain_id}")
    return Endpoint("127.0.0.1", DEFAULT_PORT + domain_id)
