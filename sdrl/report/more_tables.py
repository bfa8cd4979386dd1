"""Tables of problems, checkpoints, answers, retrieval, suspects, alarms and data. Pure: figures in, blocks out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sdrl.report.blocks import Block, Table, Text
from sdrl.report.suspects import SUSPECT_WORDS
from sdrl.report.verdict import percent


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


def answers_table(figures: Mapping[str, Any]) -> Iterator[Block]:
    """Lengths of both models' answers to test problems, and how many say a phrase of reflection."""
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


def retrieval_table(found: Mapping[str, Any] | None) -> Iterator[Block]:
    """How many passages were used, and what became of samples by the score of theirs."""
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


def suspects_table(found: Mapping[str, Any] | None) -> Iterator[Block]:
    """Signs of reward hacking, counted for both models."""
    if found is None:
        return
    yield Text(found["run"] or "Reward and validation did not part in this run.")
    if found["answers"]:
        rows = tuple(
            (SUSPECT_WORDS[name], f"{each['base']:,}", f"{each['trained']:,}")
            for name, each in found["answers"].items()
        )
        judged = found["correct"]
        rows = (*rows, ("all", f"{judged['base']:,}", f"{judged['trained']:,}"))
        yield Table(("answers judged correct", "base", "trained"), rows)
        yield Text(
            "A suspect is not a proof: the trained model's are marked in the gallery, to be read. What counts is a "
            "number that grew with training."
        )


def alarms_table(found: Sequence[Mapping[str, Any]] | None) -> Iterator[Block]:
    """What the run told that a person should look at, and the first thing to try; says so when there was nothing."""
    if found is None:
        return
    if not found:
        yield Text("None was raised.")
        return
    rows = [
        (
            each["stage"] or "–",
            f"{each['kind']} × {each['times']}" if each["times"] > 1 else each["kind"],
            each["message"] + (f": {each['remedy']}" if each["remedy"] else ""),
        )
        for each in found
    ]
    yield Table(("stage", "alarm", "says"), tuple(rows), left=frozenset({0, 1, 2}))


def data_card_tables(data: Mapping[str, Any] | None) -> Iterator[Block]:
    """Sources with their licences, evaluation sets, and what the data were made with."""
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
    about = [(f"{role} model", _identity(data["models"].get(role), name)) for role, name in data["identities"].items()]
    about += [
        ("instructor's terms", str(data["instructor_terms"] or stated)),
        ("language", str(data["language"] or "not stated in the spec")),
    ]
    about += [("filters", ", ".join(data["filters"]) or "none"), ("seed", str(data["seed"]))]
    if data["made"]:
        about.append(("made", " to ".join(f"{time[:16].replace('T', ' ')}" for time in data["made"]) + " UTC"))
    if data["versions"]:
        about.append(("libraries", ", ".join(f"{name} {version}" for name, version in data["versions"].items())))
    yield Table(("made with", "value"), tuple(about), left=frozenset({0, 1}))


def _identity(model: str | None, identity: str) -> str:
    """What froze a model, after the name that the spec gives it where the first does not hold the second."""
    return str(identity) if not model or model in str(identity) else f"{model}, {identity}"
