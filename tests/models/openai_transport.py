"""The reference transport: openai's own client with its aiohttp backend, behind the interface of ours.

It is how endpoints were asked before; the tests of every fault run through both, and the benchmark measures it.
"""

from __future__ import annotations

import json

import httpx2
import openai

from sdrl.models.client import Endpoint
from sdrl.models.transport import Answer


class OpenAITransport:
    def __init__(self, endpoint: Endpoint) -> None:
        connections = endpoint.concurrency + 8
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        timeout = httpx2.Timeout(endpoint.timeout_s, pool=None)
        self._sdk = openai.AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.key or "none",
            max_retries=0,
            timeout=timeout,
            http_client=openai.DefaultAioHttpClient(limits=limits, timeout=timeout, trust_env=False),
        )

    async def post(self, path: str, body: bytes) -> Answer:
        try:
            response = await self._sdk.post(path, cast_to=httpx2.Response, body=json.loads(body))
        except openai.APIStatusError as error:
            response = error.response
        return Answer(response.status_code, response.headers, response.content)

    async def close(self) -> None:
        await self._sdk.close()
