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
_BASE_WORDS = frozenset(("base", "pretrained", "pretrain", "pt"))
# patterns are compiled when a name or licence comes that far: most specs never pay for them
_CHAT_NAMES = r"qwen3(\.\d+)?-[\d.]+b(-a\d+b)?$|gpt-oss|command-r|smollm3-[\d.]+b$|phi-4|gpt-[345]|claude"
_CHAT_BEGINNINGS = ("qwen3", "gpt-", "command-r", "smollm3", "phi-4", "claude")
_BASE_NAMES = (
    r"qwen(1\.5|2|2\.5)(-math|-coder)?-[\d.]+b$|(meta-)?llama-(2|3|3\.[12])-[\d.]+b(-hf)?$|gemma-2?-?[\d.]+b$"
    r"|mi[sx]tral-[\dx]+b-v[\d.]+$|pythia-[\d.]+[mb]|gpt2|opt-[\d.]+[mb]$|smollm2?-[\d.]+[mb]$|falcon-[\d.]+b$|bloom"
)
_OWNERS = (
    *(("qwen", "Qwen"), ("llama", "meta-llama"), ("meta-llama", "meta-llama"), ("mistral", "mistralai")),
    *(("gemma", "google"), ("phi", "microsoft"), ("smollm", "HuggingFaceTB"), ("olmo", "allenai")),
    *(("deepseek", "deepseek-ai"), ("pythia", "EleutherAI"), ("tinyllama", "TinyLlama")),
)
_OWNERLESS = ("gpt2", "distilgpt2", "openai-gpt", "toy-base")  # the hub still answers to these; the last one is ours
_NO_COMMERCE = ("NON COMMERCIAL", "NOT FOR COMMERCIAL", "RESEARCH ONLY", "RESEARCH USE", "ACADEMIC USE", "FOR RESEARCH")
_FREE = frozenset("MIT APACHE BSD ISC CC0 CC UNLICENSE PDDL ODC ODBL MPL GPL LGPL AGPL CDLA GFDL EPL PUBLIC".split())


def base_models(loaded: Loaded, spec: Spec) -> Findings:
    """W307 and W320: a model trained on chats needs its template, and one that was not has never seen it."""
    if spec.models is None:
        return
    base = spec.models.base
    kind = kind_of(base.model)
    if base.prompt.kind == "raw" and kind == "chat":
        message = f"'{base.model}' looks like a chat model and is asked raw"
        yield loaded.diagnostic("W307", "models.base.model", message, help="write prompt: chat, or take the base model")
    if base.prompt.kind == "raw" and base.system is not None:
        message = "a raw prompt has no system message"
        yield loaded.diagnostic("W307", "models.base.system", message, help="write prompt: chat, or remove it")
    if base.prompt.kind == "chat" and kind == "base":
        message = f"'{base.model}' looks like a base model and is asked through a chat template"
        yield loaded.diagnostic("W320", "models.base.prompt", message, help="write prompt: raw")


def owners(loaded: Loaded, spec: Spec) -> Findings:
    """W325: a hub model that is named without its owner."""
    if spec.models is None:
        return
    base = spec.models.base
    name = base.model
    if "/" in name or base.serve not in ("vllm", "embedded") or name.startswith(_OWNERLESS):
        return
    if (loaded.folder / name).exists():
        return
    owner = next((owner for family, owner in _OWNERS if name.lower().startswith(family)), "")
    message = f"'{name}' is no folder here, and a hub model is named owner/name"
    advice = f"did you mean '{owner}/{name}'?" if owner else f"write owner/{name}, as its page on the hub does"
    yield loaded.diagnostic("W325", "models.base.model", message, help=advice)


def kind_of(model: str) -> str:
    """``chat`` or ``base`` where a model's name says so, else nothing."""
    name = model.rstrip("/").rsplit("/", 1)[-1].lower()
    words = set(_words(name))
    if words & _CHAT_WORDS:
        return "chat"
    if words & _BASE_WORDS:
        return "base"
    if name.startswith(_CHAT_BEGINNINGS) and re.match(_CHAT_NAMES, name):
        return "chat"
    return "base" if re.match(_BASE_NAMES, name) else ""


def corpus_licenses(loaded: Loaded, spec: Spec) -> Findings:
    """W314 and W315: the data cannot be freer than the passages they are written from."""
    ours = spec.task.license
    mine = _words((ours or "").upper())
    for index, source in enumerate(spec.corpus):
        theirs, path = _words((source.license or "").upper()), f"corpus.{index}.license"
        if "ND" in theirs or any(word.startswith("NODERIV") for word in (*theirs, "".join(theirs))):
            message = f"{source.license} allows no adapted text, and samples are adapted from their passages"
            yield loaded.diagnostic("W314", path, message, help="take passages whose licence allows it")
        elif _forbids_commerce(theirs) and (ours is None or (_is_known(mine) and not _forbids_commerce(mine))):
            allowed = "task.license is not said" if ours is None else f"task.license is {ours}, which allows it"
            message = f"{source.license} forbids commercial use, and {allowed}"
            advice = "give task.license the same limit, or take other passages"
            yield loaded.diagnostic("W314", path, message, help=advice)
        elif _shares_alike(theirs) and ours is not None and not _keeps(theirs, mine):
            message = f"{source.license} asks for its own terms, and task.license is {ours}"
            advice = f"write task.license: {source.license}, or take other passages"
            yield loaded.diagnostic("W315", path, message, help=advice)


def _words(text: str) -> list[str]:
    """Runs of letters and digits."""
    return "".join(character if character.isalnum() else " " for character in text).split()


def _is_known(words: list[str]) -> bool:
    """Whether a licence is a known free one, or a kin of one; texts of one's own are not judged."""
    return bool(words) and words[0] in _FREE


def _forbids_commerce(words: list[str]) -> bool:
    text = " ".join(words)
    return "NC" in words or "NONCOMMERCIAL" in words or any(phrase in text for phrase in _NO_COMMERCE)


def _shares_alike(words: list[str]) -> bool:
    named = {"ODBL", "GFDL", "SHAREALIKE"} & set(words)
    return {"CC", "BY", "SA"} <= set(words) or bool(named) or "SHARE ALIKE" in " ".join(words)


def _keeps(theirs: list[str], ours: list[str]) -> bool:
    """Whether data under ``ours`` keep the terms of share-alike passages; licences that are not known pass."""
    if not _is_known(ours) or any(word in ("GPL", "LGPL", "AGPL") for word in ours):
        return True
    return _shares_alike(ours) and _forbids_commerce(theirs) == _forbids_commerce(ours)


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
