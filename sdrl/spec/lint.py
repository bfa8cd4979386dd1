"""Lints (W3xx): what works and is probably not meant. Each can be silenced in the spec, by code and with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.model import Spec
from sdrl.spec.rules import PLACEHOLDER, TASK_TEXTS

if TYPE_CHECKING:
    from sdrl.spec.loader import Loaded

Findings = Iterator[Diagnostic]
_INSTRUCT = ("instruct", "chat", "-it")


def lint(loaded: Loaded) -> list[Diagnostic]:
    """All warnings the spec does not silence."""
    spec = loaded.spec
    assert spec is not None  # the loader's draft
    silenced = {item if isinstance(item, str) else item.code for item in spec.lint.ignore}
    return [item for rule in _LINTS for item in rule(loaded, spec) if item.code not in silenced]


def _ungrounded(loaded: Loaded, spec: Spec) -> Findings:
    if not spec.corpus:
        message = "no corpus: samples are written from the instructor's memory alone"
        yield loaded.diagnostic("W301", "corpus", message, help="add passages: corpus: [{files: [passages/*.jsonl]}]")


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


def _greedy(loaded: Loaded, spec: Spec) -> Findings:
    for path, draws, sampling in (
        ("vote", spec.vote.draws, spec.vote.sampling),
        ("score", spec.score.draws, spec.score.sampling),
    ):
        if draws > 1 and sampling.temperature == 0:
            message = f"{draws} draws at temperature 0 are {draws} times the same answer"
            yield loaded.diagnostic(
                "W305", f"{path}.sampling.temperature", message, help="raise the temperature, say to 0.7"
            )
    for index, evaluation in enumerate(spec.evaluate):
        if evaluation.runs > 1 and evaluation.sampling.temperature == 0:
            message = f"{evaluation.runs} runs at temperature 0 are {evaluation.runs} times the same"
            advice = "one run is enough, or set sampling.temperature"
            yield loaded.diagnostic("W305", f"evaluate.{index}.runs", message, help=advice)


def _format(loaded: Loaded, spec: Spec) -> Findings:
    extract = spec.answer.extract
    text = spec.task.output_format
    wanted = {
        "marker": (extract.marker or "").strip(),
        "tag": f"<{extract.tag}>",
        "boxed": "boxed",
        "json": extract.json_ or "",
    }.get(extract.kind, "")
    if wanted and wanted not in text:
        message = f"output_format does not name '{wanted}', which answer.extract looks for"
        advice = f"say that the answer stands {_stands(extract.kind, wanted)}"
        if wanted.startswith("#") and f" {wanted}" in (loaded.source_line(loaded.at("task.output_format")[0]) or ""):
            advice = "quote the text: after a blank, '#' begins a comment"
        yield loaded.diagnostic("W306", "task.output_format", message, help=advice)


def _stands(kind: str, wanted: str) -> str:
    return {
        "marker": f"after {wanted}",
        "tag": f"between {wanted} and </{wanted[1:]}",
        "boxed": r"in \boxed{}",
        "json": f"in the field {wanted} of a JSON object",
    }[kind]


def _raw_chat(loaded: Loaded, spec: Spec) -> Findings:
    if spec.models is None:
        return
    base = spec.models.base
    if base.prompt == "raw" and any(word in base.model.lower() for word in _INSTRUCT):
        message = f"'{base.model}' looks like a chat model and is asked raw"
        yield loaded.diagnostic("W307", "models.base.model", message, help="write prompt: chat, or take the base model")
    if base.prompt == "raw" and base.system is not None:
        message = "a raw prompt has no system message"
        yield loaded.diagnostic("W307", "models.base.system", message, help="write prompt: chat, or remove it")


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
    _greedy,
    _format,
    _raw_chat,
    _unused_params,
)
