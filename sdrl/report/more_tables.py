"""Tables of problems and checkpoints, and those of the HTML page alone: answers, retrieval, suspects, data card.

Pure: figures in, sections out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sdrl.report.blocks import Block, Section, Table, Text
from sdrl.report.suspects import SUSPECT_WORDS
from sdrl.report.verdict import percent


def more_tables(figures: Mapping[str, Any]) -> list[Section]:
    """Sections of the tables that the figures allow."""
    made = (
        Section("Answers and reflection", tuple(_answer_blocks(figures))),
        Section("Retrieval", tuple(_retrieval(figures.get("retrieval")))),
        Section("Reward-hacking suspects", tuple(_suspects(figures.get("suspects")))),
        Section("Data card", tuple(_data_card(figures.get("data")))),
    )
    return [section for section in made if section.blocks]


def problems_table(figures: Mapping[str, Any]) -> Iterator[Block]:
    """Lengths and likeness by set, and what measured them."""
    lengths, likeness = figures["lengths"], figures["likeness"]
    if not lengths:
        return
    alike = (likeness or {"groups": {}})["groups"]
    rows = []
    for name, each in lengths["problems"].items():
        near = alike.get(name)
        means = (f"{near['mean']:.3f}", f"{near['median']:.3f}", f"{near['pairs']:,}") if near else ("", "", "")
        rows.append((name, f"{each['n']:,}", f"{each['median']:g}", f"{each['longest']:,}", *means))
    head = ("problems", "samples", f"median {lengths['unit']}", "longest", "mean cosine", "median", "pairs")
    yield Table(head, tuple(rows))
    stamp = f"Lengths: {lengths['tokenizer']}."
    if likeness:
        stamp += f" Likeness of pairs within a set: {likeness['embedder']}."
    yield Text(f"{stamp} Figures under other measures do not compare.")


def post_hoc_table(found: Mapping[str, Any] | None) -> Iterator[Block]:
    """Checkpoints by set and step, with what they were chosen as."""
    if not found:
        return
    rows = []
    for name, points in found["sets"].items():
        for each in points:
            what = "base" if not each["step"] else "chosen" if each["step"] == found["chosen"] else ""
            words = "–" if each["median_words"] is None else f"{each['median_words']:g}"
            shares = [percent(each[key]) for key in ("accuracy", "parsable", "reflection_share")]
            rows.append((name, str(each["step"]), what, shares[0], shares[1], words, shares[2]))
    head = ("set", "step", "", "right", "readable", "median words", "with reflection")
    yield Table(head, tuple(rows), left=frozenset({0, 2}))
    yield Text("Measured after everything was chosen, and no part of any choice; the gain above is the chosen model's.")


def _answer_blocks(figures: Mapping[str, Any]) -> Iterator[Block]:
    answers = (figures.get("lengths") or {}).get("answers")
    if answers:
        rows = tuple(
            (model, f"{each['n']:,}", f"{each['median']:g}", percent(each["reflection_share"]))
            for model, each in answers.items()
        )
        yield Table(("model", "answers", "median words", "with reflection"), rows)
        yield Text(
            "Reflection: answers with a word such as 'wait', 'let me check' or 'actually', matched by a list of "
            "English phrases. It counts words, not thought."
        )


def _retrieval(found: Mapping[str, Any] | None) -> Iterator[Block]:
    if found:
        scores = found["scores"]
        between = f"; scores {scores[0]:.3g} to {scores[2]:.3g}, median {scores[1]:.3g}" if scores else ""
        yield Text(f"{found['passages']:,} passages retrieved, {found['used']:,} of them used{between}.")
        rows = []
        for each in found["thirds"]:
            n = each["kept"] + each["dropped"]
            rows.append((each["third"], f"{n:,}", f"{each['kept']:,}", percent(each["kept"] / n if n else None)))
        if rows:
            yield Table(("third by score", "voted on", "kept", "share"), tuple(rows))
            yield Text(
                "If the highest third is not kept more often than the lowest, the score says little of this task."
            )


def _suspects(found: Mapping[str, Any] | None) -> Iterator[Block]:
    if found is None:
        return
    yield Text(found["run"] or "Reward and validation did not part in this run.")
    if found["answers"]:
        rows = tuple(
            (SUSPECT_WORDS[name], f"{each['base']:,}", f"{each['trained']:,}")
            for name, each in found["answers"].items()
        )
        yield Table(("answers judged correct", "base", "trained"), rows)
        yield Text(
            "A suspect is not a proof: the trained model's are marked in the gallery, to be read. What counts is a "
            "number that grew with training."
        )


def _data_card(data: Mapping[str, Any] | None) -> Iterator[Block]:
    if not data:
        return
    stated = "not stated in the spec"
    rows = [("task definition", "", data["task_license"] or stated)]
    rows += [(str(each["source"]), f"{each['rows'] or 0:,}", each["license"] or stated) for each in data["corpus"]]
    yield Table(("source", "rows", "licence"), tuple(rows), left=frozenset({0, 2}))
    sets = tuple(
        (str(e["name"]), f"{e['rows'] or 0:,}", str(e["shift"]), str(e["sha256"])[:16]) for e in data["evaluations"]
    )
    if sets:
        yield Table(("evaluation set", "problems", "shift", "sha256"), sets, left=frozenset({0, 2, 3}))
    about = [(f"{role} model", str(name)) for role, name in data["identities"].items()]
    about += [("instructor's terms", str(data["instructor_terms"] or stated)), ("language", str(data["language"]))]
    about += [("filters", ", ".join(data["filters"]) or "none"), ("seed", str(data["seed"]))]
    about += [(name, str(version)) for name, version in data["versions"].items()]
    yield Table(("made with", "value"), tuple(about), left=frozenset({0, 1}))
