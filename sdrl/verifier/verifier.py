"""The compiled verifier: completion and gold in, verdict out. The one place where failures become ``error``.

Only the completion is judged, and of it only what is not thought; the slot is found (``extract.py``), read by the
answer type, and compared. Long completions are bounded before anything runs over them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from sdrl.verifier.extract import compile_extract
from sdrl.verifier.program import Program, read_program
from sdrl.verifier.result import (
    BAD_GOLD,
    CORRECT,
    DIFFERENT,
    EMPTY,
    EQUAL,
    ERROR,
    INCORRECT,
    NO_SLOT,
    NOT_ONLY,
    UNPARSABLE,
    AnswerType,
    Extraction,
    Judgement,
    Options,
    Reading,
)
from sdrl.verifier.thought import visible

if TYPE_CHECKING:
    from sdrl.verifier.math import MathType

MAX_COMPLETION: Final = 1 << 20


class _Draft(NamedTuple):
    """Prediction and gold, both read, their texts not equal: only the comparison is left."""

    prediction: str
    gold: str


class Verifier:
    """A compiled program. Safe to share between threads; between judgements it keeps only caches."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._find = compile_extract(program.extract, program.take)
        self._type = answer_type(program)
        self._gold = lru_cache(maxsize=65_536)(self._read_gold_text)

    @classmethod
    def from_program(cls, program: Mapping[str, Any]) -> Verifier:
        """Compile the data program. Raises ProgramError naming the key that is wrong."""
        return cls(read_program(program))

    def __reduce__(self) -> tuple[type[Verifier], tuple[Program]]:
        # Compiled patterns and caches stay behind: another process compiles the same program again.
        return Verifier, (self.program,)

    def extract(self, completion: str, options: Options | None = None) -> Extraction:
        """What the completion answers. Never raises: a failure of the verifier is an Extraction with ``failed``."""
        try:
            return self._extract(completion, options)
        except Exception as error:  # named border: a verifier that fails says so, it does not stop a run
            return Extraction(None, None, _failure(error), failed=True)

    def judge(self, completion: str, gold: str, options: Options | None = None) -> Judgement:
        """The verdict on one completion. Never raises: a failure of the verifier is the verdict ``error``."""
        draft = self._draft_safely(completion, gold, options)
        if isinstance(draft, Judgement):
            return draft
        try:
            return _verdict(draft.prediction, self._type.same(draft.prediction, draft.gold))
        except Exception as error:  # named border: a verifier that fails says so, it does not stop a run
            return _verdict(draft.prediction, error)

    def judge_many(self, items: Sequence[tuple[str, str, Options | None]]) -> list[Judgement]:
        """The verdicts on (completion, gold, options), in order. Mathematical comparisons share the workers."""
        if self.program.type != "math":
            return [self.judge(completion, gold, options) for completion, gold, options in items]
        drafts = [self._draft_safely(*item) for item in items]
        open_drafts = [draft for draft in drafts if isinstance(draft, _Draft)]
        try:
            results = iter(
                cast("MathType", self._type).same_many([(draft.prediction, draft.gold) for draft in open_drafts])
            )
        except Exception as error:  # named border, as in judge
            results = iter([error] * len(open_drafts))
        return [_verdict(draft.prediction, next(results)) if isinstance(draft, _Draft) else draft for draft in drafts]

    def same(self, a: str, b: str) -> bool:
        """Whether two predictions are one value (tolerance and mathematical equality included).

        Never raises: what cannot be compared in time counts as different, so that a vote is at worst split.
        """
        try:
            return a == b or self._type.same(a, b)
        except Exception:  # named border, as in judge
            return False

    def group(self, predictions: Sequence[str | None]) -> list[int | None]:
        """A class index per prediction, counted from 0 in order of appearance; None stays None."""
        classes: list[str] = []
        known: dict[str, int] = {}
        indices: list[int | None] = []
        for prediction in predictions:
            if prediction is None:
                indices.append(None)
                continue
            index = known.get(prediction)
            if index is None:
                index = next((i for i, first in enumerate(classes) if self.same(prediction, first)), len(classes))
                if index == len(classes):
                    classes.append(prediction)
                known[prediction] = index
            indices.append(index)
        return indices

    def read_gold(self, gold: str, options: Options | None = None) -> str | None:
        """The canonical gold, or None when it is no value of the type. Never raises."""
        try:
            return self._read_gold(gold, options).text
        except Exception:  # named border, as in judge
            return None

    def _draft(self, completion: str, gold: str, options: Options | None) -> Judgement | _Draft:
        """All of a judgement but the comparison of two texts that differ."""
        wanted = self._gold(gold) if options is None else self._read_gold(gold, options)
        if wanted.text is None:
            return Judgement(None, ERROR, BAD_GOLD)
        found = self._extract(completion, options)
        if found.prediction is None:
            return Judgement(None, INCORRECT if found.conflict else UNPARSABLE, found.reason)
        if found.prediction == wanted.text:
            return Judgement(found.prediction, CORRECT, EQUAL)
        return _Draft(found.prediction, wanted.text)

    def _draft_safely(self, completion: str, gold: str, options: Options | None) -> Judgement | _Draft:
        try:
            return self._draft(completion, gold, options)
        except Exception as error:  # named border, as in judge
            return Judgement(None, ERROR, _failure(error))

    def _read_gold_text(self, gold: str) -> Reading:
        return self._read_gold(gold, None)

    def _read_gold(self, gold: str, options: Options | None) -> Reading:
        text = gold.strip()
        return self._type.read(text, options) if text else Reading(None, EMPTY)

    def _extract(self, completion: str, options: Options | None) -> Extraction:
        take = self.program.take
        said, offset = visible(completion), 0
        if len(said) > MAX_COMPLETION:
            if take == "last":
                offset = len(said) - MAX_COMPLETION
                said = said[offset:]
            else:
                said = said[:MAX_COMPLETION]
        slots = self._find(said)
        if not slots:
            return Extraction(None, None, NO_SLOT)
        if take == "only" and len(slots) > 1:
            return Extraction(None, None, NOT_ONLY, conflict=True)
        slot = slots[0] if take == "first" else slots[-1]
        span = (offset + slot.start, offset + slot.end)
        text = said[slot.start : slot.end].strip() if slot.text is None else slot.text
        if not text:
            return Extraction(None, span, EMPTY)
        reading = self._type.read(text, options)
        return Extraction(reading.text, span, reading.reason, reading.conflict)


