"""Every shipped spec compiles to the reviewed prompts and hashes (written by ``python -m tests.compiler.golden``)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdrl.compiler.compile import compile_spec
from tests.compiler.golden import FOLDER, golden_text, shipped


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_a_shipped_spec_compiles_to_its_golden_plan(path: Path) -> None:
    compiled = compile_spec(path)
    assert compiled.plan is not None, compiled.diagnostics
    expected = (FOLDER / f"{path.stem}.txt").read_text(encoding="utf-8")
    assert expected == golden_text(compiled)


def test_no_golden_file_lacks_its_spec() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {path.stem for path in shipped()}
