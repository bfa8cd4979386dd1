"""What one training holds while it runs: the job, the model, its tokenizer, the rows, the metrics file.

Opens the model folder (or a hub id at its revision) and checks that tokenizer and prompts fit it. Prompts are encoded
here and nowhere else, so rollouts, SFT and validation cannot differ in their bytes. Does not train.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sdrl.spec.diagnostics import SdrlError
from sdrl.training.data import Row, fitting, read_rows, training_rows
from sdrl.training.job import METRICS, Curve, TrainingJob
from sdrl.training.metrics import MetricsLog
from sdrl.verifier import Verifier


@dataclass
class Session:
    """Everything the trainers and callbacks share; `curve` grows with every look at the validation split."""

    job: TrainingJob
    device: str
    folder: Path
    tokenizer: Any
    model: Any
    eos_ids: frozenset[int]
    verifier: Verifier
    rows: list[Row]
    validation: list[Row]
    metrics: MetricsLog
    is_main: bool = True
    resumed_from: int | None = None
    curve: list[Curve] = field(default_factory=list)
    too_long: list[Row] = field(default_factory=list)
    stopped: bool = False
    early_stopped: bool = False
    not_finite: bool = False

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.job.work_dir / "checkpoints"

    def encode(self, texts: list[str]) -> list[list[int]]:
        """Return the token ids of prompts, with the tokenizer's own begin token unless the job forbids it."""
        ids: list[list[int]] = self.tokenizer(texts, add_special_tokens=self.job.add_special_tokens)["input_ids"]
        return ids

    def encode_plain(self, texts: list[str]) -> list[list[int]]:
        """Return the token ids of completions: never with added tokens."""
        ids: list[list[int]] = self.tokenizer(texts, add_special_tokens=False)["input_ids"]
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of token ids without special tokens."""
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def text(self, ids: Sequence[int]) -> str:
        """Return a completion's text as an endpoint returns it: without the token that ended it, special or not."""
        return self.decode(ids[:-1] if len(ids) and ids[-1] in self.eos_ids else ids)

    @property
    def vocabulary(self) -> int:
        """The width of the logits."""
        return int(self.model.config.get_text_config().vocab_size)


def open_session(job: TrainingJob) -> Session:
    """Load everything a job names. Raises: `SdrlError` E802, E803, E806."""
    import torch

    torch.set_num_threads(job.threads)
    device = job.device if job.device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")
    rows = training_rows(job)
    validation = read_rows(job.validation_rows) if job.validation_rows else []
    folder = model_folder(job)
    tokenizer = load_tokenizer(folder, [row.prompt for row in rows[:8]])
    model = load_model(folder)
    eos_ids = _eos_ids(model, tokenizer) | frozenset(job.end_ids)
    _forget_defaults(model, tokenizer, eos_ids)
    session = Session(
        job=job,
        device=device,
        folder=folder,
        tokenizer=tokenizer,
        model=model,
        eos_ids=eos_ids,
        verifier=Verifier.from_program(job.verifier),
        rows=rows,
        validation=validation,
        metrics=MetricsLog(job.work_dir / METRICS),
        is_main=os.environ.get("RANK", "0") == "0",
    )
    context = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if context:
        session.rows, session.too_long = fitting(rows, session.encode, int(context), job)
        session.validation, more = fitting(validation, session.encode, int(context), job)
        session.too_long += more
    return session


def model_folder(job: TrainingJob) -> Path:
    """Return the local folder of the job's model, fetched from the hub when it is an id. Raises: `SdrlError` E806."""
    if Path(job.model).is_dir():
        return Path(job.model)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(
            snapshot_download(
                job.model, revision=job.revision, ignore_patterns=["*.pth", "*.gguf", "*.msgpack", "*.h5"]
            )
        )
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SdrlError("E806", f"cannot get the model {job.model}: {first}") from error


def load_model(folder: Path) -> Any:
    """Return the causal model of a folder with fp32 weights. Raises: `SdrlError` E806."""
    import torch
    from transformers import AutoModelForCausalLM

    try:
        # fp32 whatever the file holds: an update of 1e-6 is lost in the rounding of 16-bit weights.
        return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    except (OSError, ValueError) as error:
        raise SdrlError("E806", f"cannot load the model in {folder}: {str(error).splitlines()[0]}") from error


def load_tokenizer(folder: Path, probes: Sequence[str]) -> Any:
    """Return a folder's tokenizer, left-padding and with a pad token. Raises: `SdrlError` E806.

    AutoTokenizer goes by the model's architecture and puts, for instance, Qwen2's own class over a custom
    tokenizer.json, which silently encodes otherwise. Where the two readings of the folder differ, tokenizer.json as
    it stands wins.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        if (folder / "tokenizer.json").is_file():
            literal = PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
            texts = [*probes, "Two  spaces, 1,234 and\na line."]
            if any(
                tokenizer(text, add_special_tokens=False)["input_ids"]
                != literal(text, add_special_tokens=False)["input_ids"]
                for text in texts
            ):
                tokenizer = literal
    except (OSError, ValueError) as error:
        raise SdrlError("E806", f"cannot load the tokenizer in {folder}: {str(error).splitlines()[0]}") from error
    if tokenizer.eos_token_id is None:
        raise SdrlError(
            "E806", f"the tokenizer in {folder} names no end token", help="set eos_token in tokenizer_config.json"
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "left"
    return tokenizer


def _eos_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    """Return every id that ends a completion: the tokenizer's, and those of the generation config."""
    named = model.generation_config.eos_token_id
    more = [] if named is None else ([named] if isinstance(named, int) else list(named))
    return frozenset([int(tokenizer.eos_token_id), *(int(one) for one in more)])


def _forget_defaults(model: Any, tokenizer: Any, eos_ids: frozenset[int]) -> None:
    """Replace the folder's generation defaults (a penalty, a nucleus) by end tokens and nothing else.

    Every field that a caller leaves open is filled from them by `generate`, and no request to an endpoint has them.
    """
    from transformers import GenerationConfig

    model.generation_config = GenerationConfig(
        bos_token_id=model.generation_config.bos_token_id,
        eos_token_id=sorted(eos_ids),
        pad_token_id=tokenizer.pad_token_id,
    )
