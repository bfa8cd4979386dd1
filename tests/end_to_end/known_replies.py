"""A fake OpenAI-compatible server whose every reply is known, so that Algorithm 1 can be checked row by row.

Twelve passages, one item each. What the instructor writes, how its votes fall, and how often the base model is right is
written down in the tables below; nothing is random.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.end_to_end.fake_openai import fake_openai, is_chat

N_ITEMS = 12
DRAWS = 64
NOT_JSON, NO_ANSWER, TIE, LOW = 3, 5, 2, 6  # items that fall out on the way, by what befalls them

SOLVED = frozenset({0, 4, 8, 11})  # by the base model, greedily
# right draws of 64, for an item as first written; adapted items: harder 3 fewer (at least 0), easier 20 more
RIGHT = {0: 64, 1: 5, 4: 40, 6: 20, 7: 0, 8: 33, 9: 1, 10: 12, 11: 60}


def gold(item: int) -> int:
    """The right answer of every item with this number, adapted or not."""
    return 10 + item


def votes(item: int) -> list[str]:
    """The sixteen answers of the instructor, in draw order."""
    right = f"adding up\n#### {gold(item)}"
    if item == 1:
        return [right] * 9 + ["#### 99"] * 7
    if item == TIE:
        return [right] * 8 + ["#### 99"] * 8
    if item == 4:  # one number in two spellings beats another number in one
        return ["#### 99"] * 6 + [f"#### {gold(item)}"] * 5 + [f"#### {gold(item)}.0"] * 5
    if item == LOW:
        return ["I cannot tell"] * 4 + [right] * 7 + ["#### 99"] * 5
    return [right] * 16


def right_draws(item: int, way: str) -> int:
    """How many of 64 draws of the base model are right."""
    first = RIGHT[item]
    return {"": first, "harder": max(0, first - 3), "easier": min(DRAWS, first + 20)}[way]


ITEM = re.compile(r"Item (\d+)(?: made (harder|easier))?:")


def _write(block: str) -> str:
    item = int(re.search(r"passage number (\d+)", block)[1])  # type: ignore[index]
    if item == NOT_JSON:
        return "Sorry, here is no example."
    output = "the sum is unknown" if item == NO_ANSWER else f"adding up\n#### {gold(item)}"
    return json.dumps({"input": f"Item {item}: what is {item} plus 10?", "output": output})


def _instruct(body: dict[str, Any]) -> list[str]:
    text = body["messages"][-1]["content"]
    schema = body.get("response_format", {}).get("json_schema", {}).get("name")
    if schema == "generate":
        return [_write(text[text.index("<passage>") :])]
    if schema in ("harder", "easier"):
        item = int(ITEM.search(text)[1])  # type: ignore[index]
        adapted = f"Item {item} made {schema}: what is {item} plus 10?"
        return [json.dumps({"input": adapted, "output": f"#### {gold(item)}"})]
    item = int(ITEM.search(text[text.index("<problem>") :])[1])  # type: ignore[index]
    return votes(item)[: body.get("n", 1)]


def _answer(body: dict[str, Any]) -> list[str]:
    found = ITEM.search(body["prompt"])
    assert found is not None
    item, way = int(found[1]), found[2] or ""
    if body["temperature"] == 0:
        return [f"#### {gold(item)}" if item in SOLVED else "no idea"]
    right = right_draws(item, way)
    wrong = ["#### 99", "no idea"]
    return [f"#### {gold(item)}" if at < right else wrong[at % 2] for at in range(body.get("n", 1))]


@dataclass
class Server:
    """The running fake: its address, and every body it was sent."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def known_replies() -> Iterator[Server]:
    """Serve on loopback for the block's duration."""
    server = Server()

    def reply(path: str, body: dict[str, Any]) -> tuple[int, list[str]]:
        server.bodies.append(body)
        return 200, _instruct(body) if is_chat(path) else _answer(body)

    with fake_openai(reply) as url:
        server.url = url
        yield server
