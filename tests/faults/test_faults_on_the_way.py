"""The data pipeline against an endpoint that fails in every way a tenth and half of the time: nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.fault_server import ODD, ON_THE_WAY
from tests.faults.project import Size, fault_server, made, sdrl, sent_twice, write_project
from tests.faults.zygote import Zygote

COMMAND = ("run", "small.yaml", "--yes", "--until", "score")
ODDLY = ("--odd", "0.1")


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    warm = Zygote()
    yield warm
    warm.close()


@pytest.fixture(scope="module")
def undisturbed(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Rows of a run in which every first try is answered; what the model says is as odd as in the others."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with fault_server(folder, *ODDLY) as server:
        write_project(folder / "project", server.url)
        ended = zygote.run(folder / "project", *COMMAND)
        assert ended.code == 0, ended.said
        assert not sent_twice(server.calls())
        assert {kind for call in server.calls() for kind in call["odd"]} == set(ODD)
    rows = made(folder / "project/runs/small")
    codes = {json.loads(line)["code"] for name in rows if "dropped" in name for line in rows[name].splitlines()}
    assert {"filtered", "no_json"} <= codes
    return rows


@pytest.mark.parametrize("share", ["0.1", "0.5"])
def test_every_fault_costs_tries_and_nothing_else(
    zygote: Zygote, undisturbed: dict[str, bytes], tmp_path: Path, share: str
) -> None:
    with fault_server(tmp_path, *ODDLY, "--share", share, "--seed", "3") as server:
        write_project(tmp_path / "project", server.url)
        ended = zygote.run(tmp_path / "project", *COMMAND)
        calls = server.calls()
    assert ended.code == 0, ended.said
    assert made(tmp_path / "project/runs/small") == undisturbed
    assert not sent_twice(calls)
    met = {call["fault"] for call in calls} - {None}
    assert met == set(ON_THE_WAY) if share == "0.5" else len(met) > 5
    assert abs(sum(call["fault"] is not None for call in calls) / len(calls) - float(share)) < 0.1


def test_a_reply_that_never_comes_is_asked_for_again(tmp_path: Path) -> None:
    size = Size(samples=4, attempts=8, draws=2, passages=8)
    with fault_server(tmp_path) as good, fault_server(tmp_path, "--hangs", "--share", "0.3") as hanging:
        for name, server in (("good", good), ("hanging", hanging)):
            write_project(tmp_path / name, server.url, size)
            code, said = sdrl(tmp_path / name, *COMMAND, more={"FAULT_TESTS_TIMEOUT_S": "0.5"})
            assert code == 0, said
        hung = [call for call in hanging.calls() if call["fault"] == "hang"]
    assert hung
    assert made(tmp_path / "good/runs/small") == made(tmp_path / "hanging/runs/small")
