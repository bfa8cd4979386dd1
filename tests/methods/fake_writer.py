"""A fake instructor for any method: fills in the reply's schema with words that depend on the prompt; no model."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any


class FakeWriter:
    """Replies by schema: every text holds a mark of the prompt and seed, ``output`` ends in an answer.

    The answer, and the texts of fields in ``said``, may depend on the prompt. ``prompts`` are the texts that were
    asked, by prompt name. Refuses all after ``allowed`` replies, as an endpoint whose quota is used up.
    """

    def __init__(
        self,
        answer: str | Callable[[str], str] = "#### 3",
        allowed: int = 10_000,
        said: Mapping[str, Callable[[str], str]] | None = None,
    ) -> None:
        self.allowed, self.said = allowed, dict(said or {})
        self._answer = answer
        self.prompts: dict[str, list[str]] = {}

    def __call__(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if sum(map(len, self.prompts.values())) >= self.allowed:
            return 401, {"error": {"message": "no more"}}
        text = body["messages"][-1]["content"]
        if "response_format" not in body:
            return 200, [self.right(text)] * body.get("n", 1)
        named = body["response_format"]["json_schema"]
        self.prompts.setdefault(named["name"], []).append(text)
        mark = hashlib.sha256(f"{named['name']}{text}{body.get('seed')}".encode()).hexdigest()
        filled = self._filled(named["schema"], mark, self.right(text))
        return 200, [json.dumps(filled | {name: self.said[name](text) for name in self.said if name in filled})]

    @property
    def asked(self) -> Counter[str]:
        """How many requests of each prompt."""
        return Counter({name: len(texts) for name, texts in self.prompts.items()})

    def right(self, prompt: str) -> str:
        """The answer to a prompt."""
        return self._answer if isinstance(self._answer, str) else self._answer(prompt)

    def _filled(self, schema: dict[str, Any], mark: str, right: str, name: str = "") -> Any:
        kind = schema["type"]
        if kind == "object":
            return {
                key: self._filled(each, hashlib.sha256(f"{mark}{key}".encode()).hexdigest(), right, key)
                for key, each in schema["properties"].items()
            }
        if kind == "array":
            return [
                self._filled(schema["items"], hashlib.sha256(f"{mark}{at}".encode()).hexdigest(), right, name)
                for at in range(10)
            ]
        if kind == "integer":
            return 5
        words = " ".join(mark[at : at + 6] for at in range(0, 48, 6))
        return f"{words} {right}" if name in ("output", "answer") else f"{name} 12 {words}"
