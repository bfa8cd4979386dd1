"""The Hugging Face hub, asked only by ``compile --pin``: revisions, and rows of data sets by streaming.

Downloads what is asked for and nothing else; reads no tokens itself (the libraries do). A data set may also be a folder
beside the spec laid out like one, which needs no network. Every failure is one ``HubProblem`` with a way out.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sdrl.compiler.pins import Pins

_COMMIT = re.compile(r"[0-9a-f]{40}")
TOKENIZER_FILES = ("tokenizer_config.json", "chat_template.jinja", "tokenizer.json", "generation_config.json")


class HubProblem(ValueError):
    """The hub could not give what was asked."""

    def __init__(self, message: str, help: str) -> None:  # noqa: A002
        super().__init__(message)
        self.message = message
        self.help = help


@dataclass
class Resources:
    """What is not at hand, and what pinning found: commits by the dotted path of the ``revision`` they belong to.

    ``kept`` are the pins of an earlier plan, used where ``pin`` does not look them up anew.
    """

    pin: bool
    kept: Pins = field(default_factory=Pins)
    pending: list[str] = field(default_factory=list)
    commits: dict[str, str] = field(default_factory=dict)

    def resolve(self, name: str, revision: str | None, kind: str, path: str) -> str:
        """The commit of a hub resource, looked up once and noted under ``path``; HubProblem as below."""
        if revision is not None and is_commit(revision):
            return revision
        self.commits[path] = resolve_revision(name, revision, kind)
        return self.commits[path]

    def keep(self, name: str, revision: str | None, kind: str, path: str) -> str | None:
        """The commit that an earlier plan pinned, noted under ``path``; None where there is none or it is to be new."""
        commit = None if self.pin or revision is not None else self.kept.commits.get((kind, name))
        if commit is not None:
            self.commits[path] = commit
        return commit


def is_commit(revision: str | None) -> bool:
    """Whether a revision names one fixed state: a full commit, not a branch or tag, which can move."""
    return revision is not None and _COMMIT.fullmatch(revision) is not None


def resolve_revision(name: str, revision: str | None, kind: str) -> str:
    """The commit that ``revision`` (or the main branch) of a ``model`` or ``dataset`` stands for now.

    Raises:
        HubProblem: the library, the network or the repository is missing.
    """
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    except ImportError:
        raise _missing("huggingface_hub") from None
    api = HfApi()
    try:
        info = (api.model_info if kind == "model" else api.dataset_info)(name, revision=revision)
    except HFValidationError:
        raise HubProblem(f"'{name}' is no name of a hub {kind}", "write owner/name") from None
    except _failures(HfHubHTTPError) as error:
        raise _unreachable(name, error) from None
    return str(info.sha)


def stream_rows(
    name: str, config: str | None, split: str, revision: str | None, limit: int | None, base_dir: Path
) -> Iterator[Mapping[str, Any]]:
    """The first ``limit`` rows of a data set, in its own order.

    Raises:
        HubProblem: as above; also for an unknown configuration or split.
    """
    try:
        from datasets import load_dataset  # 0.7 s
    except ImportError:
        raise _missing("datasets") from None
    folder = base_dir / name
    source = str(folder) if folder.is_dir() else name
    pinned = None if folder.is_dir() else revision
    try:
        rows = load_dataset(source, config, split=split, revision=pinned, streaming=True)
        yield from islice(rows, limit)
    except _failures() as error:
        raise _unreachable(name, error) from None


def fetch_tokenizer(name: str, revision: str, folder: Path) -> None:
    """Download the files that hold a model's chat template into ``folder``.

    Raises:
        HubProblem: as above.
    """
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError
    except ImportError:
        raise _missing("huggingface_hub") from None
    for file in TOKENIZER_FILES:
        try:
            hf_hub_download(name, file, revision=revision, local_dir=folder)
        except EntryNotFoundError:
            continue  # not every model has all of them
        except _failures(HfHubHTTPError) as error:
            raise _unreachable(name, error) from None


def _failures(*own: type[Exception]) -> tuple[type[Exception], ...]:
    """What the hub's libraries raise, by the HTTP client that they loaded: its errors are no OSError."""
    clients = [sys.modules[name] for name in ("httpx", "httpx2") if name in sys.modules]
    return (*own, OSError, ValueError, RuntimeError, *(client.HTTPError for client in clients))


def _missing(library: str) -> HubProblem:
    return HubProblem(f"pinning hub resources needs the library {library}", "pip install 'sdrl[train]'")


def _unreachable(name: str, error: Exception) -> HubProblem:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    return HubProblem(
        f"the hub did not give '{name}': {reason}",
        "check the name, configuration, split and revision, and that the hub can be reached; or download it once and "
        "name the local files or folder",
    )
