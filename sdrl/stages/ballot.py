"""Majority vote by equivalence class (paper section 4.1, stage ``vote`` of Algorithm 1). Pure: asks nobody.

Our departures from the authors' code, on purpose: completions and extracted answers stay aligned when a reply cannot be
parsed; agreement counts against all draws; a tie has no majority; the label is the class's most frequent spelling.

``draws_to_settle`` says how many draws a vote still needs, so that a stage may stop asking when no further draw can
change its outcome.
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
    return count_predictions(verifier, predictions, tie=tie, luck=luck)


def count_predictions(
    verifier: Verifier, predictions: Sequence[str | None], *, tie: str = "drop", luck: float = 0.0
) -> Ballot:
    """As ``count_votes``, over what was extracted; None stands for a draw that says nothing."""
    classes = verifier.group(predictions)
    sizes = Counter(index for index in classes if index is not None)
    labels = {index: _spelling(predictions, classes, index) for index in sizes}
    votes = {labels[index]: size for index, size in sizes.most_common()}
    n_parsable = sum(sizes.values())
    if not sizes:
        return Ballot(None, 0.0, {}, False, len(predictions), 0, None)
    ranked = sizes.most_common()
    is_tie = len(ranked) > 1 and ranked[0][1] == ranked[1][1]
    if is_tie and tie == "drop":
        return Ballot(None, ranked[0][1] / len(predictions), votes, True, len(predictions), n_parsable, None)
    tied = sorted((index for index, size in ranked if size == ranked[0][1]), key=classes.index)
    best = tied[int(luck * len(tied))] if tie == "random" else tied[0]
    label = labels[best]
    winner = next(at for at, text in enumerate(predictions) if classes[at] == best and text == label)
    return Ballot(label, sizes[best] / len(predictions), votes, is_tie, len(predictions), n_parsable, winner)


@dataclass(frozen=True)
class Rules:
    """What turns counts into an outcome: ``vote.tie`` and ``vote.min_agreement`` of the spec."""

    tie: str = "drop"
    min_agreement: float | None = None

    def problem(self, ballot: Ballot) -> str | None:
        """The code of why a whole vote is dropped, None when its label stands."""
        if ballot.is_tie and ballot.label is None:
            return "vote_tie"
        if ballot.label is None:
            return "vote_unparsable"
        if self.min_agreement is not None and ballot.agreement < self.min_agreement:
            return "low_agreement"
        return None


def draws_to_settle(
    verifier: Verifier,
    drawn: Sequence[str | None],
    generated: Sequence[str],
    options: Mapping[str, str] | None,
    *,
    left: int,
    rules: Rules,
) -> int:
    """The fewest of ``left`` further draws after which the outcome can be settled; 0 when it is settled already.

    ``drawn``: the completions so far, in draw order. ``generated``: what is counted after all draws (the written
    example's own output under ``vote.include_generated``), else empty. The outcome is what ``count_votes`` and
    ``Rules.problem`` give for all draws: the label and its solution, and whether and why the vote is dropped.

    **Bound.** Let *a* be the votes of the leading class, *b* those of any other, *r* = ``left``, *N* all votes of the
    full vote, and *s*, *t* the counts of the leading and any other spelling inside the leading class. Settled when

    1. *b* + *r* < *a* for every other class, one that nobody named yet (*b* = 0) included; under ``tie: first`` also
       *b* + *r* = *a* for a class that was seen after the leading one;
    2. *t* + *r* < *s* for every other spelling, or *t* + *r* = *s* for one that was seen later (a new one is);
    3. *a* / *N* >= ``min_agreement``, so that the vote is kept, or (*a* + *r*) / *N* < ``min_agreement``, so that it is
       dropped whatever comes.

    **Proof.** A prediction's class depends on those before it alone: it joins the first class whose first member equals
    it, and later classes stand behind. So further draws move nobody, and a class or spelling gains *r* votes at most.
    What is generated is counted last: where it matches a class of the draws it stays there, as these classes come
    first; where it does not it is counted as one vote of a class of its own, which the *r* draws may join, and that is
    also the most a class may have that nobody named yet. By 1 the leading class ends strictly first, or first among
    equals in the order in which ``tie: first`` chooses, so neither tie rule nor luck is asked; by 2 its label is the
    leading spelling, and the solution is that spelling's first completion, which has been drawn; by 3 the verdict is
    the same. **Exact** (but for ``tie: random``, whose luck is not looked at): where 1, 2 or 3 fails there are *r*
    draws, all for that class, that spelling, or for or against the leader, that change the outcome; no rule that knows
    only what was drawn could stop earlier.
    """
    if not left:
        return 0
    standing = _Standing.of(verifier, drawn, generated, options)
    return next(more for more in range(left + 1) if standing.is_settled(more, left - more, rules))


@dataclass(frozen=True)
class _Standing:
    """The leading class and what may still overtake it.

    own: votes of the leader. rivals: (votes, was seen before the leader) of each other class, an unnamed one included.
    spelled: votes of the leading spelling. others: the same of the leader's other spellings.
    """

    own: int
    rivals: tuple[tuple[int, bool], ...]
    spelled: int
    others: tuple[tuple[int, bool], ...]
    counted: int

    @classmethod
    def of(
        cls,
        verifier: Verifier,
        drawn: Sequence[str | None],
        generated: Sequence[str],
        options: Mapping[str, str] | None,
    ) -> _Standing:
        completions = [*drawn, *generated]
        predictions = [None if text is None else verifier.extract(text, options).prediction for text in completions]
        classes = verifier.group(predictions)
        sizes = Counter(index for index in classes if index is not None)
        if not sizes:
            return cls(0, ((0, False),), 0, ((0, False),), len(completions))
        leader, own = sizes.most_common(1)[0]
        # what is yet to be drawn stands before what is generated
        unnamed = (0, leader not in classes[: len(drawn)])
        rivals = tuple((size, index < leader) for index, size in sizes.items() if index != leader)
        said = Counter(text for text, index in zip(predictions, classes, strict=True) if index == leader)
        ranked, order = said.most_common(), list(said)
        others = tuple((count, order.index(text) < order.index(ranked[0][0])) for text, count in ranked[1:])
        return cls(own, (*rivals, unnamed), ranked[0][1], (*others, unnamed), len(completions))

    def is_settled(self, more: int, left: int, rules: Rules) -> bool:
        """Whether it is once ``more`` draws in a row have gone to the leader and ``left`` are open."""
        own, spelled = self.own + more, self.spelled + more
        first_wins = rules.tie == "first"
        ahead = all(
            votes + left < own or (first_wins and not earlier and votes + left == own) for votes, earlier in self.rivals
        )
        named = all(
            votes + left < spelled or (not earlier and votes + left == spelled) for votes, earlier in self.others
        )
        total, least = self.counted + more + left, rules.min_agreement
        judged = least is None or own / total >= least or (own + left) / total < least
        return left == 0 or (ahead and named and judged)


def _spelling(predictions: Sequence[str | None], classes: Sequence[int | None], wanted: int) -> str:
    said = Counter(
        text for text, index in zip(predictions, classes, strict=True) if index == wanted and text is not None
    )
    return said.most_common(1)[0][0]
