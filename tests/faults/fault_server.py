"""A fake: an OpenAI-compatible endpoint whose model is the scripted instructor's skills and whose faults are drawn.

``python -m tests.faults.fault_server --ready-file F --log L [--share 0.5] …``. What it says is a function of the
request and the draw's seed alone, odd replies (refused, truncated, filtered, unreadable) included; how a try fails on
the way is a function of request, first draw, try number and ``--seed``. So a run that got through every fault has met
the replies of a run that met none. Every call is one line of the log: who asked (the key sent), which draws, which
try, what befell it. Ends when its standard input does.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from aiohttp import web

from sdrl.embedded.instructor import ScriptedInstructor
from sdrl.embedded.protocol import Chat, Message, Row, Sampling, read_chat
from sdrl.embedded.server import write_ready

ON_THE_WAY = (
    *("429", "429_after", "500", "503", "slow", "half", "html", "not_json", "no_choices", "empty_choices"),
    *("aborted", "drop", "fewer", "more"),
)
"""How a try may fail; another one may not."""
HELD, RELEASED = ".held", ".released"
"""Ends of the files beside the log by which ``--holds-after`` tells and is told."""
ODD = ("refusal", "truncated", "content_filter", "http_filter", "prose", "other_schema")
"""What a model may say in place of what it was asked; a draw has it in every try."""
_STATUS: dict[str, tuple[int, dict[str, str], dict[str, str]]] = {
    "429": (429, {"message": "slow down", "code": "rate_limit_exceeded"}, {}),
    "429_after": (429, {"message": "slow down", "code": "rate_limit_exceeded"}, {"Retry-After": "0.02"}),
    "500": (500, {"message": "oops"}, {}),
    "503": (503, {"message": "overloaded"}, {}),
    "http_filter": (400, {"message": "the prompt was filtered", "code": "content_filter"}, {}),
}


@dataclass(frozen=True)
class Asked:
    """One call as it arrived; ``key`` names what is asked, without draw and number of choices."""

    body: dict[str, Any]
    chat: bool
    key: str
    seed: int
    n: int
    attempt: int
    who: str

    @property
    def is_structured(self) -> bool:
        """Whether a JSON reply of a certain form is asked for."""
        return "response_format" in self.body


def chance(*words: object) -> float:
    """A number in [0, 1) that is a function of the words."""
    digest = hashlib.sha256("\x1f".join(map(str, words)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


@dataclass
class FakeModel:
    """What is said: pure functions of request and seed."""

    instructor: ScriptedInstructor
    odd: float

    def rows(self, asked: Asked) -> list[Row]:
        """One row a choice."""
        if asked.chat:
            chat = read_chat(asked.body)
            single = replace(chat, sampling=replace(chat.sampling, n=1, max_tokens=None))
            return [self._spoken(asked, single, asked.seed + place) for place in range(asked.n)]
        return [self._guessed(asked, asked.seed + place) for place in range(asked.n)]

    def oddity(self, asked: Asked, seed: int) -> str | None:
        """What is odd about this draw, if anything: every kind in its turn."""
        share = self.odd * (3 if asked.is_structured else 1)  # they are fewer, and have more ways of being odd
        if not asked.chat or chance("odd", asked.key, seed) >= share:
            return None
        kinds = ODD if asked.is_structured else ("refusal", "truncated", "content_filter", "prose")
        return kinds[int(chance("which", asked.key, seed) * len(kinds))]

    def _spoken(self, asked: Asked, chat: Chat, seed: int) -> Row:
        return self.instructor.chat(replace(chat, sampling=replace(chat.sampling, seed=seed))).rows[0]

    def _guessed(self, asked: Asked, seed: int) -> Row:
        """The base model: for two problems of three what the instructor holds for right, else another number."""
        problem = asked.body["prompt"].partition("### Problem\n")[2].partition("\n\n###")[0]
        said = Message("user", f"<output_format>\nWrite #### N.\n</output_format>\n<problem>\n{problem}\n</problem>")
        sampling = Sampling(1, 0, 1.0, 0, None, (), 0)
        row = self.instructor.chat(Chat("fake", (said,), sampling, None, None)).rows[0]
        if chance("base", asked.key, seed if asked.body.get("temperature") else 0) < 0.66:
            return row
        return Row("I guess\n#### 7", "stop", 4)


class FaultServer:
    """The routes; counts how often each request came, and writes the log."""

    def __init__(self, model: FakeModel, log: IO[str], settings: argparse.Namespace) -> None:
        self._model = model
        self._log = log
        self._share: float = settings.share
        self._seed: int = settings.seed
        self._latency: float = settings.latency_ms / 1000
        self._dies_after: int | None = settings.dies_after
        self._holds_after: int | None = settings.holds_after
        self._hangs: bool = settings.hangs
        self._plain: bool = settings.plain
        self._tries: Counter[tuple[str, int]] = Counter()
        self._calls = 0

    def app(self) -> web.Application:
        """The application."""
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/v1/chat/completions", self.answer)
        app.router.add_post("/v1/completions", self.answer)
        return app

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One call."""
        asked = self._read(await request.json(), request)
        self._calls += 1
        number = self._calls
        came = time.monotonic()
        if self._dies_after is not None and number > self._dies_after:
            os._exit(0)
        if self._latency:
            await asyncio.sleep(self._latency)
        if self._holds_after is not None and number > self._holds_after:
            await self._hold()
        fault = self._fault(asked)
        response, served = self._reply(asked, fault)
        line = {"at": came, "answered": time.monotonic(), "who": asked.who, "key": asked.key, "seed": asked.seed}
        odd = [self._model.oddity(asked, asked.seed + place) for place in range(asked.n)]
        line |= {"n": asked.n, "served": served, "try": asked.attempt, "fault": fault, "odd": [o for o in odd if o]}
        self._log.write(json.dumps(line) + "\n")
        self._log.flush()
        return await self._deliver(request, response, fault)

    async def _hold(self) -> None:
        """Tell by a file beside the log that a call is held, until another one says that it may go on."""
        log = Path(self._log.name)
        log.with_suffix(HELD).touch()
        while not log.with_suffix(RELEASED).exists():
            await asyncio.sleep(0.01)

    def _read(self, body: dict[str, Any], request: web.Request) -> Asked:
        seen = [body.get("messages"), body.get("prompt"), body.get("temperature")]
        key = hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:20]
        seed = int(body.get("seed", 0))
        self._tries[key, seed] += 1
        who = request.headers.get("Authorization", "").removeprefix("Bearer ")
        n = int(body.get("n", 1))
        return Asked(body, request.path.endswith("/chat/completions"), key, seed, n, self._tries[key, seed], who)

    def _fault(self, asked: Asked) -> str | None:
        words = (self._seed, asked.key, asked.seed, asked.attempt)
        if self._hangs and asked.attempt == 1 and chance("hang", *words) < self._share:
            return "hang"
        if self._hangs or chance("fault", *words) >= self._share:
            return None
        return ON_THE_WAY[int(chance("kind", *words) * len(ON_THE_WAY))]

    def _reply(self, asked: Asked, fault: str | None) -> tuple[web.Response, int]:
        """The whole reply, and how many draws of it can be used."""
        if fault in _STATUS:
            return _refusal(fault), 0
        if fault == "html":
            return web.Response(text="<html><body>502 from a proxy</body></html>", content_type="text/html"), 0
        if fault == "not_json":
            return web.Response(text='{"choices": [{"index": 0, "mess', content_type="application/json"), 0
        if fault == "no_choices":
            return web.json_response({"detail": "busy"}), 0
        if self._model.oddity(asked, asked.seed) == "http_filter":  # the prompt is at fault, not the draw
            return _refusal("http_filter"), 0
        said = [Row("{}", "stop", 1)] * asked.n if self._plain else self._model.rows(asked)
        choices = [self._choice(asked, place, row) for place, row in enumerate(said)]
        if fault == "empty_choices":
            choices = []
        if fault == "aborted":
            choices[0]["finish_reason"] = "abort"
        if fault == "fewer" and len(choices) > 1:
            choices = choices[: len(choices) // 2]
        if fault == "more":
            choices.append({**choices[-1], "index": len(choices)})
        served = 0 if fault in ("half", "drop", "aborted") else min(asked.n, len(choices))
        usage = {"prompt_tokens": 100, "completion_tokens": 10 * len(choices), "total_tokens": 100}
        return web.json_response(
            {"id": "fake", "model": asked.body["model"], "choices": choices, "usage": usage}
        ), served

    def _choice(self, asked: Asked, place: int, row: Row) -> dict[str, Any]:
        text, finish, refusal = row.text, row.finish_reason, None
        odd = self._model.oddity(asked, asked.seed + place)
        if odd == "refusal":
            text, refusal = "", "I cannot help with that."
        elif odd == "truncated":
            text, finish = text[: len(text) // 2], "length"
        elif odd == "content_filter":
            text, finish = "", "content_filter"
        elif odd == "prose":
            text = "Certainly! Here is what you asked for, in my own words."
        elif odd == "other_schema":
            text = json.dumps({"question": "What?", "answer": 1})
        if not asked.chat:
            return {"index": place, "text": text, "finish_reason": finish}
        message = {"role": "assistant", "content": text, "refusal": refusal}
        return {"index": place, "message": message, "finish_reason": finish}

    async def _deliver(self, request: web.Request, response: web.Response, fault: str | None) -> web.StreamResponse:
        if fault == "slow":
            await asyncio.sleep(0.15)
        if fault == "hang":
            await asyncio.sleep(600)
        if fault == "drop":
            _hang_up(request)
        if fault != "half":
            return response
        whole = response.body
        assert isinstance(whole, bytes)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(whole))}
        cut = web.StreamResponse(headers=headers)
        await cut.prepare(request)
        await cut.write(whole[: len(whole) // 2])
        _hang_up(request)
        return cut


def _refusal(kind: str) -> web.Response:
    status, error, headers = _STATUS[kind]
    return web.json_response({"error": error}, status=status, headers=headers)


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()


async def _serve(settings: argparse.Namespace) -> None:
    model = FakeModel(ScriptedInstructor.with_rates({}, None), settings.odd)
    with settings.log.open("a", encoding="utf-8") as log:
        runner = web.AppRunner(FaultServer(model, log, settings).app(), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", settings.port, backlog=1024)
        await site.start()
        write_ready(settings.ready_file, int(runner.addresses[0][1]))
        await asyncio.to_thread(sys.stdin.read)  # until whoever started it goes
        os._exit(0)


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ready-file", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--share", type=float, default=0.0, help="share of tries that fail on the way")
    parser.add_argument("--odd", type=float, default=0.0, help="share of draws in which the model says something odd")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--dies-after", type=int, help="calls after which it dies for good")
    parser.add_argument("--holds-after", type=int, help="calls after which it answers none until it is told to")
    parser.add_argument("--hangs", action="store_true", help="the share of first tries gets no reply at all")
    parser.add_argument("--plain", action="store_true", help="always the same short reply, to any prompt")
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
