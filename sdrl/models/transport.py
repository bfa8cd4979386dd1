"""HTTP alone: one JSON body out, status, headers and bytes back, over kept-alive connections of aiohttp.

Thinner than openai's client by a factor of three in CPU a call (docs/decisions/), which is what the executor's speed
hangs on. Does not retry, does not follow redirects (a key would travel with them), does not read what came.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sdrl.spec.diagnostics import SdrlError

if TYPE_CHECKING:
    import aiohttp

_CONNECT_SECONDS = 5.0
_SPARE_CONNECTIONS = 8


class Answer(NamedTuple):
    """What came back over HTTP, whole: header names in any case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Transport(Protocol):
    """How a client reaches its endpoint. ``post`` raises what the connection raised."""

    async def post(self, path: str, body: bytes) -> Answer:
        """Send ``body`` to the base URL's ``path`` and read the whole answer, whatever its status."""

    async def close(self) -> None:
        """Close the connections."""


class HttpTransport:
    """One session a client; it is made at the first call, inside the loop that uses it."""

    def __init__(self, base_url: str, key: str, *, connections: int, timeout_s: float, use_proxy: bool) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._connections = connections
        self._timeout_s = timeout_s
        self._use_proxy = use_proxy
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: bytes) -> Answer:
        """Send one body."""
        session = self._session or self._open()
        async with session.post(self._base_url + path, data=body, allow_redirects=False) as response:
            content = await response.read()
        return Answer(response.status, response.headers, content)

    async def request(self, method: str, path: str, body: Any = None) -> Answer:
        """Send anything else: a GET, or a POST of bytes or of a form."""
        session = self._session or self._open()
        headers = {"Content-Type": body.content_type} if hasattr(body, "content_type") else None
        sent = session.request(method, self._base_url + path, data=body, headers=headers, allow_redirects=False)
        async with sent as response:
            content = await response.read()
        return Answer(response.status, response.headers, content)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        import aiohttp

        secure = self._base_url.startswith("https:")
        connector = aiohttp.TCPConnector(
            limit=self._connections + _SPARE_CONNECTIONS, ssl=_trust() if secure else True, ttl_dns_cache=300
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=self._timeout_s),
            trust_env=self._use_proxy,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self._session


def require_aiohttp() -> None:
    """Raise SdrlError where aiohttp is not installed."""
    try:
        import aiohttp  # noqa: F401
    except ImportError as error:
        raise SdrlError(
            "E844", f"asking a model needs the package {error.name}", help="pip install 'sdrl[run]'"
        ) from error


def _trust() -> ssl.SSLContext:
    """The system's certificates and, where it is installed, certifi's: some Pythons come without any."""
    context = ssl.create_default_context()
    with contextlib.suppress(ImportError):
        import certifi

        context.load_verify_locations(certifi.where())
    return context
