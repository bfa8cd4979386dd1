"""Starting and stopping runs: the cost is shown, one yes starts what was shown, in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sdrl.authoring.effects import StartRun
from sdrl.authoring.events import Acted, Opened
from sdrl.authoring.launch import started
from sdrl.authoring.runs import last_words
from sdrl.authoring.state import State
from sdrl.authoring.workbench import Replay, Workbench
from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.plan_file import read_plan
from sdrl.spec.diagnostics import SdrlError
from tests.authoring.small_spec import SMALL
from tests.waiting import comes_true

MODELS = """\
models:
  instructor: {model: scripted-instructor, endpoint: embedded, price: {input: 0, output: 0}}
  base: {model: toy-base, serve: embedded}
"""
SPEC = SMALL + "budget: {usd: 7}\n"
HOLDER = """\
import sys, signal
from pathlib import Path
from sdrl.run.lock import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    signal.sigwait({signal.SIGTERM})
"""


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """A spec that can run, open in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    made = Workbench()
    made.dispatch(Opened("sums.yaml", SPEC + MODELS))
    return made


@contextmanager
def held(run: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds a run until it is asked to stop."""
    run.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-c", HOLDER, str(run / "lock")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def last(state: State) -> str:
    return state.turns[-1].text


def keep_plan(text: str, run: str, *events: dict[str, object]) -> None:
    """A run folder of a spec's plan, as ``sdrl run`` leaves it."""
    Path("sums.yaml").write_text(text)
    write_plan(compile_spec("sums.yaml"), Path(run) / "plan")
    (Path(run) / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))


def test_the_first_start_shows_the_cost_and_starts_nothing(bench: Workbench, tmp_path: Path) -> None:
    state = bench.dispatch(Acted("start"))
    assert last(state).startswith("a new run in runs/sums, plan ")
    assert "cost       $0.00 expected, $0.00 at worst" in last(state)
    assert "budget     at most $7.00" in last(state)
    assert state.offer is not None
    assert state.offer.run == "runs/sums"
    assert not (tmp_path / "runs").exists()


def test_a_change_of_the_spec_takes_the_offer_back(bench: Workbench, tmp_path: Path) -> None:
    bench.dispatch(Acted("start"))
    bench.dispatch(Acted("set", "seed 3"))
    state = bench.dispatch(Acted("start"))
    assert last(state).startswith("a new run in runs/sums")
    assert not (tmp_path / "runs").exists()


def test_only_the_plan_that_was_shown_is_started(bench: Workbench) -> None:
    with pytest.raises(SdrlError, match="has changed since"):
        started(StartRun("sums.yaml", SPEC + MODELS, "runs/sums", "ab" * 32))
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SPEC, "E846 the spec names no models; /interview asks for them"),
        (SPEC + MODELS + "nope: 1\n", "sums.yaml has 1 error and was not compiled"),
        (SPEC + MODELS + "corpus: [{dataset: a/b, config: c}]\n", "not at hand yet"),
    ],
)
def test_a_spec_that_cannot_run_is_told_the_next_step(bench: Workbench, text: str, said: str) -> None:
    bench.dispatch(Opened("sums.yaml", text))
    state = bench.dispatch(Acted("start"))
    assert said in last(state)
    assert state.offer is None


def test_a_run_whose_key_is_not_set_is_not_offered(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    paid = MODELS.replace("endpoint: embedded", "endpoint: 'http://127.0.0.1:9/v1', key_env: NO_SUCH_KEY", 1)
    assert paid != MODELS
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    bench.dispatch(Opened("sums.yaml", SPEC + paid))
    state = bench.dispatch(Acted("start"))
    assert "E819 the variable NO_SUCH_KEY" in last(state) and "start sdrl tui again" in last(state)
    assert state.offer is None
    monkeypatch.setenv("NO_SUCH_KEY", "a stand-in")
    assert bench.dispatch(Acted("start")).offer is not None


def test_a_run_of_the_same_plan_goes_on_and_one_of_another_plan_is_left_alone(bench: Workbench) -> None:
    keep_plan(SPEC + MODELS, "runs/sums")
    assert last(bench.dispatch(Acted("start"))).startswith("runs/sums goes on where it stopped")
    bench.dispatch(Acted("set", "seed 3"))
    assert last(bench.dispatch(Acted("start"))).startswith("a new run in runs/sums-2")
    assert "runs/sums holds a run of another plan" in last(bench.dispatch(Acted("start", "sums")))


def test_a_finished_run_is_said_to_be_finished(bench: Workbench) -> None:
    keep_plan(SPEC + MODELS, "runs/sums", {"type": "run_finished", "status": "done", "exit": 0, "message": "done"})
    assert "has run this very plan to its end" in last(bench.dispatch(Acted("start")))


def test_a_run_under_way_is_not_started_twice_and_is_asked_to_stop(bench: Workbench) -> None:
    keep_plan(SPEC + MODELS, "runs/sums")
    with held(Path("runs/sums")) as process:
        assert "runs/sums is under way already; /run shows it" in last(bench.dispatch(Acted("start")))
        assert f"asked runs/sums (pid {process.pid}) to stop" in last(bench.dispatch(Acted("stop")))
        assert process.wait(600) == -signal.SIGTERM
    assert "nothing runs in runs/sums" in last(bench.dispatch(Acted("stop", "sums")))


def test_a_started_run_is_a_process_of_its_own_with_the_plan_that_was_shown(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "fake-python"
    fake.write_text(f"#!{sys.executable}\nimport os, sys\nprint(os.getsid(0) == os.getpid(), *sys.argv[1:])\n")
    fake.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(fake))
    offer = bench.dispatch(Acted("start")).offer
    state = bench.dispatch(Acted("start"))
    assert offer is not None
    assert read_plan(Path("runs/sums/plan")).hash == offer.plan
    assert state.view == "run"
    assert any(turn.text.startswith("runs/sums started (pid ") for turn in state.turns)
    told = "True -m sdrl run runs/sums/plan --run runs/sums"
    assert comes_true(lambda: last_words(Path("runs/sums")) == [told])  # a line that is half written is none yet
    shown = bench.dispatch(Acted("run")).panels["run"]
    assert shown.lines[-1] == told  # a run that has told nothing yet: what its process says


def test_a_replay_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bench = Replay()
    for event in (Opened("sums.yaml", SPEC + MODELS), Acted("start"), Acted("start"), Acted("stop")):
        bench.dispatch(event)
    assert list(tmp_path.iterdir()) == []
