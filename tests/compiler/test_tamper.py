"""Whatever happens to a plan folder, reading it is one clear refusal that names the place; never a traceback."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdrl.cli.main import main
from sdrl.compiler.canonical import flatten, pretty_json
from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.plan import Plan
from sdrl.compiler.plan_file import read_plan
from sdrl.compiler.seals import seal_sections
from sdrl.spec.diagnostics import Exit, SdrlError
from tests.compiler.project import write_project

REFUSALS = ("E601", "E602", "E604", "E609")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan that lies apart from its spec, so that it has every file a plan can have."""
    folder = tmp_path_factory.mktemp("plans")
    spec = write_project(folder / "project")
    write_plan(compile_spec(spec), folder / "plan")
    assert read_plan(folder / "plan").hash
    return folder / "plan"


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "deep" / "plan"))


def refused(folder: Path) -> SdrlError:
    with pytest.raises(SdrlError) as caught:
        read_plan(folder)
    assert caught.value.exit == Exit.STALE
    assert caught.value.code in REFUSALS
    return caught.value


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_flipped_byte_in_any_file_is_found_and_the_file_named(folder: Path) -> None:
    rng = random.Random(5)
    for name in names(folder):
        path = folder / name
        whole = path.read_bytes()
        for at in rng.sample(range(len(whole)), min(len(whole), 6)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ rng.choice((1, 2, 32, 128))]) + whole[at + 1 :])
            message = refused(folder).message
            assert name in message or name == "plan.json", (name, at, message)
            if name not in ("plan.json", "location.json"):
                line = whole[:at].count(b"\n") + 1
                changed = path.read_bytes()
                first = line if changed[:at].count(b"\n") == line - 1 else None
                assert first is None or f"{name}:{first}" in message, (name, at, message)
        path.write_bytes(whole)
    assert read_plan(folder).hash


def test_every_leaf_of_plan_json_that_is_changed_is_named_with_its_old_and_new_value(folder: Path) -> None:
    path = folder / "plan.json"
    document = json.loads(path.read_bytes())
    rng = random.Random(1)
    leaves = [leaf for leaf in flatten(document) if not leaf.startswith(("seals", "lines", "schema"))]
    for leaf in rng.sample(leaves, 80):
        old, holder, key = _locate(document, leaf)
        new = "changed" if old != "changed" else "again"
        holder[key] = new
        path.write_bytes(pretty_json(document))
        holder[key] = old
        message = refused(folder).message
        assert f"{leaf} (compiled {json.dumps(old, ensure_ascii=False)[:40]}" in message, message
        assert 'now "changed")' in message
    path.write_bytes(pretty_json(document))
    assert read_plan(folder).hash


def _locate(document: Any, leaf: str) -> tuple[Any, Any, Any]:
    """A leaf's value, the table or list that holds it, and its key there; keys may contain dots."""
    holder, rest = document, leaf
    while True:
        keys = range(len(holder)) if isinstance(holder, list) else holder
        if rest in map(str, keys):
            key: Any = int(rest) if isinstance(holder, list) else rest
            return holder[key], holder, key
        key = next(key for key in keys if rest.startswith(f"{key}.") and isinstance(holder[key], dict | list))
        holder, rest = holder[key], rest.removeprefix(f"{key}.")


def test_a_removed_value_is_named(folder: Path) -> None:
    path = folder / "plan.json"
    document = json.loads(path.read_bytes())
    del document["settings"]["vote"]["draws"]
    path.write_bytes(pretty_json(document))
    assert "settings.vote.draws (compiled 8, now missing)" in refused(folder).message


@pytest.mark.parametrize("kind", ["missing", "a folder", "empty", "half"])
def test_a_file_that_is_not_what_it_was_is_named(folder: Path, kind: str) -> None:
    for name in names(folder):
        if name == "location.json" and kind == "missing":
            continue  # then the spec is looked for beside the plan
        path = folder / name
        whole = path.read_bytes()
        path.unlink()
        if kind == "a folder":
            path.mkdir()
        elif kind != "missing":
            path.write_bytes(b"" if kind == "empty" else whole[: len(whole) // 2])
        if not (name == "location.json" and kind == "a folder"):
            assert name in refused(folder).message
        path.rmdir() if kind == "a folder" else path.unlink(missing_ok=True)
        path.write_bytes(whole)


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["../../etc/passwd", "/", "\x00", "\ud800", "sha256", ".", "plan.json"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def _spots(document: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    stack = [document]
    while stack:
        holder = stack.pop()
        keys = range(len(holder)) if isinstance(holder, list) else list(holder)
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                stack.append(holder[key])
    return found


CHANGES = st.lists(
    st.tuples(st.integers(0, 10**6), st.sampled_from(["replace", "remove", "add"]), JUNK), min_size=1, max_size=3
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(changes=CHANGES, reseal=st.booleans())
def test_no_mutilated_plan_json_ends_in_a_traceback(original: Path, changes: list[Any], reseal: bool) -> None:
    """``reseal``: as somebody would who forges the seals too; such a plan is refused or harmless."""
    path = original / "plan.json"
    whole = path.read_bytes()
    document = json.loads(whole)
    for place, way, junk in changes:
        spots = _spots(document)
        holder, key = spots[place % len(spots)]
        WAYS[way](holder, key, junk)
    try:
        if reseal:
            document["seals"] = seal_sections(document)
        text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, RecursionError):
        return  # no JSON that anybody could have written
    try:
        path.write_bytes(text + b"\n")
        read = read_plan(original)
    except SdrlError as error:
        assert (error.exit, error.code in REFUSALS) == (Exit.STALE, True)
    else:
        assert isinstance(read, Plan) and (reseal or text + b"\n" == whole)
    finally:
        path.write_bytes(whole)


def test_a_plan_without_its_list_of_files_is_refused_even_with_forged_seals(original: Path) -> None:
    path = original / "plan.json"
    whole = path.read_bytes()
    document = json.loads(whole)
    del document["files"]
    document["seals"] = seal_sections(document)
    try:
        path.write_text(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
        with pytest.raises(SdrlError, match="files") as refused:
            read_plan(original)
    finally:
        path.write_bytes(whole)
    assert (refused.value.code, refused.value.exit) == ("E602", Exit.STALE)


def _replace(holder: Any, key: Any, junk: Any) -> None:
    holder[key] = junk


def _remove(holder: Any, key: Any, _: Any) -> None:
    del holder[key]


def _add(holder: Any, _: Any, junk: Any) -> None:
    if isinstance(holder, dict):
        holder[str(junk)[:20]] = junk
    else:
        holder.append(junk)


WAYS: dict[str, Callable[[Any, Any, Any], None]] = {"replace": _replace, "remove": _remove, "add": _add}


@pytest.mark.parametrize(
    "text",
    [
        b'{"schema": 1, "seals": {"a": {"sha256": "", "leaves": 3}}, "a": ' + b"[" * 900 + b"]" * 900 + b"}",
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"schema": 1}',
        b'{"schema": 1, "seals": {}, "files": {}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
    ids=range(9),
)
def test_what_is_no_plan_is_refused(folder: Path, text: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "plan.json").write_bytes(text)
    refused(folder)
    for words in (
        ["plan", str(folder)],
        ["run", str(folder)],
        ["verify", str(folder)],
        ["diff", str(folder), str(folder)],
    ):
        assert main(words) == 3
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err and shown.out == ""
