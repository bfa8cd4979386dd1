"""The model folder that comes out: weights, config, generation config, and the base's own tokenizer files.

Tokenizer files are copied byte for byte, never saved anew, so that base and trained model encode alike wherever they
are loaded. The generation config names end tokens and nothing else: no penalty of the base acts on a model that was
trained without.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from sdrl.spec.diagnostics import SdrlError
from sdrl.training.checkpoints import MARKER, is_whole, swap_folder
from sdrl.training.session import Session, load_model

_COPIED = (
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "*.model",
    "chat_template*",
    "LICENSE*",
)


def save_weights(session: Session, trainer: Any, folder: Path) -> None:
    """Write the model as it is now into a complete model folder; the folder appears whole or not at all.

    Of a sharded model every process calls it: each gives its shards, the first writes.
    """
    state = trainer.accelerator.get_state_dict(trainer.model) if session.job.is_sharded else None
    if not session.is_main:
        return
    model = trainer.accelerator.unwrap_model(trainer.model)
    if session.job.lora:
        _write(_merged(model, session, state), session, folder)
    else:
        _write(model, session, folder, state)


def export(session: Session, source: Path | None, trainer: Any) -> None:
    """Put the final model into `out_dir`: a kept folder, the base itself, or the model as it is (None)."""
    out_dir = session.job.out_dir
    if source is None:
        save_weights(session, trainer, out_dir)
    if not session.is_main:
        return
    if source == session.folder:
        _write(load_model(source), session, out_dir)
    elif source is not None:
        if not is_whole(source):
            raise SdrlError("E809", f"the best weights in {source} are damaged", help="run again: it trains them anew")
        partial = _partial(out_dir)
        shutil.copytree(source, partial, ignore=shutil.ignore_patterns(MARKER))
        swap_folder(partial, out_dir)
    _check(session)


def _merged(adapted: Any, session: Session, state: Any) -> Any:
    """Return a model without adapters that computes the same; the one in training is left as it is.

    Merged into a fresh copy of the base: merging into the trained one and taking it back would leave rounding in its
    weights, and a resumed training would no longer end with the same bytes.
    """
    from peft import PeftModel

    with tempfile.TemporaryDirectory(prefix="adapters-", dir=session.job.work_dir) as folder:
        adapted.save_pretrained(folder, state_dict=state)
        return PeftModel.from_pretrained(load_model(session.folder), folder).merge_and_unload()


def _write(model: Any, session: Session, folder: Path, state: Any = None) -> None:
    partial = _partial(folder)
    model.generation_config = session.model.generation_config
    model.save_pretrained(partial, state_dict=state)
    for pattern in _COPIED:
        for path in session.folder.glob(pattern):
            if path.is_file():
                shutil.copyfile(path, partial / path.name)
    swap_folder(partial, folder)


def _partial(folder: Path) -> Path:
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    return partial


def _check(session: Session) -> None:
    """Check that the folder encodes as the training did; raises `SdrlError` E808 when it does not.

    A plain AutoTokenizer that reads the folder otherwise (see `load_tokenizer`) is the base's defect: for some
    architectures it follows no class that the folder names, so it is kept as it is and said as an alarm.
    """
    from transformers import AutoTokenizer

    from sdrl.training.session import load_tokenizer

    folder = session.job.out_dir
    probes = [row.prompt for row in session.rows[:8]]
    wanted = session.encode_plain(probes)
    if load_tokenizer(folder, probes)(probes, add_special_tokens=False)["input_ids"] != wanted:
        raise SdrlError("E808", f"the tokenizer saved in {folder} encodes prompts otherwise than in training")
    plain = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    if plain(probes, add_special_tokens=False)["input_ids"] != wanted:
        message, remedy = "AutoTokenizer reads this model's tokenizer.json otherwise", "load PreTrainedTokenizerFast"
        session.metrics.write({"alarm": "tokenizer", "message": message, "remedy": remedy})
