"""Which model exactly: the names under which replies are cached and stages are hashed.

An API model is its (dated) name, a hub model its revision, a local folder the sha256 of its files, the embedded models
the sha256 of what sdrl ships. Reads model folders; asks the hub only when pinning.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import sdrl
from sdrl.compiler import hub
from sdrl.compiler.chat import ChatTemplate, read_chat_template
from sdrl.compiler.findings import Findings
from sdrl.compiler.plan import BasePrompt
from sdrl.compiler.prompts import stop_strings
from sdrl.compiler.rows import digest_file
from sdrl.spec.model import Base, Embedder, Instructor, Models

INSTRUCTOR = "scripted-instructor"
TOY_BASE = "toy-base"
INSTRUCTOR_SOURCES = ("instructor", "problems")
# what in a model folder changes its tokens or its probabilities
WEIGHTS = (".safetensors", ".bin", ".json", ".jinja", ".model", ".txt", ".tiktoken")


@dataclass(frozen=True)
class Identified:
    """The identities of the models, and where the base's tokenizer files lie (None: not at hand)."""

    names: dict[str, str]
    base_folder: Path | None


def identify(models: Models | None, base_dir: Path, findings: Findings, resources: hub.Resources) -> Identified:
    """Both models' identities; a hub model without a commit is ``pending`` unless pinned."""
    if models is None:
        return Identified({}, None)
    base, folder = _base(models.base, base_dir, findings, resources)
    names = {"instructor": instructor_identity(models.instructor, base_dir), "base": base}
    if models.embedder is not None:
        names["embedder"] = embedder_identity(models.embedder)
    return Identified(names, folder)


def embedded_folder() -> Path:
    """Where the embedded models lie, found without importing them."""
    return Path(sdrl.__file__).resolve().parent / "embedded"


def instructor_identity(instructor: Instructor, base_dir: Path) -> str:
    """The instructor as it is now; asks nobody."""
    if instructor.is_embedded or instructor.model == INSTRUCTOR:
        return f"{instructor.model}@{_digest_sources(embedded_folder())[:16]}"
    folder = base_dir / instructor.model
    if (folder / "config.json").is_file():
        return f"sha256:{digest_folder(folder)}"
    return instructor.model


def embedder_identity(embedder: Embedder) -> str:
    """The embedder as it is now; asks nobody."""
    if not embedder.is_embedded:
        return embedder.model
    return f"{embedder.model}@{digest_file(embedded_folder() / 'embedder.py')[0][:16]}"


def _base(base: Base, base_dir: Path, findings: Findings, resources: hub.Resources) -> tuple[str, Path | None]:
    path = "models.base.model"
    folder = embedded_folder() / "toy_base" if base.model == TOY_BASE else base_dir / base.model
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            findings.add(
                "E547", path, f"'{base.model}' is a folder without config.json, so no model", "name its folder"
            )
            return f"sha256:{'0' * 64}", None
        return f"sha256:{digest_folder(folder)}", folder
    if base.model == TOY_BASE:
        findings.add("E547", path, f"the embedded model is missing: {folder}", "install sdrl again: it is incomplete")
        return TOY_BASE, None
    if base.model.startswith((".", "/", "~")):
        findings.add("E547", path, f"there is no model folder '{base.model}'", f"paths start at {base_dir}")
        return base.model, None
    revision = base.revision
    if not hub.is_commit(revision):
        kept = resources.keep(base.model, revision, "model", "models.base.revision")
        if kept is None and not resources.pin:
            resources.pending.append(f"models.base: hub model {base.model}@{revision or 'main'}")
            return f"{base.model}@pending", None
        try:
            revision = kept or resources.resolve(base.model, revision, "model", "models.base.revision")
        except hub.HubProblem as problem:
            findings.add("E546", path, problem.message, problem.help)
    return f"{base.model}@{revision}", None


def digest_folder(folder: Path) -> str:
    """Sha256 over names and contents of a model folder's files, in sorted order; other files do not count."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix in WEIGHTS and path.name != "README.txt":
            digest.update(f"{path.name} {digest_file(path)[0]}\n".encode())
    return digest.hexdigest()


def _digest_sources(folder: Path) -> str:
    """Sha256 over the sources of the scripted instructor: a changed program writes other samples."""
    digest = hashlib.sha256()
    paths = [path for name in INSTRUCTOR_SOURCES for path in (folder / name).rglob("*.py")]
    for path in sorted(paths):
        digest.update(f"{path.relative_to(folder).as_posix()} {digest_file(path)[0]}\n".encode())
    return digest.hexdigest()


def base_prompt(
    models: Models | None,
    identified: Identified,
    answer_template: str,
    findings: Findings,
    resources: hub.Resources,
    also: Iterable[str] = (),
) -> BasePrompt:
    """How the base model is asked: raw, or in its own chat template, which is frozen here.

    ``also`` are the stop strings that sampling blocks of single stages name: a text that ends an answer in one stage
    ends it in all.
    """
    derived = stop_strings(answer_template)
    if models is None:
        return BasePrompt("raw", stop=_once(derived, also))
    base, form = models.base, models.base.prompt
    if form.kind == "raw":
        return BasePrompt("raw", stop=_once(derived if base.stop == "auto" else base.stop, also))
    stop = _once(() if base.stop == "auto" else base.stop, also)  # a chat model ends its turn by itself
    asked = BasePrompt("chat", "", base.system, stop, options=dict(form.options))
    found: ChatTemplate | None = None
    if identified.base_folder is not None:
        found = read_chat_template(identified.base_folder)
    elif not resources.pin and (kept := resources.kept.chat.get(base.model)) is not None:
        found = ChatTemplate(kept.chat_template or "", kept.tokens, kept.keeps_bos, kept.end_ids)
    elif not resources.pin:
        resources.pending.append(f"models.base: chat template of {base.model}")
        return asked
    elif not findings.failed:
        found = _pinned_template(identified.names["base"], findings)
    if found is None:
        if not findings.failed:
            findings.add(
                "E548",
                "models.base.prompt",
                f"'{base.model}' has no chat template",
                "use 'prompt: raw', which base models expect",
            )
        return asked
    return replace(
        asked, chat_template=found.source, tokens=found.tokens, keeps_bos=found.keeps_bos, end_ids=found.end_ids
    )


def _once(first: Iterable[str], then: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*first, *then]))


def _pinned_template(identity: str, findings: Findings) -> ChatTemplate | None:
    name, _, revision = identity.partition("@")
    with tempfile.TemporaryDirectory(prefix="sdrl-tokenizer-") as folder:
        try:
            hub.fetch_tokenizer(name, revision, Path(folder))
        except hub.HubProblem as problem:
            findings.add("E546", "models.base.model", problem.message, problem.help)
            return None
        return read_chat_template(Path(folder))
