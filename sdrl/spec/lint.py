"""Lints (W3xx): what works and is probably not meant. Each can be silenced in the spec, by code and with a reason.

Every lint reads the spec alone: neither compiled prompts nor rows of a file. The rules lie by subject in
``lint_texts``, ``lint_answers``, ``lint_numbers`` and ``lint_sources``; this module runs them and takes the silenced
ones out (``silences``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.lint_answers import demo_answers, demo_forms, options_apart
from sdrl.spec.lint_numbers import (
    budgets,
    learning_rates,
    lengths,
    prices,
    repeated_draws,
    rewards,
    selection,
    unused_solutions,
    validation,
    votes,
)
from sdrl.spec.lint_sources import base_models, corpus_licenses, leaks, owners
from sdrl.spec.lint_texts import answer_place, answer_words, description
from sdrl.spec.method_table import METHOD_TABLE
from sdrl.spec.model import Spec
from sdrl.spec.rules import PLACEHOLDER, TASK_TEXTS
from sdrl.spec.silences import Silences

if TYPE_CHECKING:
    from sdrl.spec.loader import Loaded

Findings = Iterator[Diagnostic]


def lint(loaded: Loaded) -> list[Diagnostic]:
    """All warnings the spec does not silence, and what is wrong with its silences."""
    spec = loaded.spec
    assert spec is not None  # the loader's draft
    found = [item for rule in _LINTS for item in rule(loaded, spec)]
    silences = Silences(loaded)
    kept = silences.kept(found)
    about = silences.problems() + silences.unused(lambda code: code.startswith("W3"))
    return kept + silences.kept(about)


def _ungrounded(loaded: Loaded, spec: Spec) -> Findings:
    method = METHOD_TABLE[spec.synthesize.method]
    if not spec.corpus and not method.of_demo:  # a form of a demo is grounded in it
        message = "no corpus: samples are written from the instructor's memory alone"
        advice = "add passages: corpus: [{files: [passages/*.jsonl]}]"
        if "passages" not in method.reads:
            advice = (
                f"the method '{method.name}' reads no passages; to ground samples take one that does (docs/methods.md)"
            )
        yield loaded.diagnostic("W301", "corpus", message, help=advice)


def _licenses(loaded: Loaded, spec: Spec) -> Findings:
    if spec.task.license is None:
        message = "no licence for the synthetic data"
        yield loaded.diagnostic("W302", "task", message, help="add task.license, for example: license: CC-BY-4.0")
    for index, source in enumerate(spec.corpus):
        if source.license is None:
            message = f"the licence of corpus.{index} is not said"
            yield loaded.diagnostic("W303", f"corpus.{index}", message, help="add license: …; samples repeat its facts")


def _unmeasured(loaded: Loaded, spec: Spec) -> Findings:
    if not spec.evaluate:
        message = "no evaluation set: the result will speak of synthetic data only"
        yield loaded.diagnostic("W304", "evaluate", message, help="add evaluate: [{name: test, file: …, gold: …}]")


def _unused_params(loaded: Loaded, spec: Spec) -> Findings:
    used = {name for key in TASK_TEXTS for name in PLACEHOLDER.findall(getattr(spec.task, key) or "")}
    tables = [
        ("params", spec.params),
        *((f"parts.{index}.params", part.params) for index, part in enumerate(spec.parts)),
    ]
    for path, params in tables:
        for name in params:
            if name not in used:
                message = f"the parameter '{name}' is used in no text of the task"
                yield loaded.diagnostic(
                    "W308", f"{path}.{name}", message, help=f"write {{{name}}} in a text, or remove it"
                )


_LINTS: tuple[Callable[[Loaded, Spec], Findings], ...] = (
    _ungrounded,
    _licenses,
    _unmeasured,
    repeated_draws,
    answer_place,
    answer_words,
    base_models,
    owners,
    _unused_params,
    description,
    demo_answers,
    demo_forms,
    options_apart,
    budgets,
    prices,
    corpus_licenses,
    leaks,
    validation,
    selection,
    votes,
    lengths,
    rewards,
    learning_rates,
    unused_solutions,
)
