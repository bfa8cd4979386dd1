"""``train.trl.report_to``: it reaches TRL, changes no hash, and is refused before anything is paid for."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.compile import compile_spec
from sdrl.run.versions import refuse_missing_trackers
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.trl_fields import TRACKERS, refusal, trackers
from sdrl.training import settings
from sdrl.training.data import Batch
from sdrl.training.job import TrainingJob

pytestmark = [pytest.mark.filterwarnings("ignore")]
SPEC = Path(__file__).parents[2] / "specs" / "word-problems.yaml"

Make = Callable[..., TrainingJob]


@pytest.mark.parametrize("algorithm", ["grpo", "rloo", "sft", "rft"])
def test_it_reaches_trl_and_is_off_without_it(make_job: Make, algorithm: str) -> None:
    def reported(**trl: Any) -> Any:
        job = make_job(algorithm=algorithm, trl=trl)
        settings.check_trl(job)
        return settings.CONFIGS[algorithm](job, Batch(2, 8, 1), "cpu")

    assert reported()["report_to"] == "none"
    asked = reported(report_to=["wandb", "tensorboard"], run_name="first", project="toys")
    assert (asked["report_to"], asked["run_name"], asked["project"]) == (["wandb", "tensorboard"], "first", "toys")


def test_every_tracker_is_one_of_transformers() -> None:
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    assert set(TRACKERS) == set(INTEGRATION_TO_CALLBACK)


def test_a_training_is_the_same_wherever_its_curves_go(make_job: Make) -> None:
    plain, sent = make_job(), make_job(trl={"report_to": "wandb", "run_name": "first"})
    assert plain.identity() == sent.identity() != make_job(trl={"epsilon": 0.3}).identity()


def test_the_plan_is_the_same_wherever_curves_go(tmp_path: Path) -> None:
    def hash_of(name: str, trl: str) -> str:
        path = tmp_path / f"{name}.yaml"
        text = SPEC.read_text(encoding="utf-8").replace("\ntrain:\n", f"\ntrain:\n  trl: {trl}\n")
        path.write_text(text.replace("files: [", f"files: [{SPEC.parent}/").replace("file: ", f"file: {SPEC.parent}/"))
        compiled = compile_spec(path)
        assert compiled.plan is not None, compiled.diagnostics
        return compiled.plan.hash

    assert hash_of("plain", "{}") == hash_of("sent", "{report_to: wandb}") != hash_of("other", "{epsilon: 0.3}")


def test_an_unknown_one_is_told_with_the_nearest() -> None:
    assert refusal("grpo", "report_to", "wandbb") == (
        "train.trl.report_to cannot be 'wandbb'",
        "did you mean wandb?",
    )
    assert refusal("sft", "report_to", ["tensorboard", "none"]) is None
    assert trackers({"report_to": ["all", "mlflow"]}) == ["mlflow"]


def test_one_that_is_not_installed_is_refused_before_the_run_spends() -> None:
    refuse_missing_trackers({"report_to": "none"})
    absent = [name for name, packages in TRACKERS.items() if not any(map(find_spec, packages))]
    assert absent, "every tracker is installed here: nothing can be refused"
    with pytest.raises(SdrlError) as caught:
        refuse_missing_trackers({"report_to": ["none", absent[0]]})
    assert caught.value.code == "E804"
    assert caught.value.help == f"pip install {TRACKERS[absent[0]][0]}"
