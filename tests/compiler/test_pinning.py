"""``--pin``: commits of hub resources are looked up once and frozen. A stand-in for two calls plays the hub."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sdrl.cli.main import main
from sdrl.compiler import hub
from sdrl.compiler.compile import compile_spec
from sdrl.compiler.plan_file import read_plan
from tests.compiler.project import SPEC, write_project

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HUB_SPEC = (
    SPEC.replace("{files: [passages.jsonl],", "{dataset: owner/passages, limit: 5,")
    .replace("./base", "owner/model")
    .replace("file: test.jsonl", "dataset: owner/rows\n    limit: 2")
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """A hub on which everything has one commit; the list of what was looked up."""
    calls: list[tuple[str, str]] = []

    def resolve(name: str, revision: str | None, kind: str) -> str:
        assert revision is None
        calls.append((kind, name))
        return COMMIT

    def rows(
        name: str, config: str | None, split: str, revision: str | None, limit: int | None, base_dir: Path
    ) -> Iterator[Mapping[str, Any]]:
        assert (name, split, revision, limit) == ("owner/rows", "test", COMMIT, 2)
        yield from ({"question": f"{n} + 1?", "answer": f"#### {n + 1}"} for n in range(2))

    monkeypatch.setattr(hub, "resolve_revision", resolve)
    monkeypatch.setattr(hub, "stream_rows", rows)
    return calls


def test_pinning_freezes_commits_and_rows(tmp_path: Path, asked: list[tuple[str, str]]) -> None:
    spec = write_project(tmp_path, HUB_SPEC)
    loose, pinned = compile_spec(spec).plan, compile_spec(spec, pin=True)
    assert loose is not None and len(loose.pending) == 3
    plan = pinned.plan
    assert plan is not None, pinned.diagnostics
    assert plan.pending == ()
    assert sorted(asked) == [("dataset", "owner/passages"), ("dataset", "owner/rows"), ("model", "owner/model")]
    assert plan.identities["base"] == f"owner/model@{COMMIT}"
    assert plan.settings.models is not None and plan.settings.models.base.revision == COMMIT
    assert plan.settings.corpus[0].revision == COMMIT
    assert plan.settings.evaluate[0].revision == COMMIT
    assert plan.origins["models.base.revision"] == "pinned"
    rows = pinned.files["data/evaluate-test.jsonl"].splitlines()
    assert [json.loads(row)["gold"] for row in rows] == ["1", "2"]


def test_a_spec_with_the_commits_written_in_gives_the_same_hash(tmp_path: Path, asked: list[tuple[str, str]]) -> None:
    pinned = compile_spec(write_project(tmp_path / "a", HUB_SPEC), pin=True).plan
    text = HUB_SPEC.replace("limit: 5,", f"limit: 5, revision: {COMMIT},")
    text = text.replace("owner/model", f"owner/model, revision: {COMMIT}").replace(
        "limit: 2", f"revision: {COMMIT}\n    limit: 2"
    )
    written = compile_spec(write_project(tmp_path / "b", text), pin=True).plan
    assert pinned is not None and written is not None
    assert pinned.hash == written.hash


def test_a_hub_that_cannot_be_reached_is_one_clear_diagnostic_for_each_resource(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(name: str, revision: str | None, kind: str) -> str:
        raise hub.HubProblem(f"the hub did not give '{name}': offline", "try again")

    monkeypatch.setattr(hub, "resolve_revision", resolve)
    compiled = compile_spec(write_project(tmp_path, HUB_SPEC), pin=True)
    assert compiled.plan is None
    found = [(item.code, item.path) for item in compiled.diagnostics if item.is_error]
    assert found == [("E546", "corpus.0.dataset"), ("E546", "models.base.model"), ("E546", "evaluate.0")]


def test_only_a_full_commit_counts_as_a_revision() -> None:
    assert hub.is_commit(COMMIT)
    assert not any(hub.is_commit(revision) for revision in (None, "main", "v1.0", COMMIT[:12]))


Captured = pytest.CaptureFixture[str]


def test_pins_are_kept_until_they_are_made_anew(tmp_path: Path, asked: list[tuple[str, str]], capsys: Captured) -> None:
    spec, folder = write_project(tmp_path, HUB_SPEC), tmp_path / "sums.plan"
    assert main(["compile", str(spec), "--pin"]) == 0
    pinned, looked_up = read_plan(folder), len(asked)
    assert main(["compile", str(spec), "--check"]) == 0
    write_project(tmp_path, HUB_SPEC.replace("epochs: 2", "epochs: 3"))
    capsys.readouterr()
    assert main(["diff", str(folder), str(spec)]) == 0
    shown = capsys.readouterr().out
    assert "train.epochs" in shown and "2 stages to run again, 9 to stay" in shown
    assert main(["compile", str(spec)]) == 0
    again = read_plan(folder)
    assert len(asked) == looked_up and again.pending == ()
    assert (again.identities, again.corpus, again.evaluations) == (pinned.identities, pinned.corpus, pinned.evaluations)
    assert again.origins["evaluate.0.revision"] == "pinned"
    assert main(["compile", str(spec), "--pin"]) == 0 and len(asked) == 2 * looked_up


def test_rows_are_not_kept_where_what_makes_them_has_changed(tmp_path: Path, asked: list[tuple[str, str]]) -> None:
    spec = write_project(tmp_path, HUB_SPEC)
    main(["compile", str(spec), "--pin"])
    held = read_plan(tmp_path / "sums.plan")
    for before, after in (("{question}", "Q: {question}"), ("limit: 2", "limit: 1"), ("owner/rows", "owner/others")):
        changed = compile_spec(write_project(tmp_path, HUB_SPEC.replace(before, after)), held=held).require()
        assert [name.split(":")[0] for name in changed.pending] == ["evaluate.test"]
    own = HUB_SPEC.replace("owner/model", "owner/model, revision: v2").replace("owner/passages", "owner/more")
    pending = compile_spec(write_project(tmp_path, own), held=held).require().pending
    assert [name.split(":")[0] for name in pending] == ["corpus.0", "models.base"]


def test_pending_resources_are_told_in_one_block(tmp_path: Path, capsys: Captured) -> None:
    spec = write_project(tmp_path, HUB_SPEC)
    assert main(["compile", str(spec)]) == 0
    told = capsys.readouterr().err.split("\n")
    told = told[told.index("W501 3 resources are not at hand yet") :]
    assert [line.split("  ")[-1] for line in told[1:4]] == [
        "data set owner/passages:train@main",
        "hub model owner/model@main",
        "data set owner/rows:test@main",
    ]
    assert told[1].startswith(f"  {spec}:14 ") and "--pin" in told[4]


class _StandInHub(BaseHTTPRequestHandler):
    """What the hub's library asks for: one commit for every repository, and a tokenizer with a chat template."""

    asked: list[str] = []  # noqa: RUF012

    def do_HEAD(self) -> None:
        self._reply(send=False)

    def do_GET(self) -> None:
        self._reply(send=True)

    def _reply(self, *, send: bool) -> None:
        self.asked.append(self.path)
        if self.path.startswith("/api/"):
            name = self.path.split("/", 3)[3].split("?")[0].removesuffix("/revision/main")
            body = json.dumps({"id": name, "sha": COMMIT, "siblings": []}).encode()
        elif self.path.endswith("tokenizer_config.json"):
            body = json.dumps({"chat_template": "{% for m in messages %}[{{ m.content }}]{% endfor %}"}).encode()
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", '"abc"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if send:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_pin_asks_a_real_library_and_a_stand_in_hub(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _StandInHub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    text = SPEC.replace("{files: [passages.jsonl],", "{dataset: owner/passages,").replace("./base", "owner/model")
    spec = write_project(tmp_path, text.replace("prompt: raw}", "prompt: chat}"))
    environment = {
        **os.environ,
        "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "HF_HOME": str(tmp_path / "hf"),
    }
    try:
        words = [sys.executable, "-m", "sdrl", "compile", str(spec), "--pin"]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=600, check=False)
    finally:
        server.shutdown()
        server.server_close()
    assert done.returncode == 0, done.stderr
    plan = read_plan(tmp_path / "sums.plan")
    assert plan.pending == () and plan.identities["base"] == f"owner/model@{COMMIT}"
    assert plan.corpus[0].path == f"hub:owner/passages:train@{COMMIT}"
    assert plan.base.chat_template == "{% for m in messages %}[{{ m.content }}]{% endfor %}"
    assert any(path.startswith("/api/datasets/owner/passages") for path in _StandInHub.asked)
    assert main(["compile", str(spec)]) == 0  # the hub is gone, and nothing of it is needed
    assert read_plan(tmp_path / "sums.plan") == plan


def test_an_error_of_the_http_client_is_a_problem_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    client = next((found for name in ("httpx2", "httpx") if (found := _importable(name))), None)
    assert client is not None, "the hub's library has another client now: name it here"

    def refuse(*_: object, **__: object) -> None:
        raise client.ConnectError("[Errno -2] Name or service not known")

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", refuse)
    with pytest.raises(hub.HubProblem) as caught:
        hub.resolve_revision("owner/model", None, "model")
    assert "Name or service not known" in caught.value.message and "download it once" in caught.value.help


def _importable(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
