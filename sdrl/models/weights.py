"""Where the weights of a model lie: the toy base that ships, a folder beside the spec, or a pinned hub model.

Downloads a hub model (safetensors, configuration and tokenizer only) when the embedded server is to load it and it is
not in the hub's own cache yet. Loads nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sdrl.compiler.identities import TOY_BASE, digest_folder, embedded_folder
from sdrl.spec.diagnostics import Exit, SdrlError

_HUB_FILES = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "*.tiktoken"]


@dataclass(frozen=True)
class Weights:
    """A folder, or a hub model ``name`` at ``revision``."""

    folder: Path | None
    name: str
    revision: str | None = None

    def local(self) -> Path:
        """The folder; a hub model is downloaded first. Raises SdrlError when it cannot be had."""
        if self.folder is not None:
            return self.folder
        try:
            from huggingface_hub import snapshot_download
            from huggingface_hub.errors import HfHubHTTPError
        except ImportError as error:
            raise SdrlError(
                "E844", "loading a hub model needs huggingface_hub", help="pip install 'sdrl[train]'"
            ) from error
        try:
            return Path(snapshot_download(self.name, revision=self.revision, allow_patterns=_HUB_FILES))
        except (HfHubHTTPError, OSError, ValueError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
            raise SdrlError(
                "E847",
                f"the hub did not give {self.name}@{self.revision}: {reason}",
                help="check the network, or download the model and name its folder in models.base.model",
                exit=Exit.STOPPED,
            ) from error


def weights_of(model: str, identity: str, base_dir: Path | None) -> Weights:
    """Where the model that a spec calls ``model`` lies; ``identity`` is the plan's (hub models: name@commit)."""
    if model == TOY_BASE:
        return Weights(embedded_folder() / "toy_base", TOY_BASE)
    folder = (base_dir or Path.cwd()) / Path(model).expanduser()
    if folder.is_dir():
        return Weights(folder.resolve(), folder.name)
    name, _, revision = identity.partition("@")
    return Weights(None, name, revision or None)


def refuse_changed_weights(role: str, folder: Path, identity: str) -> None:
    """Raise SdrlError (exit 3) when the files in ``folder`` are not the ones the plan was compiled with."""
    refuse_changed_model(role, str(folder), f"sha256:{digest_folder(folder)}", identity)


def refuse_changed_model(role: str, name: str, found: str, identity: str) -> None:
    """Raise SdrlError (exit 3) when a model is another than the plan's: its replies would bear a wrong name."""
    if found != identity:
        raise SdrlError(
            "E605",
            f"models.{role}: {name} is not what this plan was compiled with ({found}, the plan has {identity})",
            help="put the files back, or compile the spec again and run the new plan",
            exit=Exit.STALE,
        )
