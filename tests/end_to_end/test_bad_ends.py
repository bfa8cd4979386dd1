"""Every bad end has one clear message and its documented exit code, and what was paid for is kept."""

from __future__ import annotations

import json
import resource
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.fake_openai import Reply, fake_openai, is_chat
from tests.end_to_end.small_sums import SUMS

SPEC = (
    SUMS
    + """\
name: small
synthesize: {{samples: 4, attempts: 4}}
vote: {{draws: 4}}
score: {{draws: 4}}
select: {{samples: 4, min: 1}}
filter: []
models:
  instructor:
    {{model: fake, endpoint: "{url}", key_env: SMALL_KEY, price: {{input: 1000, output: 1000}}, concurrency: 2}}
  base: {{model: base, serve: "{url}", prompt: raw, concurrency: 2}}
"""
)


@contextmanager
def fake_server(reply: Reply) -> Iterator[str]:
    """A fake endpoint that gives the same text for every choice; ``reply`` as in ``fake_openai``, with one text."""

    def repeated(path: str, body: dict[str, Any]) -> tuple[int, Any]:
        status, made = reply(path, body)
        return status, [made] * body.get("n", 1) if status == 200 else made

    with fake_openai(repeated) as url:
        yield url


def good_instructor(path: str, body: dict[str, Any]) -> tuple[int, Any]:
    """Writes readable examples and votes for 3; its base model says nothing that can be read."""
    if not is_chat(path):
        return 200, "mumble mumble"
    if "response_format" in body:
        tail = body["messages"][-1]["content"][-80:]
        return 200, json.dumps({"input": f"What is 1 plus 2? ({tail})", "output": "#### 3"})
    return 200, "#### 3"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [{"id": f"p{n}", "text": f"This is passage number {n} about sums."} for n in range(4)]
    (tmp_path / "passages.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "config.json").write_text("{}")
    return tmp_path


def sdrl(folder: Path, *words: str, before: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "sdrl", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=before,
        env={"PATH": "/usr/bin:/bin", "SMALL_KEY": "sk-secret-of-the-test"},
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def run_small(
    folder: Path, url: str, *more: str, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    (folder / "small.yaml").write_text(textwrap.dedent(SPEC.format(url=url)))
    return sdrl(folder, "run", "small.yaml", "--yes", *more, before=before)


def paid_calls(folder: Path) -> int:
    with sqlite3.connect(folder / ".sdrl" / "requests.sqlite") as db:
        return int(db.execute("SELECT count(*) FROM calls WHERE status = 'ok'").fetchone()[0])


def test_a_missing_spec_is_a_usage_error(folder: Path) -> None:
    done = sdrl(folder, "run", "absent.yaml")
    assert done.returncode == 2
    assert "no plan or spec at absent.yaml" in done.stderr


def test_a_wrong_key_names_the_line_and_the_nearest(folder: Path) -> None:
    (folder / "small.yaml").write_text(SPEC.format(url="http://127.0.0.1:1/v1").replace("draws: 4}", "drawz: 4}", 1))
    done = sdrl(folder, "run", "small.yaml", "--yes")
    assert done.returncode == 1
    assert "small.yaml:10:" in done.stderr
    assert "draws" in done.stderr
    assert not (folder / "runs").exists()


def test_a_missing_and_an_empty_corpus_are_found_before_anything_is_paid(folder: Path) -> None:
    (folder / "passages.jsonl").write_text("")
    done = run_small(folder, "http://127.0.0.1:1/v1")
    assert done.returncode == 1
    assert "passages.jsonl" in done.stderr
    (folder / "passages.jsonl").unlink()
    done = run_small(folder, "http://127.0.0.1:1/v1")
    assert done.returncode == 1
    assert "passages.jsonl" in done.stderr


def test_a_dead_endpoint_ends_resumable(folder: Path) -> None:
    done = run_small(folder, "http://127.0.0.1:1/v1")
    assert done.returncode == 5
    assert "E816" in done.stderr
    assert "127.0.0.1:1" in done.stderr
    assert json.loads((folder / "runs/small/result.json").read_text())["exit"] == 5


def test_a_refused_key_stops_at_once_and_is_not_shown(folder: Path) -> None:
    error = {"error": {"message": "Incorrect API key provided: sk-secret-of-the-test", "type": "invalid_request_error"}}
    with fake_server(lambda path, body: (401, error)) as url:
        done = run_small(folder, url)
    assert done.returncode == 1
    assert "key" in done.stderr
    assert "SMALL_KEY" in done.stderr
    for path in folder.rglob("*"):
        if path.is_file():
            assert b"sk-secret-of-the-test" not in path.read_bytes(), path


def test_a_model_that_answers_nonsense_is_said_so_and_its_replies_are_kept(folder: Path) -> None:
    with fake_server(lambda path, body: (200, "colourless green ideas")) as url:
        done = run_small(folder, url)
    assert done.returncode == 1
    assert "no readable example in 4 attempts" in done.stderr
    assert paid_calls(folder) == 4


def test_a_base_that_never_parses_ends_at_the_probe_with_exit_six(folder: Path) -> None:
    with fake_server(good_instructor) as url:
        done = run_small(folder, url)
        assert done.returncode == 6, done.stderr
        assert "mumble mumble" in done.stderr
        n_paid = paid_calls(folder)
        again = run_small(folder, url)
    assert again.returncode == 6
    assert paid_calls(folder) == n_paid


def test_a_cap_ends_with_exit_four_and_a_raised_one_goes_on(folder: Path) -> None:
    with fake_server(good_instructor) as url:
        done = run_small(folder, url, "--budget", "requests=3")
        assert done.returncode == 4, done.stderr
        assert "--budget" in done.stderr
        assert paid_calls(folder) == 3
        more = run_small(folder, url, "--budget", "requests=100")
        assert more.returncode == 6, more.stderr
        assert paid_calls(folder) == 4 + 4 + 4  # examples, votes, probes: none of them twice


def test_a_full_disk_ends_resumable(folder: Path) -> None:
    def no_file_over_100_kb() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # what a full disk does, without filling one

    with fake_server(good_instructor) as url:
        full = run_small(folder, url, before=no_file_over_100_kb)
        n_paid = paid_calls(folder)
        done = run_small(folder, url)
    assert full.returncode == 5, full.stderr
    assert "help:" in full.stderr
    assert done.returncode == 6, done.stderr
    assert paid_calls(folder) - n_paid <= 4 + 4 + 4


def test_a_cache_miss_offline_is_one_clear_error(folder: Path) -> None:
    done = run_small(folder, "http://127.0.0.1:1/v1", "--offline")
    assert done.returncode == 1
    assert "offline" in done.stderr


def test_a_run_folder_that_holds_another_plan_is_refused(folder: Path) -> None:
    with fake_server(good_instructor) as url:
        run_small(folder, url)
        text = (folder / "small.yaml").read_text().replace("vote: {draws: 4}", "vote: {draws: 8}")
        (folder / "small.yaml").write_text(text)
        done = sdrl(folder, "run", "small.yaml", "--yes")
    assert done.returncode == 3
    assert "vote" in done.stderr
    assert "generate" not in done.stderr.split("would run again")[-1].split("\n")[0]


def test_a_corpus_file_that_changed_after_compiling_stops_the_run(folder: Path) -> None:
    (folder / "small.yaml").write_text(textwrap.dedent(SPEC.format(url="http://127.0.0.1:1/v1")))
    assert sdrl(folder, "compile", "small.yaml").returncode == 0
    with (folder / "passages.jsonl").open("a") as file:
        file.write('{"id": "p9", "text": "A passage that was slipped in."}\n')
    done = sdrl(folder, "run", "small.plan")
    assert done.returncode == 3
    assert "passages.jsonl" in done.stderr
