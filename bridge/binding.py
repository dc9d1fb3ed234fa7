"""Where servers for viewers listen: the loopback interface, unless somebody insists on another."""

import ipaddress

from .exceptions import EndpointError

MAX_PORT = 65535


def checked_host(host: str, insecure: bool = False) -> str:
    """The address to bind; `localhost` is 127.0.0.1.

    Raises
    ------
    EndpointError
        If it is not a loopback address and `insecure` is false: what is served there is neither encrypted
        nor authenticated.
    """
    host = "127.0.0.1" if host == "localhost" else host
    if insecure and host:
        return host
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise EndpointError(
            f"host {host!r} is not on the loopback interface, and nothing served there is encrypted or "
            "authenticated; use 127.0.0.1, or --insecure to serve the network all the same"
        )
    return host


def checked_port(port: int) -> int:
    """The port to bind; 0 lets the system choose.

    Raises
    ------
    EndpointError
        If it is not in 0..65535.
    """
    if not 0 <= port <= MAX_PORT:
        raise EndpointError(f"the port must be in 0..{MAX_PORT}, got {port}")
    return port
