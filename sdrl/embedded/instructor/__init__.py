"""The scripted instructor: a program behind the chat protocol that plays the strong model, with declared faults.

It has a fixed set of skills, chosen by the name of the reply's schema (free text: solve), reads only the delimited
blocks of a prompt, and answers anything else with HTTP 400. Every reply is a function of the messages, the schema and
(above temperature 0) seed + row. What it can do, and how often it errs, is in `rates.py`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from sdrl.embedded.instructor.belief import seeded
from sdrl.embedded.instructor.blocks import read_blocks
from sdrl.embedded.instructor.rates import Rates
from sdrl.embedded.instructor.skills import Skills, Task, read_task
from sdrl.embedded.instructor.truth import Truth
from sdrl.embedded.protocol import Chat, Reply, Row, Sampling, ServeError

CHARACTERS_PER_TOKEN = 4
"""What counts as a token here: this many characters, the last one perhaps fewer."""

__all__ = ["CHARACTERS_PER_TOKEN", "Rates", "ScriptedInstructor"]


class ScriptedInstructor:
    """The model behind `--role instructor`."""

    name = "scripted-instructor"

    def __init__(self, rates: Rates, truth: Truth) -> None:
        self._rates = rates
        self._skills = Skills(rates, truth)

    @classmethod
    def with_rates(cls, shares: Mapping[str, float], truth: Path | None) -> ScriptedInstructor:
        """Open one with some declared rates replaced. Raises ValueError for an unknown rate."""
        return cls(Rates().override(shares), Truth(truth))

    def complete(self, prompt: str, sampling: Sampling) -> Reply:
        """Raises ServeError: this model only chats."""
        raise ServeError(400, "the scripted instructor answers /v1/chat/completions only", "unsupported_endpoint")

    def chat(self, request: Chat) -> Reply:
        """Answer by the skill that the schema names. Raises ServeError 400 where no skill fits."""
        blocks = read_blocks(request.messages)
        task = read_task(blocks, request.schema)
        if request.schema_name is None and blocks.count("problem") != 1:
            raise self._no_skill("a request without a schema must have exactly one <problem> block (skill solve)")
        if request.schema_name is not None and request.schema_name not in self._skills.by_name:
            raise self._no_skill(f"there is no skill {request.schema_name!r}")
        digest = _digest(request)
        sampling = request.sampling
        # At temperature 0 all rows are one, so one is worked out.
        count = 1 if sampling.temperature == 0 else sampling.n
        rows = [self._row(request.schema_name, task, digest, sampling, index) for index in range(count)]
        said = sum(len(message.content) for message in request.messages)
        return Reply(tuple(rows * (sampling.n // count)), _tokens(said))

    def _row(self, skill: str | None, task: Task, digest: str, sampling: Sampling, index: int) -> Row:
        rng = seeded(digest, sampling.seed + index) if sampling.temperature > 0 else seeded(digest)
        if skill is None:
            return _cut(self._skills.solve(task, rng), sampling)
        spoiled = rng.random() < self._rates.invalid_json
        text = json.dumps(self._skills.by_name[skill](task, rng), ensure_ascii=False)
        return _cut(text[: 2 * len(text) // 3] if spoiled else text, sampling)

    def _no_skill(self, why: str) -> ServeError:
        known = ", ".join(self._skills.by_name)
        message = (
            f"{why}. This is a scripted program, not a language model: it answers requests whose response_format is a "
            f"JSON schema named {known}, and plain requests with one <problem> block."
        )
        return ServeError(400, message, "unknown_skill")


def _digest(request: Chat) -> str:
    """Names the request's content: messages and schema, not how many rows or tokens are wanted."""
    said = [[message.role, message.content] for message in request.messages]
    content = json.dumps([said, request.schema_name, request.schema], sort_keys=True)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def _tokens(characters: int) -> int:
    return -(-characters // CHARACTERS_PER_TOKEN)


def _cut(text: str, sampling: Sampling) -> Row:
    """Apply stop strings and the token limit."""
    cut = min((at for at in (text.find(mark) for mark in sampling.stop) if at >= 0), default=len(text))
    text = text[:cut]
    if sampling.max_tokens is not None and _tokens(len(text)) > sampling.max_tokens:
        return Row(text[: sampling.max_tokens * CHARACTERS_PER_TOKEN], "length", sampling.max_tokens)
    return Row(text, "stop", _tokens(len(text)))
