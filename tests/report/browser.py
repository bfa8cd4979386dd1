"""A headless Chromium driven over its DevTools protocol: open a file, run an expression, take a picture.

Waits for events, never for a time; everything the page said on its console, and every error, is kept.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
PATIENCE = 60.0  # seconds; a machine under load starts a browser slowly


def find() -> str | None:
    """Path of a Chromium, or None; ``SDRL_CHROMIUM`` names another."""
    return os.environ.get("SDRL_CHROMIUM") or next((path for path in map(shutil.which, NAMES) if path), None)


class Tab:
    """One page. ``said`` holds what it logged, its exceptions and what its policy refused; ``asked`` each address."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._loaded = asyncio.Event()
        self.said: list[str] = []
        self.asked: list[str] = []
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            data = message.json()
            if "id" in data:
                self._answers.pop(data["id"]).set_result(data)
            elif data["method"] in {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}:
                self.said.append(str(data["params"]))
            elif data["method"] == "Network.requestWillBeSent":
                self.asked.append(data["params"]["request"]["url"])
            elif data["method"] == "Page.loadEventFired":
                self._loaded.set()

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command of the protocol."""
        self._number += 1
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[self._number] = answer
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        found = await asyncio.wait_for(answer, PATIENCE)
        assert "error" not in found, found
        return dict(found["result"])

    async def open(self, path: Path, *, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        """Load a file in a window of that size."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self._loaded.clear()
        await self.call("Page.navigate", url=path.resolve().as_uri())
        await asyncio.wait_for(self._loaded.wait(), PATIENCE)

    async def value(self, expression: str) -> Any:
        """What a JavaScript expression comes to; an exception in it fails."""
        found = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait for the page to make an expression true."""
        promise = (
            "new Promise(done => { const look = () => "
            f"({expression}) ? done(true) : requestAnimationFrame(look); look() }})"
        )
        found = await self.call("Runtime.evaluate", expression=promise, returnByValue=True, awaitPromise=True)
        assert found["result"].get("value") is True, found

    async def picture(self, path: Path) -> None:
        """What the window shows, as PNG."""
        found = await self.call("Page.captureScreenshot")
        path.write_bytes(base64.b64decode(found["data"]))

    async def close(self) -> None:
        """Stop listening."""
        await self._socket.close()
        await self._reader


@asynccontextmanager
async def tab(chromium: str) -> AsyncIterator[Tab]:
    """A tab of a browser of its own, ended afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            chromium, *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stderr is not None
        try:
            port = await asyncio.wait_for(_port(process.stderr), PATIENCE)
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json") as reply:
                    pages = [each for each in await reply.json() if each["type"] == "page"]
                socket = await session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0)
                page = Tab(socket)
                yield page
                await page.close()
        finally:
            process.terminate()
            await process.communicate()


async def _port(stderr: asyncio.StreamReader) -> int:
    while line := (await stderr.readline()).decode():
        if "DevTools listening on ws://" in line:
            return int(line.split("127.0.0.1:")[1].split("/")[0])
    raise AssertionError("the browser ended before it listened")
