"""Rows, seals and the store: what counts as done, and what a changed byte does."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdrl.run.artifacts import Artifacts, encode_rows, read_rows
from sdrl.run.folder import RunFolder, write_atomic
from sdrl.run.lock import hold, holder_pid
from sdrl.spec.diagnostics import Exit, SdrlError

ROWS = [{"id": "a", "text": "é {{ x }}"}, {"id": "b", "n": 1}]


def sealed(root: Path, store: Path, stage_hash: str = "h1") -> Artifacts:
    folder = RunFolder(root)
    folder.create()
    artifacts = Artifacts(folder, store)
    dropped = [{"id": "c", "code": "duplicate"}]
    artifacts.write("vote", stage_hash, ROWS, dropped, came_in=3, seconds=0.5, notes={}, versions={})
    return artifacts


def test_a_sealed_stage_is_done_under_its_own_hash_only(tmp_path: Path) -> None:
    artifacts = sealed(tmp_path / "run", tmp_path / "store")
    assert artifacts.is_sealed("vote", "h1")
    assert not artifacts.is_sealed("vote", "h2")
    assert artifacts.rows("vote") == ROWS


def test_a_changed_byte_breaks_the_seal(tmp_path: Path) -> None:
    artifacts = sealed(tmp_path / "run", tmp_path / "store")
    path = artifacts.path("vote")
    path.write_bytes(path.read_bytes().replace(b"1", b"2"))
    assert not artifacts.is_sealed("vote", "h1")


def test_another_run_takes_a_stage_from_the_store_by_its_hash(tmp_path: Path) -> None:
    sealed(tmp_path / "one", tmp_path / "store").keep("vote", "h1")
    folder = RunFolder(tmp_path / "two")
    folder.create()
    other = Artifacts(folder, tmp_path / "store")
    assert not other.fetch("vote", "h2")
    assert other.fetch("vote", "h1")
    assert other.rows("vote") == ROWS
    assert (other.seal("vote") or {})["dropped"] == {"duplicate": 1}


def test_a_stage_that_was_damaged_in_the_store_is_not_taken_and_is_kept_anew(tmp_path: Path) -> None:
    one = sealed(tmp_path / "one", tmp_path / "store")
    one.keep("vote", "h1")
    (tmp_path / "store/artifacts/h1/vote.jsonl").write_bytes(b'{"id": "a"')
    folder = RunFolder(tmp_path / "two")
    folder.create()
    other = Artifacts(folder, tmp_path / "store")
    assert not other.fetch("vote", "h1")
    one.keep("vote", "h1")
    assert other.fetch("vote", "h1")
    assert other.rows("vote") == ROWS


def test_equal_rows_give_equal_bytes_and_a_torn_last_line_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(encode_rows(ROWS) + b'{"id": "c", "te')
    assert read_rows(path) == ROWS
    assert encode_rows([{"b": 1, "a": 2}]) == encode_rows([{"a": 2, "b": 1}])


def test_an_atomic_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")
    with pytest.raises(TypeError):
        write_atomic(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_second_writer_is_refused_and_told_who_holds_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "run" / "lock"
    with hold(path):
        assert holder_pid(path)
        with pytest.raises(SdrlError, match="another process") as refused, hold(path):
            pass
        assert refused.value.exit == Exit.STOPPED
    assert holder_pid(path) is None
