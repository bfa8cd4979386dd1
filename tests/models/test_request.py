"""What makes two requests the same, and what must not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sdrl.models.request import Request
from tests.models.fake_endpoint import FakeEndpoint
from tests.models.parts import ask, opened

SCHEMA = {"type": "object", "properties": {"keywords": {"type": "array"}}}


@pytest.mark.parametrize(
    "changed",
    [
        {"messages": [{"role": "system", "content": "Be long."}, {"role": "user", "content": "2 + 2?"}]},
        {"messages": [{"role": "user", "content": "Be brief.\n2 + 2?"}]},
        {"messages": None, "prompt": "2 + 2?"},
        {"model": "model@2027"},
        {"seed": 101},
        {"sampling": {"temperature": 0.8, "top_p": 1.0, "max_tokens": 64}},
        {"sampling": {"temperature": 0.7, "top_p": 1.0, "max_tokens": 65}},
        {"schema_name": "keywords", "schema": SCHEMA},
        {"extra": {"reasoning_effort": "low"}},
    ],
)
def test_whatever_the_model_sees_changes_the_key(changed: dict[str, Any]) -> None:
    assert ask(**changed).key != ask().key


def test_null_sampling_keys_and_the_spelling_of_whole_numbers_do_not_change_the_key() -> None:
    assert ask(sampling={"max_tokens": 64, "top_p": 1, "temperature": 0.7}).key == ask().key


def test_kind_and_accepted_ending_do_not_change_the_key() -> None:
    assert ask(kind="score", accept_truncated=True).key == ask().key


def test_the_key_is_the_same_in_every_release() -> None:
    request = Request("solve", "m", None, "2 + 2 = ", {"temperature": 0.7, "max_tokens": 8}, None, None, 1, True)
    assert request.body == (
        b'{"model":"m","prompt":"2 + 2 = ","sampling":{"max_tokens":8,"temperature":"0.7"},"seed":1,"version":1}'
    )


def test_a_request_has_either_messages_or_a_prompt() -> None:
    with pytest.raises(ValueError, match="either"):
        ask(prompt="both")


async def test_another_port_finds_the_replies_of_the_first(tmp_path: Path) -> None:
    async with FakeEndpoint() as first, opened(tmp_path, first.url) as bench:
        before = await bench.model.draw(ask(), [0])
    async with FakeEndpoint() as second, opened(tmp_path, second.url) as bench:
        after = await bench.model.draw(ask(), [0])
    assert (after[0].text, after[0].cached, second.calls) == (before[0].text, True, [])
