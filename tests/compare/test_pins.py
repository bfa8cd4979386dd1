"""A suite whose spec names the hub: looked up once, kept by every cell and by the suite that goes on."""

from __future__ import annotations

from pathlib import Path

from sdrl.compare.cells import cells_of
from sdrl.compare.loading import load_suite
from sdrl.compare.pinning import FOLDER, with_pins
from sdrl.compare.running import plan_cells
from tests.compiler.project import write_project
from tests.compiler.test_pinning import HUB_SPEC, asked

__all__ = ["asked"]  # the fixture: a stand-in for the hub


def test_the_hub_is_looked_at_once_for_all_cells(tmp_path: Path, asked: list[tuple[str, str]]) -> None:
    write_project(tmp_path, HUB_SPEC)
    path = tmp_path / "suite.yaml"
    path.write_text("suite: 1\nname: s\nspec: sums.yaml\nseeds: [0, 1]\narms: [reference, no-adaptation]\n")
    suite, root = load_suite(path), tmp_path / "run"
    assert with_pins(suite, root, look_up=False) is suite
    assert not root.exists()
    pinned = with_pins(suite, root, look_up=True)
    assert sorted(kind for kind, _ in asked) == ["dataset", "dataset", "model"]
    first = plan_cells(pinned, cells_of(pinned))
    again = plan_cells(with_pins(suite, root, look_up=True), cells_of(suite))
    assert len(asked) == 3
    assert [each.hash for each in first] == [each.hash for each in again]
    assert pinned.pins is not None
    assert pinned.pins.pending == ()
    assert pinned.pins.hash == first[0].hash
    assert [entry.name for entry in root.iterdir()] == [FOLDER]


def test_a_suite_with_all_at_hand_has_no_pins(tmp_path: Path) -> None:
    write_project(tmp_path)
    path = tmp_path / "suite.yaml"
    path.write_text("suite: 1\nname: s\nspec: sums.yaml\narms: [reference]\n")
    suite = load_suite(path)
    assert with_pins(suite, tmp_path / "run", look_up=True) is suite
    assert not (tmp_path / "run").exists()
