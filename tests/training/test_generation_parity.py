"""One generation contract: the embedded server's model and TRL's rollouts give the same completions and verdicts.

The same prompts through both, greedy (a nucleus of one token) and sampled; real TRL, the toy base. `tests/vllm` holds
vLLM to the same.
"""

from __future__ import annotations

import json
import math
import shutil
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sdrl.compiler.compile import compile_spec
from sdrl.compiler.identities import embedded_folder
from sdrl.compiler.prompts import Prompts
from sdrl.embedded.base import BaseModel
from sdrl.embedded.protocol import Sampling
from sdrl.spec.locate import specs_dir
from sdrl.training.job import TrainingJob
from sdrl.verifier import Verifier

# Warnings of torch, transformers and trl about each other are not ours to mend.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

Make = Callable[..., TrainingJob]
TOY = embedded_folder() / "toy_base"
LIMIT = 64


class Completion(NamedTuple):
    """What all ways of generating are compared by."""

    text: str
    is_truncated: bool
    tokens: int


class Problem(NamedTuple):
    """A prompt of the demo's test set and its gold."""

    prompt: str
    gold: str


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    plan = compile_spec(specs_dir() / "word-problems.yaml").require()
    rows = (specs_dir() / "data/word-problems-test.jsonl").read_text().splitlines()
    found = map(json.loads, rows[:32])
    prompts = Prompts(plan)
    return [
        Problem(prompts.answer(plan.parts[0], row["question"], None), row["answer"].rpartition("####")[2].strip())
        for row in found
    ]


def embedded(
    folder: Path, prompts: Sequence[str], *, n: int = 1, temperature: float = 0.0, **ends: Any
) -> list[list[Completion]]:
    model = BaseModel(folder, threads=1)
    sampling = Sampling(n, temperature, 1.0, 0, LIMIT, tuple(ends.get("stop", ())), 7, tuple(ends.get("end_ids", ())))
    return [
        [
            Completion(row.text, row.finish_reason == "length", row.tokens)
            for row in model.complete(prompt, sampling).rows
        ]
        for prompt in prompts
    ]


def rolled_out(job: TrainingJob, prompts: Sequence[str], n: int) -> tuple[list[list[Completion]], list[Completion]]:
    """TRL's rollouts, ``n`` a prompt, and the greedy completions of a look at the validation split."""
    import torch

    from sdrl.training import trainers
    from sdrl.training.callbacks import Watcher, as_callback
    from sdrl.training.generation import greedy
    from sdrl.training.rewards import Scorer, cut_at_stop
    from sdrl.training.session import open_session

    torch.manual_seed(3)
    session = open_session(job)
    trainer = trainers.build_trainer(session, trainers.batch_of(session), as_callback(Watcher(session, 1, 1)))
    scorer = Scorer(session.verifier, stop=job.stop, eos_ids=session.eos_ids, max_tokens=job.max_completion_tokens)
    encoded = session.encode([prompt for prompt in prompts for _ in range(n)])
    ids, _ = trainer._generate_single_turn(encoded, None, {}, n)
    looked = greedy(session, trainer, prompts)
    session.metrics.close()
    made = [
        Completion(cut_at_stop(session.text(row), job.stop), scorer.is_truncated(session.text(row), row), len(row))
        for row in ids
    ]
    looks = [Completion(one.text, one.is_truncated, len(one.ids)) for one in looked]
    return [made[at : at + n] for at in range(0, len(made), n)], looks


@pytest.fixture
def toy_job(make_job: Make) -> Make:
    def make(folder: Path = TOY, **changes: Any) -> TrainingJob:
        sampling = {"temperature": 1.0, "top_k": 1}
        fields = {"model": str(folder), "max_completion_tokens": LIMIT, "sampling": sampling, "validation_rows": None}
        return make_job(**{**fields, "kl": 0, "prompts_per_step": 1, **changes})

    return make


def with_generation_config(tmp_path: Path, **fields: Any) -> Path:
    folder = tmp_path / "toy"
    shutil.copytree(TOY, folder)
    config = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps({**config, **fields}))
    return folder


