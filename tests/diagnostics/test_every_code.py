"""Every code has a fixture that earns it, the text a user then reads, and its section of docs/diagnostics.md."""

from __future__ import annotations

import pytest

from sdrl.spec.codes import CODES, GROUPS, group_of
from tests.diagnostics.page import BAD_SPECS, PAGE, goldens, page
from tests.diagnostics.scene import GOLDEN, Scene, scenes

SCENES = scenes()


@pytest.mark.parametrize("played", SCENES, ids=lambda scene: scene.name)
def test_a_scene_reads_as_its_golden_text(played: Scene) -> None:
    assert played.golden.is_file(), f"run: python -m tests.diagnostics.golden {played.code}"
    text = played.text()
    assert played.code in text
    assert text == played.golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("code", CODES)
def test_a_code_has_a_fixture_and_its_text(code: str) -> None:
    specs = {path.stem[:4] for path in BAD_SPECS.glob("*.yaml")}
    played = {scene.code for scene in SCENES}
    assert code in specs | played, (
        f"nothing earns {code}: add tests/spec/bad/{code}.yaml (a spec), or a scene to tests/diagnostics/scenes_*.py; "
        "then run 'make golden' and read the diff"
    )
    texts = [path for path in goldens(code) if f"{code}" in path.read_text(encoding="utf-8")]
    assert texts, f"{code} has no golden text: run 'make golden' and read the diff"


def test_no_golden_text_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {scene.golden.name for scene in SCENES}
    assert {scene.code for scene in SCENES} <= set(CODES)


def test_the_page_is_what_the_generator_makes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run 'make golden' and commit docs/diagnostics.md"


@pytest.mark.parametrize("code", CODES)
def test_a_code_has_its_section_with_the_text_a_user_reads(code: str) -> None:
    assert group_of(code) in GROUPS
    text = PAGE.read_text(encoding="utf-8")
    assert f"\n### {code}\n" in text
    section = text.split(f"\n### {code}\n", 1)[1].split("\n### ", 1)[0]
    for part in ("\nNot so:\n", "\nBut so:\n", "\nWhat is read:\n"):
        assert part in section, f"{code} lacks '{part.strip()}': run 'make golden'"