def answer_type(program: Program) -> AnswerType:
    """The answer type of a program. Raises ProgramError for what it cannot use."""
    module, name = _TYPES[program.type]
    made = getattr(import_module(f"{__package__}.{module}"), name)
    if program.type == "number":
        return made(program.tolerance)  # type: ignore[no-any-return]
    return made(program, answer_type) if program.type == "json" else made(program)  # type: ignore[no-any-return]


# imported when a program needs them: each compiles its own dozens of patterns
_TYPES: Final[dict[str, tuple[str, str]]] = {
    "number": ("number", "NumberType"),
    "math": ("math", "MathType"),
    "choice": ("choice", "ChoiceType"),
    "boolean": ("words", "LabelType"),
    "label": ("words", "LabelType"),
    "text": ("words", "TextType"),
    "set": ("sets", "SetType"),
    "json": ("records", "RecordType"),
    "program": ("plugin", "PluginType"),
}


def _verdict(prediction: str, same: bool | Exception) -> Judgement:
    if isinstance(same, Exception):
        return Judgement(prediction, ERROR, _failure(same))
    return Judgement(prediction, CORRECT, EQUAL) if same else Judgement(prediction, INCORRECT, DIFFERENT)


def _failure(error: Exception) -> str:
    return f"the verifier failed: {type(error).__name__}: {error}"[:300]
