"""A run that is ended at every fsync, rename and commit, before and after it, is finished by the same command.

Before each point, and after each commit: what lies after an fsync or a rename is what lies before the next point. The
same with a disk that is full from a point on. ``make faults`` adds every single write of SQLite, torn ones too.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.faults.everywhere import TINY, Everywhere, everywhere
from tests.faults.points import ORDINARY, Kind, When
from tests.faults.project import fault_server


@pytest.fixture(scope="module")
def tiny() -> Iterator[Everywhere]:
    memory = Path("/dev/shm")  # a kill leaves there what it leaves on a disk, and sooner
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        folder = Path(name)
        with fault_server(folder, "--odd", "0.1") as server, everywhere(folder, server, until="vote") as every:
            yield every


@pytest.mark.parametrize(
    ("when", "kinds", "stride", "code", "at_least"),
    [("before", ORDINARY, 1, -9, 60), ("after", ("commit",), 1, -9, 6), ("full", ORDINARY, 5, 5, 12)],
)
def test_the_same_command_finishes_with_the_same_bytes_and_pays_twice_for_what_was_in_flight_alone(
    tiny: Everywhere, when: When, kinds: Sequence[Kind], stride: int, code: int, at_least: int
) -> None:
    outcomes = tiny.enumerate(when, kinds, stride)
    assert len(outcomes) >= at_least
    # that the page cannot be written takes nothing from the run
    ends = {each.at: 0 if when == "full" and each.is_page else code for each in outcomes}
    wrong = [each for each in outcomes if (each.ended, each.finished, each.same) != (ends[each.at], 0, True)]
    assert not wrong
    assert max(each.twice for each in outcomes) <= 2 * TINY.concurrency


def test_what_is_renamed_into_place_is_on_the_disk_before_and_its_name_after(tiny: Everywhere) -> None:
    renames = [(at, *met.split(" ")[1:4:2]) for at, met in enumerate(tiny.met) if met.startswith("rename ")]
    # a plan is synced as a whole; an index and what is known of an endpoint are made again when they are lost
    passing = ("/.plan.partial/", "/indexes/", "/.endpoints-")
    finished = [each for each in renames if not any(name in each[1] for name in passing)]
    assert len(finished) > 15
    for at, source, target in finished:
        assert f"fsync {source}" in tiny.met[:at], source
        assert f"fsync {target.rpartition('/')[0]}" in tiny.met[at:], target
