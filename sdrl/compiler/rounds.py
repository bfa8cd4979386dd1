"""Rounds: which stages a plan has when the loop of Algorithm 1 is gone through more than once.

Round 1 is Algorithm 1 as it stands. Each further round asks the model of the round before in place of the base model:
probe, adapt, score, select and train again, under names that carry the round (``score-2``). The stages of a round hash
the stages of the rounds before and nothing of those behind, so that one round more keeps all that is there. Pure.
"""

from __future__ import annotations

from sdrl.compiler.plan import STAGES

REPEATED = ("probe", "adapt", "score", "select", "train")


def stage_names(rounds: int) -> tuple[str, ...]:
    """The stages of a plan with so many rounds, in order."""
    further = [named(kind, round_) for round_ in range(2, rounds + 1) for kind in REPEATED]
    return (*STAGES[:-1], *further, STAGES[-1])


def named(kind: str, round_: int) -> str:
    """The name of a stage in a round: stages that are not repeated, and those of round 1, have their own."""
    return kind if round_ == 1 or kind not in REPEATED else f"{kind}-{round_}"


def kind_of(name: str) -> str:
    """What a stage does: ``score`` for ``score-2``."""
    return name.partition("-")[0]


def round_of(name: str) -> int:
    """The round of a stage, from 1."""
    return int(name.partition("-")[2] or 1)


def parents_of(name: str, rounds: int) -> tuple[str, ...]:
    """The stages whose rows, or whose model, a stage of a further round reads; of ``evaluate``, the last training."""
    kind, round_ = kind_of(name), round_of(name)
    if kind == "evaluate":
        return (named("train", rounds),)
    adapted = tuple(named("adapt", each) for each in range(1, round_))
    policy, newest = named("train", round_ - 1), named("adapt", round_ - 1)
    return {
        "probe": (newest, policy),
        "adapt": ("vote", *adapted, named("probe", round_)),
        "score": ("vote", *adapted, named("adapt", round_), policy),
        "select": ("vote", *adapted, named("adapt", round_), named("score", round_)),
        "train": (named("select", round_), policy),
    }[kind]