def agree(ours: Sequence[Completion], theirs: Sequence[Completion], problems: Sequence[Problem], verifier: Any) -> None:
    """Same text, ending and verdict for at least 99 % (here: all but none of 32, so all)."""
    different = [at for at, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1]]
    assert len(different) <= len(problems) // 100, [(ours[at], theirs[at]) for at in different[:3]]
    judge = Verifier.from_program(verifier)
    verdicts = [
        [judge.judge(one.text, problem.gold, None).verdict for one, problem in zip(some, problems, strict=True)]
        for some in (ours, theirs)
    ]
    assert verdicts[0] == verdicts[1]


END = json.loads((TOY / "generation_config.json").read_text())["eos_token_id"]


def token_of(text: str) -> int:
    from sdrl.embedded.texts import load_tokenizer

    ids = load_tokenizer(TOY)(text, add_special_tokens=False)["input_ids"]
    assert len(ids) == 1
    return int(ids[0])


@pytest.mark.parametrize(
    "case", ["plain", "stop string", "two end tokens", "asked end token", "defaults of the folder"]
)
def test_greedy_completions_and_verdicts_are_the_same(
    case: str, toy_job: Make, problems: list[Problem], tmp_path: Path
) -> None:
    prompts = [problem.prompt for problem in problems]
    folder, ends, plain = TOY, {}, embedded(TOY, prompts)
    if case == "stop string":
        ends = {"stop": ("####", "\n\n")}
    elif case == "two end tokens":
        folder = with_generation_config(tmp_path, eos_token_id=[END, token_of("=")])
    elif case == "asked end token":
        ends = {"end_ids": (token_of("="),)}
    elif case == "defaults of the folder":
        folder = with_generation_config(
            tmp_path, repetition_penalty=1.8, temperature=0.3, top_p=0.5, min_p=0.4, no_repeat_ngram_size=2,
            max_new_tokens=5, do_sample=True,
        )  # fmt: skip
    ours = [row[0] for row in embedded(folder, prompts, **ends)]
    job = toy_job(folder, **ends)
    rollouts, looks = rolled_out(job, prompts, 1)
    agree(ours, [row[0] for row in rollouts], problems, job.verifier)
    agree(ours, looks, problems, job.verifier)
    changed = sum(one != other[0] for one, other in zip(ours, plain, strict=True))
    assert (changed > len(prompts) // 4) is (case in ("stop string", "two end tokens", "asked end token"))


def test_a_stop_string_that_begins_in_the_prompt_ends_nothing(toy_job: Make, problems: list[Problem]) -> None:
    prompts = [problem.prompt for problem in problems[:8]]
    plain = [row[0] for row in embedded(TOY, prompts)]
    stop = sorted({"\n" + one.text[:4] for one in plain})
    assert all(prompt.endswith("\n") for prompt in prompts)
    ours = [row[0] for row in embedded(TOY, prompts, stop=stop)]
    rollouts, looks = rolled_out(toy_job(stop=stop), prompts, 1)
    assert [row[0] for row in rollouts] == looks == ours
    assert all(one.text for one in ours)


def test_sampled_lengths_and_accuracies_have_one_distribution(toy_job: Make, problems: list[Problem]) -> None:
    """Paired over prompts, the difference of the means lies within four standard errors of 0 (chance: 6 in 100,000)."""
    n, some = 16, problems[:20]
    prompts = [problem.prompt for problem in some]
    job = toy_job(sampling={"temperature": 0.8}, rollouts=n)
    ours = embedded(TOY, prompts, n=n, temperature=0.8)
    theirs, _ = rolled_out(job, prompts, n)
    judge = Verifier.from_program(job.verifier)

    def rate(rows: Sequence[Completion], gold: str) -> float:
        return statistics.fmean(judge.judge(one.text, gold, None).verdict == "correct" for one in rows)

    def z(differences: list[float]) -> float:
        return statistics.fmean(differences) / (statistics.stdev(differences) / math.sqrt(len(differences)))

    pairs = list(zip(ours, theirs, some, strict=True))
    lengths = [
        statistics.fmean(one.tokens for one in a) - statistics.fmean(one.tokens for one in b) for a, b, _ in pairs
    ]
    accuracies = [rate(a, problem.gold) - rate(b, problem.gold) for a, b, problem in pairs]
    assert abs(z(lengths)) < 4 and abs(z(accuracies)) < 4
    hotter = embedded(TOY, prompts, n=n, temperature=1.6)
    shifted = [
        rate(a, problem.gold) - rate(b, problem.gold) for a, b, problem in zip(hotter, theirs, some, strict=True)
    ]
    assert abs(z(shifted)) > 4  # another temperature would show
