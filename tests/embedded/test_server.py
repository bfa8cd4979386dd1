from __future__ import annotations

import json
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

PROBLEM = (
    "<problem>\nHana brings 7 barrels to the library. A storm destroys 6 of them. "
    "How many barrels is that now?\n</problem>"
)


@pytest.fixture
def client(instructor: Any) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=instructor.url, api_key="none", max_retries=0) as found:
        yield found


def post(url: str, body: bytes) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def chat(content: str, **more: Any) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": content}], **more}).encode()


def test_the_server_names_its_model_and_says_that_it_is_well(instructor: Any, client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["scripted-instructor"]
    with urllib.request.urlopen(instructor.url.removesuffix("/v1") + "/health") as response:
        assert json.loads(response.read())["status"] == "ok"


def test_usage_is_counted_and_the_reply_has_the_protocols_shape(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(model="m", messages=[{"role": "user", "content": PROBLEM}], n=3, seed=5)
    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    assert {choice.finish_reason for choice in reply.choices} == {"stop"}
    assert reply.usage is not None
    assert reply.usage.prompt_tokens > 20
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


@pytest.mark.parametrize(
    ("key", "value"),
    [("stream", True), ("logprobs", True), ("tools", [{"type": "function"}]), ("min_p", 0.5), ("no_such_key", 1)],
)
def test_a_key_that_the_server_cannot_honour_is_refused_by_name(instructor: Any, key: str, value: object) -> None:
    status, body = post(f"{instructor.url}/chat/completions", chat(PROBLEM, **{key: value}))
    assert status == 400
    assert body["error"]["param"] == key
    assert body["error"]["type"] == "invalid_request_error"
    assert body["error"]["code"] == "unsupported_parameter"


@pytest.mark.parametrize("key", ["stream", "echo", "presence_penalty"])
def test_a_key_that_says_off_is_accepted(instructor: Any, key: str) -> None:
    assert post(f"{instructor.url}/chat/completions", chat(PROBLEM, **{key: 0}))[0] == 200


@pytest.mark.parametrize(
    ("key", "value"), [("n", 0), ("temperature", -1), ("top_p", 0), ("max_tokens", 0), ("seed", "x"), ("messages", [])]
)
def test_a_value_out_of_range_is_refused_by_its_key(instructor: Any, key: str, value: object) -> None:
    status, body = post(f"{instructor.url}/chat/completions", chat(PROBLEM, **{key: value}))
    assert (status, body["error"]["code"]) == (400, "invalid_value")
    assert body["error"]["param"].startswith(key)


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(instructor: Any, body: bytes) -> None:
    status, reply = post(f"{instructor.url}/chat/completions", body)
    assert (status, reply["error"]["code"]) == (400, "invalid_json")


def test_a_body_beyond_the_limit_and_a_wrong_path_get_errors_of_the_same_shape(instructor: Any) -> None:
    assert post(f"{instructor.url}/chat/completions", chat("x" * 2**24))[0] == 413
    status, body = post(f"{instructor.url}/moderations", b"{}")
    assert (status, body["error"]["code"]) == (404, "http_error")


def test_a_request_without_a_skill_is_refused_with_what_the_program_can_do(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Write a poem."}])
    assert "exactly one <problem> block" in caught.value.message
    assert "generate" in caught.value.message
    assert caught.value.code == "unknown_skill"


def test_with_a_name_given_only_that_model_is_served(start: Any) -> None:
    served = start("--role", "instructor", "--name", "teacher")
    with openai.OpenAI(base_url=served.url, api_key="none", max_retries=0) as client:
        messages: Any = [{"role": "user", "content": PROBLEM}]
        assert client.chat.completions.create(model="teacher", messages=messages).model == "teacher"
        with pytest.raises(openai.NotFoundError, match="'gpt-4o' was asked for"):
            client.chat.completions.create(model="gpt-4o", messages=messages)


def test_the_server_ends_when_its_standard_input_closes(start: Any) -> None:
    process = start("--role", "instructor").process
    process.stdin.close()
    assert process.wait(timeout=600) == 0


def test_worker_processes_end_with_a_killed_server(start: Any) -> None:
    process = start("--role", "instructor", "--workers", "2").process
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) >= 2
    process.kill()
    process.wait(timeout=600)
    # The workers hold the write end of the error pipe; it ends when the last of them is gone.
    assert process.stderr.read() is not None


def test_the_server_ends_on_a_termination_signal(start: Any) -> None:
    process = start("--role", "instructor").process
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=600) == 0


def test_worker_processes_give_the_same_replies_and_refusals_as_one_thread(start: Any, instructor: Any) -> None:
    served = start("--role", "instructor", "--workers", "2")
    for seed in range(4):
        body = chat(PROBLEM, n=2, seed=seed)
        one, two = (post(f"{url}/chat/completions", body) for url in (instructor.url, served.url))
        assert one[1]["choices"] == two[1]["choices"]
        refusal = post(f"{served.url}/chat/completions", chat("nothing"))
        assert (refusal[0], refusal[1]["error"]["code"]) == (400, "unknown_skill")


def test_made_failures_come_at_the_rate_asked_for_and_repeat_exactly(start: Any) -> None:
    def statuses() -> list[int]:
        url = f"{start('--role', 'instructor', '--fail-rate', '0.3').url}/chat/completions"
        return [post(url, chat(PROBLEM, seed=number % 100))[0] for number in range(200)]

    first = statuses()
    assert set(first) == {200, 503}
    assert 30 <= first.count(503) <= 90
    # The second hundred repeats the bodies of the first: a retry has a fresh chance.
    assert first[:100] != first[100:]
    assert statuses() == first


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--role", "base"), 1, "needs --model"),
        (("--role", "base", "--model", "/nonexistent"), 1, "/nonexistent"),
        (("--role", "instructor", "--rate", "no_such=0.5"), 1, "the rates are"),
        (("--role", "instructor", "--rate", "ambiguous=7"), 1, "between 0 and 1"),
        (("--role", "poet"), 2, "invalid choice"),
        (("--role", "instructor", "--workers", "0"), 2, "at least 1"),
    ],
)
def test_a_server_that_cannot_start_says_why_and_ends(
    open_server: Callable[..., subprocess.Popen[bytes]], arguments: tuple[str, ...], code: int, said: str
) -> None:
    process = open_server(*arguments)
    _, errors = process.communicate(timeout=600)
    assert process.returncode == code
    assert said in errors.decode()
    assert "Traceback" not in errors.decode()
