"""``--pin``: commits of hub resources are looked up once and frozen. A stand-in for two calls plays the hub."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler import hub
from sdrl.compiler.compile import compile_spec
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
