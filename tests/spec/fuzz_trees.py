"""Specs made by hypothesis: trees of the key tree's own shapes with a wrong value here and there, and YAML-like texts.

A chunk is a function of the seed and its number; a failure comes with the smallest text that hypothesis finds for it.
"""

from __future__ import annotations

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from sdrl.spec.base import Table
from sdrl.spec.model import Spec
from sdrl.spec.schema import examples, tables
from sdrl.spec.shapes import Shape, fields_of
from tests.spec.fuzz import CORPUS, TOKENS, VALUES, Outcome, tried_whole

CHUNK = 500
WORDS = sorted({key for table in tables() for key in fields_of(table)})
DEEPEST = 6
_USUAL = [
    "{question}",
    "Question answering about sums. Reason in steps.",
    "Write the answer after ####.",
    "####",
    "yes",
]
_FILES = ["data/word-problems-eval.jsonl", "passages.jsonl", "no-such.jsonl"]


def _flow(value: object) -> str:
    """A value as YAML in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int | float):
        return repr(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def _scalars(shape: Shape) -> list[st.SearchStrategy[str]]:
    found: list[st.SearchStrategy[str]] = []
    if shape.literals:
        found.append(st.sampled_from([_flow(value) for value in shape.literals]))
    if shape.truth:
        found.append(st.sampled_from(["true", "false"]))
    if shape.real:
        found.append(st.floats(0, 1).map(lambda value: f"{value:.3g}"))
    if shape.integer:
        found.append(st.integers(0, 2_000).map(str))
    if shape.text:
        found.append(st.one_of(st.sampled_from([*_USUAL, *_FILES]), st.text(max_size=12)).map(_flow))
    if shape.null:
        found.append(st.just("null"))
    return found


@st.composite
def _value(draw: st.DrawFn, shape: Shape, depth: int) -> str:
    """A value of one place; one in twenty is something else."""
    if draw(st.integers(0, 19)) == 7:
        return draw(st.sampled_from(VALUES))
    kinds = _scalars(shape)
    if shape.item is not None and depth < DEEPEST:
        inner = _value(shape.item, depth + 1)
        kinds.append(st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"))
    if shape.table is not None and depth < DEEPEST:
        kinds.append(_table(shape.table, depth + 1).map(lambda rows: "{" + ", ".join(rows) + "}"))
    if shape.values is not None and depth < DEEPEST:
        pairs = st.dictionaries(st.sampled_from(WORDS), _value(shape.values, depth + 1), max_size=3)
        kinds.append(pairs.map(lambda found: "{" + ", ".join(f"{key}: {item}" for key, item in found.items()) + "}"))
    return draw(st.one_of(kinds)) if kinds else draw(st.sampled_from(VALUES))


@st.composite
def _table(draw: st.DrawFn, table: type[Table], depth: int) -> list[str]:
    """Lines ``key: value``: mostly the required keys and few others, values mostly as the reference writes them."""
    shown = examples()
    rows = []
    for key, field in fields_of(table).items():
        wanted = draw(st.integers(0, 9)) < (9.5 if field.required else 1)
        if not wanted:
            continue
        example = shown.get((table.__name__, key))
        if example is not None and draw(st.integers(0, 2)) < 2:
            rows.append(f"{key}: {_flow(example)}")
        else:
            rows.append(f"{key}: {draw(_value(field.shape, depth))}")
    if draw(st.integers(0, 14)) == 3:
        rows.append(f"{draw(st.sampled_from(WORDS))}: {draw(st.sampled_from(VALUES))}")
    return rows


def trees() -> st.SearchStrategy[str]:
    """Specs whose keys and values are of the right kind, mostly."""
    return _table(Spec, 0).map(lambda rows: "\n".join(rows) + "\n")


def texts() -> st.SearchStrategy[str]:
    """Lines that look like YAML: keys at any indentation, values, marks, pieces of specs."""
    pieces = sorted({line for text in CORPUS for line in text.split("\n") if line.strip()})
    line = st.one_of(
        st.sampled_from(pieces),
        st.tuples(
            st.sampled_from(["", "  ", "    ", "- ", "  - ", "\t"]), st.sampled_from(WORDS), st.sampled_from(VALUES)
        ).map(lambda parts: f"{parts[0]}{parts[1]}: {parts[2]}"),
        st.tuples(st.sampled_from(["", "  ", "- "]), st.sampled_from(TOKENS), st.text(max_size=8)).map("".join),
    )
    return st.lists(line, max_size=14).map("\n".join)


def play_chunk(asked: tuple[int, int]) -> list[Outcome]:
    """The cases of one chunk; a failure stands for its chunk's smallest one."""
    seed, chunk = asked
    outcomes: list[Outcome] = []

    @hypothesis.seed(f"{seed}/{chunk}")
    @settings(
        max_examples=CHUNK,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(st.one_of(trees(), trees(), texts()))
    def one(text: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        hypothesis.note(repr(text))
        outcomes.append(Outcome(chunk * CHUNK + len(outcomes), *tried_whole(data), None))

    try:
        one()
    except Exception as error:  # the point of a fuzzer
        notes = "\n".join(getattr(error, "__notes__", []))
        outcomes.append(Outcome(chunk * CHUNK, 0.0, (), False, f"{type(error).__name__}: {error}\n{notes}"))
    return outcomes[:CHUNK] + [each for each in outcomes[CHUNK:] if each.failure]
