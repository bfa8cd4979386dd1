"""The random model of a rehearsal: its configuration found, its weights made by a process of their own.

The configuration is the base model's: of its folder, of the hub (a few kilobytes; no weights), or, where the hub cannot
be reached, of the table of well-known shapes. Loads no torch here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sdrl.compiler.model_shape import ModelShape, known_shape
from sdrl.compiler.plan import Plan
from sdrl.models.weights import Weights, weights_of
from sdrl.spec.diagnostics import SdrlError
from sdrl.training.random_model import STAND_IN

_SMALL_FILES = ["*.json", "*.jinja", "*.model", "merges.txt", "vocab.txt"]


@dataclass(frozen=True)
class Made:
    """The folder, how much of the disk it takes, whose tokenizer it has, in words, and a completion to learn."""

    folder: Path
    gb: float
    tokenizer: str
    completion: str = ""
    """For SFT and RFT as long as an answer may be; empty where the model draws its own."""
    completion_tokens: int = 0


def random_weights(plan: Plan, folder: Path, *, small: bool) -> Made:
    """Make the folder below ``folder``. Raises SdrlError (E883) when there is no configuration or no torch."""
    models = plan.settings.models
    assert models is not None  # rehearse refuses a plan without
    weights = weights_of(models.base.model, plan.identities["base"], plan.base_dir)
    source = weights.folder or _from_hub(weights) or _from_table(weights.name, folder / "configuration")
    out = folder / "random-model"
    train = plan.settings.train
    given = [] if train.algorithm in ("grpo", "rloo") else ["--given", str(train.max_completion_tokens)]
    words = [sys.executable, "-m", "sdrl.training.random_model", str(source), str(out)]
    done = subprocess.run([*words, *(["--small"] if small else []), *given], capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise SdrlError("E883", f"no random model could be made: {last[:300]}", help="pip install 'sdrl[train]'")
    size = sum(path.stat().st_size for path in out.iterdir()) / 1e9
    is_stand_in = (out / STAND_IN).exists()
    tokenizer = "a stand-in, one token a byte" if is_stand_in else "the model's own"
    if not given:
        return Made(out, size, tokenizer)
    learned = json.loads(done.stdout.splitlines()[-1])
    return Made(out, size, tokenizer, learned["text"], learned["tokens"])


def _from_hub(weights: Weights) -> Path | None:
    """The small files of a hub model; None where the hub does not give them."""
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(weights.name, revision=weights.revision, allow_patterns=_SMALL_FILES))
    except (ImportError, OSError, ValueError):
        return None


def _from_table(name: str, folder: Path) -> Path:
    shape = known_shape(name)
    if shape is None:
        raise SdrlError(
            "E883",
            f"the configuration of {name} is not at hand: the hub did not give it, and its shape is not known here",
            help="check the network, or name the model's folder in models.base.model",
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config_of(shape), indent=1), encoding="utf-8")
    return folder


def config_of(shape: ModelShape) -> dict[str, object]:
    """A config.json of a shape."""
    return {
        "model_type": shape.kind,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head,
        "vocab_size": shape.vocabulary,
        "tie_word_embeddings": shape.is_tied,
        "attention_bias": shape.has_bias,
        "mlp_bias": shape.has_mlp_bias,
        "max_position_embeddings": 32_768,
        "eos_token_id": 1,
        "pad_token_id": 0,
        "bos_token_id": None,
    }
