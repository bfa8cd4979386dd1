"""Our tables of TRL's fields against the installed TRL: nothing that changes a number is left to its defaults."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import pytest

from sdrl.spec.trl_fields import CONFIGS, FIELDS, OWNED
from sdrl.training import settings
from sdrl.training.data import Batch
from sdrl.training.job import TrainingJob

pytestmark = [pytest.mark.filterwarnings("ignore")]

Make = Callable[..., TrainingJob]


def fields_of(algorithm: str) -> dict[str, str]:
    """The fields of TRL's config, each with its types as our table writes them."""
    import trl

    config = getattr(trl, CONFIGS[algorithm])
    return {field.name: kinds(field.type) for field in dataclasses.fields(config) if field.init}


def kinds(annotation: Any) -> str:
    text = re.sub(r"<class '(\w+)'>", r"\1", str(annotation)).replace("typing.Union", "")
    parts = [part.strip() for part in re.sub(r"\[[^\]]*\]", "", text).split("|")]
    words = {{"tuple": "list"}.get(part, part) for part in parts if part != "None" and "." not in part}
    return "|".join([*sorted(words), *(["null"] if "None" in parts else [])])


def pinned_by(algorithm: str, job: TrainingJob) -> dict[str, Any]:
    return settings.CONFIGS[algorithm](job, Batch(2, 8, 1), "cpu")


@pytest.mark.parametrize("algorithm", ["grpo", "rloo", "sft"])
def test_each_field_is_pinned_owned_by_a_key_or_known_to_change_nothing(make_job: Make, algorithm: str) -> None:
    theirs = fields_of(algorithm)
    ours = set(pinned_by(algorithm, make_job(algorithm=algorithm)))
    assert set(theirs) - ours - set(OWNED) - settings.HARMLESS == set(), "TRL has grown: pin it or call it harmless"
    assert ours - set(theirs) == set(), "TRL has dropped a field that is pinned"


@pytest.mark.parametrize("algorithm", ["grpo", "rloo", "sft"])
def test_what_train_trl_may_set_is_what_trl_has_with_its_types(algorithm: str) -> None:
    theirs = {name: kind for name, kind in fields_of(algorithm).items() if name not in OWNED}
    # SFTConfig says bool where the others say bool or null: one table, the narrower type
    assert {**theirs, "shuffle_dataset": "bool"} == dict(FIELDS[algorithm])


def test_every_owned_and_harmless_field_is_one_of_trls() -> None:
    known = set().union(*(fields_of(algorithm) for algorithm in ("grpo", "rloo", "sft")))
    assert set(OWNED) - known == set()
    assert settings.HARMLESS - known == set()


@pytest.mark.parametrize("algorithm", ["grpo", "rloo", "sft", "rft"])
def test_trl_takes_what_is_pinned(make_job: Make, algorithm: str) -> None:
    import trl

    pinned = pinned_by(algorithm, make_job(algorithm=algorithm))
    made = getattr(trl, CONFIGS[algorithm])(**pinned)
    changed = {name: getattr(made, name) for name, value in pinned.items() if getattr(made, name) != value}
    unlike = {name for name, value in changed.items() if str(value).rpartition(".")[2].lower() != str(pinned[name])}
    # TRL follows gradient_checkpointing here, wants a list of report_to, and derives the third from a pinned one
    assert unlike <= {"activation_checkpointing", "report_to", "steps_per_generation"}
