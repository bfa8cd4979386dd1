"""Whether an endpoint answers, takes the key and knows the model: one GET of its model list, which is free."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sdrl.models.client import Endpoint
from sdrl.models.redact import redact
from sdrl.models.replicas import addresses

_SECONDS = 10.0


@dataclass(frozen=True)
class Reach:
    """What was found. ``help`` says how to mend it, empty where nothing is to be done."""

    is_ok: bool
    found: str
    help: str = ""


async def reach(endpoint: Endpoint) -> Reach:
    """Ask for ``/models``, of several replicas each. Never raises: whatever happens is the finding."""
    found = [await _reach(replace(endpoint, base_url=url)) for url in addresses(endpoint.base_url)]
    if len(found) < 2:
        return found[0] if found else await _reach(endpoint)
    bad = [each for each in found if not each.is_ok]
    return bad[0] if bad else Reach(True, "; ".join(each.found for each in found))


async def _reach(endpoint: Endpoint) -> Reach:
    import aiohttp

    url = endpoint.base_url.rstrip("/") + "/models"
    headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=not endpoint.is_loopback) as session,
            session.get(url, headers=headers) as response,
        ):
            status, text = response.status, await response.text(errors="replace")
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        reason = redact(str(error) or type(error).__name__, (endpoint.key,))
        return Reach(
            False, f"{endpoint.base_url} does not answer: {reason}", "check the address and that the server runs"
        )
    return _read(endpoint, status, text)


def _read(endpoint: Endpoint, status: int, text: str) -> Reach:
    import json

    where = endpoint.base_url
    if status in (401, 403):
        return Reach(False, f"{where} answers and refuses the key (HTTP {status})", "check the variable in key_env")
    if status >= 500:
        return Reach(False, f"{where} answers with HTTP {status}", "try again later, or ask who runs it")
    if status != 200:
        return Reach(True, f"{where} answers; it has no list of models (HTTP {status})")
    try:
        names = [str(item["id"]) for item in json.loads(text)["data"]]
    except (ValueError, KeyError, TypeError):
        return Reach(True, f"{where} answers; its list of models cannot be read")
    if endpoint.model in names:
        return Reach(True, f"{where} answers and has {endpoint.model}")
    known = ", ".join(names[:5]) or "none"
    return Reach(
        False, f"{where} answers and does not list {endpoint.model} (it has: {known})", "check the model's name"
    )
