from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest

PROMPT = "Tom has 3 apples and finds 4 others.\n"


@pytest.fixture
def client(base: Any) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=base.url, api_key="none", max_retries=0) as found:
        yield found


def draw(client: openai.OpenAI, prompt: Any = PROMPT, **sampling: Any) -> Any:
    return client.completions.create(model="tiny", prompt=prompt, **{"max_tokens": 40, **sampling})


def texts(reply: Any) -> list[str]:
    return [choice.text for choice in reply.choices]


def test_equal_requests_give_equal_replies(client: openai.OpenAI) -> None:
    assert texts(draw(client, n=8, seed=3)) == texts(draw(client, n=8, seed=3))
    assert texts(draw(client, n=8, seed=3)) != texts(draw(client, n=8, seed=300))


def test_rows_drawn_together_equal_rows_drawn_one_by_one(client: openai.OpenAI) -> None:
    together = draw(client, n=12, seed=7)
    alone = [draw(client, n=1, seed=7 + row).choices[0] for row in range(12)]
    assert texts(together) == [choice.text for choice in alone]
    assert [choice.finish_reason for choice in together.choices] == [choice.finish_reason for choice in alone]
    assert len(set(texts(together))) > 6


def test_replies_do_not_depend_on_what_else_is_asked_at_the_same_time(client: openai.OpenAI) -> None:
    alone = [texts(draw(client, f"{PROMPT}{number}", n=4, seed=number)) for number in range(12)]
    with ThreadPoolExecutor(12) as pool:
        crowd = pool.map(lambda number: texts(draw(client, f"{PROMPT}{number}", n=4, seed=number)), range(11, -1, -1))
        assert list(crowd) == alone[::-1]


def test_a_stop_string_cuts_the_text_before_itself(client: openai.OpenAI) -> None:
    whole = draw(client, temperature=0).choices[0].text
    mark = whole[11:13]
    cut = draw(client, temperature=0, stop=["never there", mark])
    assert cut.choices[0].text == whole[: whole.index(mark)]
    assert cut.choices[0].finish_reason == "stop"
    assert cut.usage.completion_tokens == whole.index(mark) + 2


def test_stop_strings_do_not_change_the_draws_of_other_rows(client: openai.OpenAI) -> None:
    free = texts(draw(client, n=16, seed=1))
    mark = free[0][5]
    stopped = draw(client, n=16, seed=1, stop=mark)
    assert texts(stopped) == [text.split(mark)[0] for text in free]
    assert sum(choice.finish_reason == "stop" for choice in stopped.choices) >= sum(mark in text for text in free)


def test_a_reply_cut_at_the_token_limit_says_so(client: openai.OpenAI) -> None:
    reply = draw(client, temperature=0, max_tokens=5)
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens == 5
    assert reply.usage.prompt_tokens == len(PROMPT)


def test_a_greedy_request_for_several_rows_gives_the_same_row(client: openai.OpenAI) -> None:
    reply = draw(client, n=3, temperature=0, seed=9)
    assert len(set(texts(reply))) == 1
    assert len(reply.choices) == 3


def test_each_prompt_of_a_list_is_computed_alone(client: openai.OpenAI) -> None:
    both = draw(client, [PROMPT, "Ana"], n=2, seed=4)
    assert texts(both) == [*texts(draw(client, PROMPT, n=2, seed=4)), *texts(draw(client, "Ana", n=2, seed=4))]


def test_a_prompt_beyond_the_models_length_is_refused_and_a_long_one_runs_to_the_end(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        draw(client, "x" * 256)
    assert caught.value.code == "context_length_exceeded"
    reply = draw(client, "x" * 250, n=2, max_tokens=2048)
    assert all(choice.finish_reason in ("length", "stop") for choice in reply.choices)
    assert reply.usage.completion_tokens <= 12


def test_chat_without_a_template_and_structured_replies_are_refused(client: openai.OpenAI) -> None:
    messages: Any = [{"role": "user", "content": "hello"}]
    with pytest.raises(openai.BadRequestError, match="no chat template"):
        client.chat.completions.create(model="tiny", messages=messages)
    form: Any = {"type": "json_object"}
    with pytest.raises(openai.BadRequestError, match="free text"):
        client.chat.completions.create(model="tiny", messages=messages, response_format=form)


def test_greedy_replies_equal_the_greedy_search_of_transformers(client: openai.OpenAI, tiny_model: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(tiny_model)
    for prompt in (PROMPT, "a", "How many books does Ana have now?\n", "12 + 7 = 19\n" * 6):
        ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
        mask = torch.ones_like(ids)
        out = model.generate(ids, attention_mask=mask, do_sample=False, max_new_tokens=60)
        expected = tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)
        reply = draw(client, prompt, temperature=0, max_tokens=60)
        assert texts(reply) == [expected]
        assert reply.usage.completion_tokens == out.shape[1] - ids.shape[1]
