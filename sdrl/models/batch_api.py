"""The provider's batch API over HTTP (OpenAI's shape): upload a file, create, look up, download. Nothing of ours in it.

Asks again with patience where that changes nothing at the provider. What may have created a batch is not simply sent
twice: ``create`` says ``AmbiguousError``, and whoever asked looks for its mark first (``find``).
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sdrl.models.client import Endpoint, error_body
from sdrl.models.faults import CallFault, from_status, from_transport
from sdrl.models.redact import redact
from sdrl.models.transport import Answer, HttpTransport
from sdrl.spec.diagnostics import Exit, SdrlError

MARK = "sdrl_batch"  # the metadata key by which a batch of ours is found again
PAGES = 20


class AmbiguousError(Exception):
    """A batch may have been created or not."""


@dataclass(frozen=True)
class Pace:
    """Seconds: lines are gathered until none came for ``gather``; a batch is looked at every ``poll`` to ``most_poll``.

    ``patience``: how long the provider may fail before the run ends, resumable; ``never_answered`` where it has not
    answered once.
    """

    gather: float = 1.0
    poll: float = 5.0
    most_poll: float = 60.0
    patience: float = 900.0
    never_answered: float = 15.0
    first_delay: float = 0.5


class BatchApi:
    """One endpoint's files and batches."""

    def __init__(self, endpoint: Endpoint, pace: Pace) -> None:
        self._endpoint = endpoint
        self._pace = pace
        self._has_answered = False
        self._http = HttpTransport(
            endpoint.base_url, endpoint.key, connections=8, timeout_s=600.0, use_proxy=not endpoint.is_loopback
        )

    async def upload(self, name: str, content: bytes) -> str:
        """Upload a file of lines; returns its id. A file uploaded twice is a file too many and nothing worse."""
        import aiohttp

        def form() -> Any:
            fields = aiohttp.FormData()
            fields.add_field("purpose", "batch")
            fields.add_field("file", content, filename=name, content_type="application/jsonl")
            return fields()

        return str((await self._json("POST", "/files", form))["id"])

    async def create(self, file_id: str, url: str, mark: str) -> dict[str, Any]:
        """Create a batch. Raises AmbiguousError where no reply says whether it was."""
        wanted = {"input_file_id": file_id, "endpoint": url, "completion_window": "24h", "metadata": {MARK: mark}}
        try:
            return self._read(await self._once("POST", "/batches", lambda: json.dumps(wanted).encode()))
        except CallFault as fault:
            if fault.kind == "refused" or fault.kind == "unreachable":
                raise
            raise AmbiguousError(fault.reason) from None

    async def find(self, mark: str) -> dict[str, Any] | None:
        """The batch with this mark, among the newest ones; None where there is none."""
        after = ""
        for _ in range(PAGES):
            page = await self._json("GET", f"/batches?limit=100{after}")
            for batch in page.get("data") or ():
                if (batch.get("metadata") or {}).get(MARK) == mark:
                    return dict(batch)
            if not page.get("has_more") or not page.get("data"):
                return None
            after = f"&after={page['data'][-1]['id']}"
        return None

    async def get(self, batch: str) -> dict[str, Any]:
        """A batch as it stands."""
        return await self._json("GET", f"/batches/{batch}")

    async def lines(self, file_id: str) -> list[dict[str, Any]]:
        """The lines of an output or error file; a line that is no object is passed over."""
        content = (await self._patiently("GET", f"/files/{file_id}/content")).content
        found = []
        for line in content.splitlines():
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                found.append(value)
        return found

    async def wait(self, attempt: int) -> None:
        """The pause before try number ``attempt`` + 1."""
        await asyncio.sleep(min(self._pace.most_poll, self._pace.first_delay * 2.0**attempt) * random.uniform(0.5, 1))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _json(self, method: str, path: str, body: Callable[[], Any] | None = None) -> dict[str, Any]:
        return self._read(await self._patiently(method, path, body))

    def _read(self, answer: Answer) -> dict[str, Any]:
        data = error_body(answer.content)
        if not isinstance(data, dict):
            raise SdrlError(
                "E836",
                f"{self._endpoint.base_url} does not speak the batch API: its reply is no JSON object",
                help="write 'batch: false', or the endpoint that has it",
            )
        return data

    async def _patiently(self, method: str, path: str, body: Callable[[], Any] | None = None) -> Answer:
        began = time.monotonic()
        attempt = 0
        while True:
            try:
                return await self._once(method, path, body)
            except CallFault as fault:
                patience = self._pace.patience if self._has_answered else self._pace.never_answered
                if time.monotonic() - began >= patience:
                    raise self._gave_up(fault, patience) from None
            await self.wait(attempt)
            attempt += 1

    async def _once(self, method: str, path: str, body: Callable[[], Any] | None = None) -> Answer:
        try:
            answer = await self._http.request(method, path, body() if body is not None else None)
        except Exception as error:  # the border to the network, as in the client
            fault = from_transport(error)
            if fault is None:
                raise
            raise fault from None
        self._has_answered = True
        if answer.status == 200:
            return answer
        endpoint = self._endpoint
        raise from_status(
            answer.status,
            error_body(answer.content),
            answer.headers,
            role=endpoint.role,
            where=endpoint.base_url,
            clean=lambda text: redact(text, (endpoint.key,)),
            variable=endpoint.key_env,
        )

    def _gave_up(self, fault: CallFault, patience: float) -> SdrlError:
        what = "has given no usable reply" if self._has_answered else "cannot be reached"
        return SdrlError(
            "E817" if self._has_answered else "E816",
            f"the {self._endpoint.role}'s batch API at {self._endpoint.base_url} {what} for {patience:.0f} s: "
            f"{fault.reason}",
            help="the same command goes on where it is, batches at the provider included",
            exit=Exit.STOPPED,
        )
