"""``sdrl doctor`` and ``sdrl serve-embedded`` as a user meets them."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from sdrl.cli import doctor
from sdrl.cli.main import main
from sdrl.models.client import Endpoint
from sdrl.models.reach import reach
from sdrl.spec.locate import specs_dir
from tests.models import imitations
from tests.models.fake_endpoint import FakeEndpoint


def asked(store: Path, plan: Path | None = None) -> argparse.Namespace:
    return argparse.Namespace(plan=plan, store=store, json=True)


def states(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    return {finding["what"]: finding["state"] for finding in json.loads(capsys.readouterr().out)}


def test_the_demo_has_all_it_needs_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.run(asked(tmp_path / "not-yet-there", specs_dir() / "word-problems.yaml")) == 0
    found = states(capsys)
    assert {found[what] for what in ("python", "core", "extra run", "extra train", "store", "base")} == {"ok"}
    assert not (tmp_path / "not-yet-there").exists()


def test_a_missing_package_is_named_with_the_command_that_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[[str], str] = metadata.version

    def version(name: str) -> str:
        if name == "tantivy":
            raise metadata.PackageNotFoundError(name)
        return "0.1" if name == "trl" else real(name)

    monkeypatch.setattr(metadata, "version", version)
    assert main(["doctor", "--store", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "not installed: tantivy" in said and "pip install 'sdrl[run]'" in said
    assert "trl <1.17,>=1.16 (there is 0.1)" in said


def test_a_store_that_cannot_be_written_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("no folder")
    assert doctor.run(asked(tmp_path / "file" / "store")) == 1
    assert states(capsys)["store"] == "missing"


@pytest.mark.parametrize(
    ("version", "wanted", "holds"),
    [
        ("3.10.1", ">=3.3,<4", True),
        ("4.0", ">=3.3,<4", False),
        ("2.13.0+cpu", ">=2.9", True),
        ("1.16.0", "<1.17,>=1.16", True),
    ],
)
def test_versions_are_compared_by_number(version: str, wanted: str, holds: bool) -> None:
    assert doctor.satisfies(version, wanted) is holds


async def test_an_endpoint_without_a_model_list_is_reachable_and_a_dead_one_is_not() -> None:
    async with FakeEndpoint() as fake:
        assert (await reach(Endpoint("instructor", fake.url, "m"))).is_ok
        await fake.stop()
        found = await reach(Endpoint("instructor", fake.url, "m"))
    assert not found.is_ok and "does not answer" in found.found


async def test_serve_embedded_prints_where_it_serves_and_ends_cleanly_when_interrupted() -> None:
    command = (sys.executable, "-m", "sdrl", "serve-embedded", "--role", "instructor")
    served = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=Path(__file__).parents[2], env={**os.environ}
    )
    assert served.stdout is not None and served.stderr is not None
    role, _, url = (await served.stdout.readline()).decode().strip().partition(": ")
    await served.stderr.readline()
    found = await reach(Endpoint(role, url, "scripted-instructor"))
    served.send_signal(signal.SIGINT)
    assert await served.wait() == 0
    assert found.is_ok and "has scripted-instructor" in found.found


SPEC = """sdrl: 1
name: sums
task: {{description: Add two numbers., output_format: 'The sum after ####.'}}
answer: {{type: number, extract: {{marker: '####'}}}}
demos: [{{input: '1 + 1?', output: '#### 2'}}, {{input: '2 + 3?', output: '#### 5'}}]
synthesize: {{sampling: {{temperature: {temperature}}}}}
vote: {{sampling: {{temperature: {temperature}}}}}
models:
  instructor: {{model: fake-model, endpoint: "{url}", price: {{input: 1, output: 4}}}}
  base: {{model: toy-base, serve: embedded}}
"""


async def examined(folder: Path, answer: Callable[..., imitations.Answer], temperature: str) -> tuple[int, list[str]]:
    """The doctor's exit status and its lines about the instructor."""
    async with imitations.serving(answer) as server:
        spec = folder / "sums.yaml"
        spec.write_text(SPEC.format(url=server.url, temperature=temperature), encoding="utf-8")
        words = argparse.Namespace(plan=spec, store=folder / "store", json=False)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = await asyncio.to_thread(doctor.run, words)
    lines = output.getvalue().splitlines()
    return status, lines[next(at for at, line in enumerate(lines) if "instructor can" in line) :]


async def test_an_endpoint_is_asked_for_what_the_plan_asks_and_the_answer_is_kept(tmp_path: Path) -> None:
    status, lines = await examined(tmp_path, imitations.llama_cpp, "0.7")
    assert status == 0
    assert "1 draws a call, JSON by json_schema, max_tokens, asked 4 times, $0.0001" in lines[0]
    assert "Only one completion choice is allowed" in lines[1]
    kept = json.loads((tmp_path / "store" / "endpoints.json").read_text())
    assert [entry["choices"] for entry in kept["endpoints"].values()] == [1]


async def test_a_key_that_the_endpoint_refuses_is_found_before_the_run(tmp_path: Path) -> None:
    status, lines = await examined(tmp_path, imitations.reasoning_openai, "0.7")
    assert status == 1
    assert "E814: synthesize.sampling.temperature, vote.sampling.temperature: the instructor's endpoint" in lines[0]
    assert "temperature: null" in lines[1]
    status, lines = await examined(tmp_path, imitations.reasoning_openai, "null")
    assert status == 0 and "max_completion_tokens" in lines[0]
