"""Majority vote by equivalence class (paper section 4.1, stage ``vote`` of Algorithm 1). Pure: asks nobody.

Our departures from the authors' code, on purpose: completions and extracted answers stay aligned when a reply cannot be
parsed; agreement counts against all draws; a tie has no majority; the label is the class's most frequent spelling.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sdrl.verifier import Verifier


@dataclass(frozen=True)
class Ballot:
    """The outcome of one vote.

    label: the winning prediction, None without a majority. agreement: votes for it over all draws, in [0, 1].
    votes: spelling of each class's label -> count. winner: index of the first completion that says ``label``.
    """

    label: str | None
    agreement: float
    votes: dict[str, int]
    is_tie: bool
    n_draws: int
    n_parsable: int
    winner: int | None


def count_votes(
    verifier: Verifier,
    completions: Sequence[str | None],
    options: Mapping[str, str] | None,
    *,
    tie: str = "drop",
    luck: float = 0.0,
) -> Ballot:
    """Group the completions' predictions into classes and count; None stands for a draw that never arrived.

    ``tie`` is drop, first (the class seen first wins) or random (``luck`` in [0, 1) picks among the tied).
    """
    predictions = [None if text is None else verifier.extract(text, options).prediction for text in completions]
    classes = verifier.group(predictions)
    sizes = Counter(index for index in classes if index is not None)
    labels = {index: _spelling(predictions, classes, index) for index in sizes}
    votes = {labels[index]: size for index, size in sizes.most_common()}
    n_parsable = sum(sizes.values())
    if not sizes:
        return Ballot(None, 0.0, {}, False, len(completions), 0, None)
    ranked = sizes.most_common()
    is_tie = len(ranked) > 1 and ranked[0][1] == ranked[1][1]
    if is_tie and tie == "drop":
        return Ballot(None, ranked[0][1] / len(completions), votes, True, len(completions), n_parsable, None)
    tied = sorted((index for index, size in ranked if size == ranked[0][1]), key=classes.index)
    best = tied[int(luck * len(tied))] if tie == "random" else tied[0]
    label = labels[best]
    winner = next(at for at, text in enumerate(predictions) if classes[at] == best and text == label)
    return Ballot(label, sizes[best] / len(completions), votes, is_tie, len(completions), n_parsable, winner)


def _spelling(predictions: Sequence[str | None], classes: Sequence[int | None], wanted: int) -> str:
    said = Counter(
        text for text, index in zip(predictions, classes, strict=True) if index == wanted and text is not None
    )
    return said.most_common(1)[0][0]
