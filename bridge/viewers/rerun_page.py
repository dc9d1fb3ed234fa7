"""Serve the page of Rerun's viewer so that a browser lets it talk to this machine only.

The page sends usage data, and asks for fonts, news and examples from elsewhere. It cannot be told not to, but
a browser obeys the Content-Security-Policy that comes with a page: this server hands on the files of Rerun's
own server with a policy that allows nothing but the page itself and the data. Links that make a browser
connect ahead of any request are beyond the policy: these are taken out.
"""

import http.client
import re
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ..exceptions import BridgeError

HOST = "127.0.0.1"
FILES = ("/", "/index.html", "/favicon.ico", "/favicon.svg", "/re_viewer.js", "/re_viewer_bg.wasm")
ELSEWHERE = re.compile(rb"<link\b[^>]*\bhref=[\"']?https?:[^>]*>", re.IGNORECASE)
PASSED_ON = ("Content-Type", "Content-Length", "rerun-final-length")


def policy(data_port: int) -> str:
    """The Content-Security-Policy of the page."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            f"connect-src 'self' http://{HOST}:{data_port}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


class PageServer:
    """Serves the page from a thread, until `close`.

    Parameters
    ----------
    port : int
        Where; 0 for any that is free.
    origin_port : int
        Of Rerun's own server of the page, on this machine.
    data_port : int
        Where the page may fetch the data.

    Raises
    ------
    BridgeError
        If the port is not free.
    """

    def __init__(self, port: int, origin_port: int, data_port: int) -> None:
        class Handler(_Handler):
            origin = origin_port
            content_policy = policy(data_port)

        try:
            self._server = ThreadingHTTPServer((HOST, port), Handler)
        except OSError as error:
            raise BridgeError(
                f"cannot serve the dashboard at {HOST}:{port}: {error.strerror}; choose another port"
            ) from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="tolman-page", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Hands on one of `FILES`."""

    origin = 0
    content_policy = ""

    def do_GET(self) -> None:
        """Answer a GET; the query is the page's own affair."""
        path = self.path.split("?", 1)[0]
        if path not in FILES:
            self.send_error(404)
            return
        connection = http.client.HTTPConnection(HOST, self.origin, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            html = ELSEWHERE.sub(b"", answer.read()) if path in FILES[:2] else None
            self.send_response(answer.status)
            for name in PASSED_ON if html is None else PASSED_ON[:1]:
                if (value := answer.getheader(name)) is not None:
                    self.send_header(name, value)
            if html is not None:
                self.send_header("Content-Length", str(len(html)))
            self.send_header("Content-Security-Policy", self.content_policy)
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if html is None:
                shutil.copyfileobj(answer, self.wfile)
            else:
                self.wfile.write(html)
        except (OSError, http.client.HTTPException):  # either side went away: the browser says so
            self.close_connection = True
        finally:
            connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal belongs to the verb."""
