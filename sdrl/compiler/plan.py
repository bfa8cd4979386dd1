"""The plan: exactly what will happen, as frozen data. No logic beyond hashes and seeds.

A plan is made by ``compile``, written and read by ``plan_file``, and is all that a run, a report or an export knows of
the task: nobody reads the spec after compiling. What enters a hash and what does not is the table of ``graph``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sdrl.compiler.canonical import digest
from sdrl.compiler.sample import Sample

if TYPE_CHECKING:
    from sdrl.spec.model import Spec

SCHEMA = 1
# The steps of Algorithm 1 in order; graph.PARENTS says which rows each one reads.
STAGES = (
    "keywords",
    "retrieve",
    "pattern",
    "generate",
    "vote",
    "probe",
    "adapt",
    "score",
    "select",
    "train",
    "evaluate",
)


@dataclass(frozen=True)
class StagePlan:
    """One stage: what its rows depend on, whose rows it reads, and the sha256 over both."""

    name: str
    identity: dict[str, Any]
    parents: tuple[str, ...]
    hash: str


@dataclass(frozen=True)
class PartPlan:
    """One part of the task with its texts filled in. ``share`` is its part of the samples; all shares sum to 1."""

    name: str
    share: float
    description: str
    input_format: str | None
    output_format: str
    demos: tuple[Sample, ...] = ()


@dataclass(frozen=True)
class BasePrompt:
    """How the base model is asked: bare text, or a conversation in the model's own chat template, frozen here.

    ``tokens`` are the special tokens that the chat template names (``bos_token`` and so on), ``options`` further
    variables of it (``enable_thinking``). ``keeps_bos``: the template's begin token stays in the text, as the tokenizer
    adds none. ``stop`` are the resolved stop strings, ``end_ids`` the tokens that end a turn besides those that the
    model folder names; both are the same in probe, score, rollouts and evaluation (``contract``).
    """

    kind: Literal["raw", "chat"]
    chat_template: str | None = None
    system: str | None = None
    stop: tuple[str, ...] = ()
    tokens: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    keeps_bos: bool = False
    end_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class CorpusFile:
    """One file (path relative to the spec's folder) or hub data set of the corpus.

    ``source`` is the index into ``settings.corpus``; ``sha256`` is of the bytes (of the revision for a pinned hub data
    set), empty while pending; ``rows`` is None where they are not counted (text files, hub data sets).
    """

    path: str
    sha256: str
    rows: int | None
    license: str | None
    source: int = 0


@dataclass(frozen=True)
class EvaluationPlan:
    """One evaluation set, frozen as JSON Lines ``{id, input, gold, options?}`` in the plan's ``data/`` folder.

    ``sha256`` is of that file, empty while the set is pending. ``sampling`` is complete except for null keys.
    """

    name: str
    file: str
    sha256: str
    rows: int
    shift: str
    runs: int
    sampling: dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """Everything a run needs. ``folder`` is where it was read from, ``base_dir`` where the spec's paths start."""

    name: str
    hash: str
    settings: Spec
    origins: dict[str, str]
    stages: tuple[StagePlan, ...]
    parts: tuple[PartPlan, ...]
    verifier: dict[str, Any]
    templates: dict[str, str]
    base: BasePrompt
    corpus: tuple[CorpusFile, ...]
    identities: dict[str, str]
    evaluations: tuple[EvaluationPlan, ...]
    requires: dict[str, str]
    pending: tuple[str, ...] = ()
    estimate: dict[str, Any] = field(default_factory=dict)
    self_test: dict[str, Any] = field(default_factory=dict)
    schema: int = SCHEMA
    folder: Path | None = field(default=None, compare=False)
    base_dir: Path | None = field(default=None, compare=False)

    def stage(self, name: str) -> StagePlan:
        """The stage called ``name``; KeyError when there is none."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)

    def part(self, name: str) -> PartPlan:
        """The part called ``name``; KeyError when there is none."""
        for part in self.parts:
            if part.name == name:
                return part
        raise KeyError(name)

    def seed_for(self, *words: str | int) -> int:
        """A 31-bit seed for one purpose, from the plan's seed and the words that name the purpose."""
        return derive_seed(int(self.settings.seed), *words)

    @property
    def labels(self) -> tuple[str, ...]:
        """The option letters of a lettered task, in order; empty for every other type."""
        return option_labels(self.verifier)

    def evaluation_path(self, evaluation: EvaluationPlan) -> Path:
        """Where the frozen rows of ``evaluation`` lie; ValueError for a plan that was never written."""
        if self.folder is None:
            raise ValueError("a plan that was not read from a folder has no data files")
        return self.folder / evaluation.file


def derive_seed(seed: int, *words: str | int) -> int:
    """First 31 bits of sha256 over the canonical JSON of ``[seed, words…]``: equal on every machine and version."""
    return int(digest([seed, *words])[:8], 16) & 0x7FFF_FFFF


def option_labels(program: Mapping[str, Any]) -> tuple[str, ...]:
    """The option letters that a verifier program of type ``choice`` declares."""
    if program.get("type") != "choice":
        return ()
    return tuple(str(label) for label in program.get("options") or ())


def stage_hash(identity: Mapping[str, Any], parents: Mapping[str, str]) -> str:
    """Sha256 over a stage's identity fields and its parents' hashes (a Merkle tree)."""
    return digest({"identity": identity, "parents": dict(parents)})


def plan_hash(stages: tuple[StagePlan, ...]) -> str:
    """Sha256 over the stage hashes, in order."""
    return hashlib.sha256("\n".join(f"{stage.name} {stage.hash}" for stage in stages).encode()).hexdigest()
