"""Lints of models and sources: raw or chat against the model's name (W307, W320), licences that conflict (W314, W315),
test sets that are a source as well (W316).

Names and licence texts are all there is to judge by; a name that says nothing is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from posixpath import normpath
from typing import TYPE_CHECKING

from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.model import Spec

if TYPE_CHECKING:
    from sdrl.spec.loader import Loaded

Findings = Iterator[Diagnostic]
_CHAT_WORDS = frozenset(
    "instruct chat it sft dpo rlhf orpo kto grpo assistant thinking aligned r1 qwq vicuna zephyr alpaca tulu hermes "
    "openhermes starling wizardlm openchat dolphin".split()
)
_CHAT_NAMES = re.compile(r"qwen3(\.\d+)?-[\d.]+b(-a\d+b)?$|gpt-oss|command-r|smollm3-[\d.]+b$|phi-4|gpt-[345]|claude")
_BASE_WORDS = frozenset(("base", "pretrained", "pretrain", "pt"))
_BASE_NAMES = re.compile(
    r"qwen(1\.5|2|2\.5)(-math|-coder)?-[\d.]+b$|(meta-)?llama-(2|3|3\.[12])-[\d.]+b(-hf)?$|gemma-2?-?[\d.]+b$"
    r"|mi[sx]tral-[\dx]+b-v[\d.]+$|pythia-[\d.]+[mb]|gpt2|opt-[\d.]+[mb]$|smollm2?-[\d.]+[mb]$|falcon-[\d.]+b$|bloom"
)
_NO_COMMERCE = re.compile(
    r"\bNC\b|non-?\s?commercial|not for commercial|research[ -](use )?only|academic use|for research", re.IGNORECASE
)
_NO_CHANGES = re.compile(r"\bND\b|no-?\s?deriv", re.IGNORECASE)
_SHARE_ALIKE = re.compile(r"\bCC[ -]BY(-NC)?-SA\b|share-?\s?alike|\bODbL\b|\bGFDL\b", re.IGNORECASE)
_COPYLEFT = re.compile(r"\b[AL]?GPL\b|copyleft", re.IGNORECASE)
_FREE = re.compile(
    r"^(MIT|Apache|BSD|ISC|CC0|CC[ -]BY|Unlicense|PDDL|ODC-BY|ODbL|MPL|[AL]?GPL|CDLA|GFDL|EPL|Public Domain)\b",
    re.IGNORECASE,
)


def base_models(loaded: Loaded, spec: Spec) -> Findings:
    """W307 and W320: a model trained on chats needs its template, and one that was not has never seen it."""
    if spec.models is None:
        return
    base = spec.models.base
    kind = kind_of(base.model)
    if base.prompt == "raw" and kind == "chat":
        message = f"'{base.model}' looks like a chat model and is asked raw"
        yield loaded.diagnostic("W307", "models.base.model", message, help="write prompt: chat, or take the base model")
    if base.prompt == "raw" and base.system is not None:
        message = "a raw prompt has no system message"
        yield loaded.diagnostic("W307", "models.base.system", message, help="write prompt: chat, or remove it")
    if base.prompt == "chat" and kind == "base":
        message = f"'{base.model}' looks like a base model and is asked through a chat template"
        yield loaded.diagnostic("W320", "models.base.prompt", message, help="write prompt: raw")


def kind_of(model: str) -> str:
    """``chat`` or ``base`` where a model's name says so, else nothing."""
    name = model.rstrip("/").rsplit("/", 1)[-1].lower()
    words = set(re.split(r"[^a-z0-9]+", name))
    if words & _CHAT_WORDS:
        return "chat"
    if words & _BASE_WORDS or _BASE_NAMES.match(name):
        return "base"
    return "chat" if _CHAT_NAMES.match(name) else ""


def corpus_licenses(loaded: Loaded, spec: Spec) -> Findings:
    """W314 and W315: the data cannot be freer than the passages they are written from."""
    ours = spec.task.license
    for index, source in enumerate(spec.corpus):
        theirs, path = _words(source.license), f"corpus.{index}.license"
        if _NO_CHANGES.search(theirs):
            message = f"{source.license} allows no adapted text, and samples are adapted from their passages"
            yield loaded.diagnostic("W314", path, message, help="take passages whose licence allows it")
        elif _NO_COMMERCE.search(theirs) and (ours is None or _allows_commerce(ours)):
            allowed = "task.license is not said" if ours is None else f"task.license is {ours}, which allows it"
            message = f"{source.license} forbids commercial use, and {allowed}"
            advice = "give task.license the same limit, or take other passages"
            yield loaded.diagnostic("W314", path, message, help=advice)
        elif _SHARE_ALIKE.search(theirs) and ours is not None and not _shares_alike(theirs, _words(ours)):
            message = f"{source.license} asks for its own terms, and task.license is {ours}"
            advice = f"write task.license: {source.license}, or take other passages"
            yield loaded.diagnostic("W315", path, message, help=advice)


def _words(license_: str | None) -> str:
    """Licence text in which every part of an identifier is a word."""
    return (license_ or "").replace("_", "-").strip()


def _allows_commerce(license_: str) -> bool:
    """Whether a licence is known and without a limit on commerce; texts of one's own are not judged."""
    return _FREE.match(_words(license_)) is not None and not _NO_COMMERCE.search(_words(license_))


def _shares_alike(theirs: str, ours: str) -> bool:
    """Whether data under ``ours`` keep the terms of passages under ``theirs``; unknown licences pass."""
    if _FREE.match(ours) is None or _COPYLEFT.search(ours):
        return True
    same_limit = bool(_NO_COMMERCE.search(theirs)) == bool(_NO_COMMERCE.search(ours))
    return bool(_SHARE_ALIKE.search(ours)) and same_limit


def leaks(loaded: Loaded, spec: Spec) -> Findings:
    """W316: rows that are shown or written from, and then tested on."""
    sources = [(f"corpus.{index}", source) for index, source in enumerate(spec.corpus)]
    demos = [("demos", spec.demos), *((f"parts.{i}.demos", part.demos) for i, part in enumerate(spec.parts))]
    read = sources + [(path, found) for path, found in demos if found is not None and not isinstance(found, list)]
    for index, evaluation in enumerate(spec.evaluate):
        for path, source in read:
            same = False
            if evaluation.dataset is not None and source.dataset is not None:
                ours = (evaluation.dataset.casefold(), evaluation.config)
                theirs = (source.dataset.casefold(), source.config)
                same = ours == theirs and _overlap(evaluation.split, source.split)
            elif evaluation.file is not None and source.files:
                name = normpath(evaluation.file)
                same = any(name == normpath(file) or fnmatchcase(name, normpath(file)) for file in source.files)
            if same:
                key = "dataset" if evaluation.file is None else "file"
                message = f"the test set '{evaluation.name}' is {path} as well"
                advice = "test on rows that nothing was written from: another split, another file"
                yield loaded.diagnostic("W316", f"evaluate.{index}.{key}", message, help=advice)


def _overlap(one: str, other: str) -> bool:
    """Whether two splits share rows for certain: the same one, or a slice of the other."""
    (name, _, part), (their, _, their_part) = one.partition("["), other.partition("[")
    return name == their and (part == their_part or not part or not their_part)
