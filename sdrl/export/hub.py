"""The export to the Hugging Face hub: a data set folder and the model folder, each with its card; pushed on demand.

The data set holds the synthetic rows alone: test sets are other people's, and published test rows end in training data.
Pushing is a step of its own (``push``), asked for by a flag, and the only thing here that talks to a network.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sdrl.export.parts import Files
from sdrl.export.plain import FIELDS, VERIFIER, count, shared_files
from sdrl.export.samples import Sample
from sdrl.export.source import Source
from sdrl.spec.diagnostics import Exit, SdrlError

_REPOSITORY = re.compile(r"[\w-]+/[\w.-]+")
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_ADDRESS = '"OWNER/NAME"'  # in a card that is not pushed yet
Upload = Callable[[str, str, Path, str], None]  # kind, repository, folder, token


def hub_files(source: Source, split: dict[str, list[Sample]]) -> Files:
    """The data set's files below ``dataset/``; the model folder is copied beside it, with the card the run wrote."""
    own = {name: rows for name, rows in split.items() if name != "test"}
    files = shared_files(source, {**own, "test": []})
    files["README.md"] = _card(source, own)
    return {f"dataset/{name}": content for name, content in files.items()}


def _card(source: Source, own: dict[str, list[Sample]]) -> bytes:
    plan = source.plan
    rows, licence = sum(map(len, own.values())), plan.settings.task.license
    head: dict[str, Any] = {
        # The rows are made of passages, an instructor's words and a task: no one licence is known to hold for them.
        "license": licence.lower() if licence and not plan.corpus else "other",  # the hub knows them in small letters
        "license_name": "see-licences-below",
        "pretty_name": plan.name,
        "language": [plan.settings.task.language],
        "task_categories": ["text-generation"],
        "tags": ["sdrl", "synthetic"],
        "size_categories": [next((size for most, size in _SIZES if rows < most), "n>1M")],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": name, "path": f"data/{name}.jsonl"} for name, found in own.items() if found],
            }
        ],
    }
    if head["license"] != "other":
        del head["license_name"]
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    return ("\n".join(["---", *lines, "---", "", *_body(source, own)]) + "\n").encode()


def _body(source: Source, own: dict[str, list[Sample]]) -> Iterator[str]:
    """What the rows are, how to load them, what each field is, whose they are, what they are not."""
    plan, models = source.plan, source.plan.settings.models
    instructor = _code(plan.identities.get("instructor", "unknown"))
    base = _code(plan.identities.get("base", "unknown"))
    terms = (models.instructor.terms if models else None) or "not stated in the spec"
    licences = sorted({each.license or "not stated" for each in plan.corpus})
    yield f"# {plan.name}: synthetic samples\n"
    yield (
        f"{count(own)} for reinforcement learning with a verifier, made by sdrl (plan `{plan.hash[:12]}`). "
        f"`{instructor}` wrote and solved them, a majority of its answers is the gold, and they were chosen by how "
        f"often `{base}` solves them. The task, as it was defined:\n"
    )
    yield _quoted(plan.parts[0].description) + "\n"
    yield "## Use\n"
    yield "```python\nfrom datasets import load_dataset\n\nrows = load_dataset(" + _ADDRESS + ', split="train")\n```\n'
    yield FIELDS
    yield VERIFIER
    yield "## Licences and terms\n"
    yield f"- instructor, which wrote and labelled the rows: `{instructor}`; terms for its outputs: {_code(terms)}"
    yield (
        f"- passages the rows were written from: {_code(', '.join(licences) or 'none')}; each with its file in "
        "`provenance.json`"
    )
    yield f"- task definition: {_code(plan.settings.task.license or 'not stated in the spec')}"
    yield "- the code of the verifier: Apache-2.0"
    yield "\n## Limits\n"
    yield "- labels are majority votes of the instructor, not checked facts"
    yield "- rows were chosen to be hard for one base model, whose pass rates they carry; for another they are any rows"
    yield "- there are no test rows here: test sets are other people's, and published ones end in training data"


def _quoted(text: str) -> str:
    """A person's text as a block that Markdown does not read: fenced longer than any fence in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}text\n{text.strip()}\n{fence}"


def _code(text: str) -> str:
    return " ".join(text.replace("`", "'").split())


def push(folder: Path, repository: str, *, upload: Upload | None = None) -> list[str]:
    """Upload an export: the data set to ``repository``, the model to ``repository``, both private; returns addresses.

    Raises:
        SdrlError: no token, or a name that is no OWNER/NAME (exit 2); whatever the hub refuses.
    """
    token = check_push(repository)
    card = folder / "dataset" / "README.md"
    if card.is_file():  # only now is it known where the data set will lie
        card.write_text(card.read_text(encoding="utf-8").replace(_ADDRESS, f'"{repository}"'), encoding="utf-8")
    done = []
    for kind, name in (("dataset", "dataset"), ("model", "model")):
        if (folder / name).is_dir():
            (upload or _upload)(kind, repository, folder / name, token)
            done.append(f"https://huggingface.co/{'datasets/' if kind == 'dataset' else ''}{repository}")
    return done


def check_push(repository: str) -> str:
    """The token to push with; call it before an export is made. Raises SdrlError."""
    if not _REPOSITORY.fullmatch(repository):
        raise SdrlError("", f"--push {repository}: not OWNER/NAME", help="for example --push me/gsm8k", exit=Exit.USAGE)
    token = os.environ.get("HF_TOKEN", "").strip() or _saved_token()
    if not token:
        raise SdrlError(
            "",
            "there is no Hugging Face token to push with; nothing was sent",
            help="export HF_TOKEN=hf_... (with write access), or leave --push out and upload the folder yourself",
            exit=Exit.USAGE,
        )
    return token


def _saved_token() -> str | None:
    try:
        from huggingface_hub import get_token
    except ImportError:
        return None
    found: str | None = get_token()
    return found


def _upload(kind: str, repository: str, folder: Path, token: str) -> None:
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError:
        raise SdrlError("E825", "pushing needs the library huggingface_hub", help="pip install 'sdrl[train]'") from None
    api = HfApi(token=token)
    try:
        api.create_repo(repository, repo_type=kind, private=True, exist_ok=True)
        api.upload_folder(repo_id=repository, repo_type=kind, folder_path=str(folder))
    except (HfHubHTTPError, OSError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise SdrlError(
            "", f"the hub did not take the {kind} {repository}: {first}", help=f"the export lies in {folder.parent}"
        ) from None
