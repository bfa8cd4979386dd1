"""Makes the weights of the toy base again: `python -m sdrl.embedded.pretrain --out DIR`.

Trains a byte-level BPE tokenizer in Qwen2's own form, then a Qwen2 causal language model of about 1 M parameters, from
scratch, on `sdrl.embedded.documents`: phase 1 at a constant learning rate until worked solutions are learnt, phase 2
(habits of answering mixed in) while the rate falls to zero. Writes the model folder (fp16 weights, tokenizer, configs)
and `pretrain.json` (settings, seeds, times, losses). CPU, two threads; needs the extra `train`.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from sdrl.embedded.documents import Document, documents
from sdrl.embedded.problems.sets import held_back_texts

END = "<|endoftext|>"
IGNORE = -100


@dataclass(frozen=True)
class Settings:
    """Everything that decides the weights."""

    seed: int = 7
    vocabulary: int = 1024
    hidden: int = 128
    layers: int = 4
    heads: int = 4
    intermediate: int = 384
    positions: int = 512
    batch_tokens: int = 8192
    phase_1_tokens: int = 10_000_000
    phase_2_tokens: int = 2_500_000
    lr: float = 3e-3
    muon_lr: float = 0.02
    weight_decay: float = 0.05
    warmup_steps: int = 60
    prompt_weight: float = 0.3


def train_tokenizer(settings: Settings, folder: Path) -> Any:
    """A tokenizer with Qwen2's normaliser, pre-tokenizer and decoder and a small vocabulary; saved to `folder`."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from tokenizers.normalizers import NFC
    from transformers import Qwen2Tokenizer

    shape = Qwen2Tokenizer().backend_tokenizer
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = NFC()
    tokenizer.pre_tokenizer = shape.pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=settings.vocabulary,
        special_tokens=[END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    texts = (d.prompt + d.completion for phase in (1, 2) for d in islice(documents(settings.seed, phase), 15_000))
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    finished = Qwen2Tokenizer(vocab=model["vocab"], merges=[tuple(m) for m in model["merges"]])
    finished.padding_side = "left"
    finished.model_max_length = settings.positions
    finished.save_pretrained(folder)
    # transformers drops the padding side when it saves; without it, batches are padded on the right.
    config = folder / "tokenizer_config.json"
    kept = json.loads(config.read_text(encoding="utf-8")) | {"padding_side": "left"}
    config.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return finished


def new_model(settings: Settings, tokenizer: Any) -> Any:
    """A fresh Qwen2 model with tied embeddings."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(settings.seed)
    end = tokenizer.eos_token_id
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=settings.hidden,
        intermediate_size=settings.intermediate,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.heads,
        max_position_embeddings=settings.positions,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=end,
    )
    return Qwen2ForCausalLM._from_config(config, attn_implementation="eager")


@dataclass(frozen=True)
class Batch:
    """Token ids, shape (rows, length), right-padded, with labels and weights of the same shape."""

    ids: Any
    labels: Any
    weights: Any


def batches(stream: Iterator[Document], tokenizer: Any, settings: Settings, seed: int) -> Iterator[Batch]:
    """Batches of `batch_tokens` tokens of documents of like length, one to a row: little is padding."""
    import numpy as np
    import torch

    rng = random.Random(seed)
    encode = tokenizer.backend_tokenizer.encode_batch
    while True:
        pool = list(islice(stream, 4096))
        prompts = [len(e.ids) for e in encode([d.prompt for d in pool])]
        whole = [[*e.ids, tokenizer.eos_token_id] for e in encode([d.prompt + d.completion for d in pool])]
        order = sorted(range(len(pool)), key=lambda i: (len(whole[i]), i))
        groups: list[list[int]] = [[]]
        for index in order:
            if (len(groups[-1]) + 1) * len(whole[index]) > settings.batch_tokens:
                groups.append([])
            groups[-1].append(index)
        rng.shuffle(groups)
        for group in groups:
            length = max(len(whole[i]) for i in group)
            ids = np.full((len(group), length), tokenizer.eos_token_id, dtype=np.int64)
            labels = np.full((len(group), length), IGNORE, dtype=np.int64)
            weights = np.ones((len(group), length), dtype=np.float32)
            for row, index in enumerate(group):
                tokens = whole[index]
                ids[row, : len(tokens)] = tokens
                labels[row, : len(tokens) - 1] = tokens[1:]
                weights[row, : max(prompts[index] - 1, 0)] = settings.prompt_weight
            yield Batch(torch.from_numpy(ids), torch.from_numpy(labels), torch.from_numpy(weights))


def optimizers(model: Any, settings: Settings) -> list[Any]:
    """Muon for the matrices of the layers, AdamW for embeddings, norms and biases."""
    import torch

    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    rest = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    return [
        torch.optim.Muon(
            matrices, lr=settings.muon_lr, weight_decay=settings.weight_decay, momentum=0.95, adjust_lr_fn="original"
        ),
        torch.optim.AdamW(rest, lr=settings.lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
    ]


def train_steps(
    model: Any,
    optimizers_: Sequence[Any],
    stream: Iterator[Batch],
    *,
    tokens: int,
    settings: Settings,
    warmup: int,
    decay: bool,
    log: Any,
) -> None:
    """Train until `tokens` positions were seen; the rate warms up, stays, or falls linearly to zero."""
    import torch
    from torch.nn.functional import cross_entropy

    base = [[g["lr"] for g in o.param_groups] for o in optimizers_]
    # bf16 twin for the forward and backward pass: 1.5 times as fast on a CPU with AMX; the fp32 weights are the truth.
    twin = copy.deepcopy(model).to(torch.bfloat16)
    pairs = list(zip(model.parameters(), twin.parameters(), strict=True))
    seen = step = 0
    began, smooth = time.monotonic(), 0.0
    twin.train()
    while seen < tokens:
        batch = next(stream)
        scale = min(1.0, (step + 1) / max(warmup, 1)) * (max(1 - seen / tokens, 0.02) if decay else 1.0)
        for optimizer, rates in zip(optimizers_, base, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * scale
        logits = twin(input_ids=batch.ids, use_cache=False).logits.float()
        flat = cross_entropy(
            logits.view(-1, logits.shape[-1]), batch.labels.view(-1), ignore_index=IGNORE, reduction="none"
        )
        weights = (batch.weights * (batch.labels != IGNORE)).view(-1)
        loss = (flat * weights).sum() / weights.sum()
        loss.backward()
        for master, copied in pairs:
            master.grad = copied.grad.float()
            copied.grad = None
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers_:
            optimizer.step()
        with torch.no_grad():
            for master, copied in pairs:
                copied.copy_(master)
        seen += batch.ids.numel()
        step += 1
        smooth = loss.item() if step == 1 else 0.98 * smooth + 0.02 * loss.item()
        if step % 50 == 0:
            took = time.monotonic() - began
            log(f"step {step} tokens {seen} loss {smooth:.4f} lr x{scale:.2f} {seen / took:.0f} tokens/s")
    for optimizer, rates in zip(optimizers_, base, strict=True):
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate


def save(model: Any, folder: Path) -> None:
    """The fp16 weights and an explicit generation config."""
    import torch
    from transformers import GenerationConfig

    end = model.config.eos_token_id
    model.generation_config = GenerationConfig(eos_token_id=end, pad_token_id=end, do_sample=False)
    half = copy.deepcopy(model).to(torch.float16)
    half.save_pretrained(folder)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and write the folder; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sdrl.embedded.pretrain", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the model folder to write")
    parser.add_argument("--seed", type=int, default=Settings.seed)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--share", type=float, default=1.0, help="train on this share of the tokens only, as a trial")
    options = parser.parse_args(arguments)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    torch.set_num_threads(options.threads)
    settings = Settings(seed=options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []

    def log(line: str) -> None:
        lines.append(line)
        sys.stderr.write(line + "\n")

    began = time.monotonic()
    forbidden = held_back_texts()
    tokenizer = train_tokenizer(settings, options.out)
    model = new_model(settings, tokenizer)
    chosen = optimizers(model, settings)
    for phase, planned in ((1, settings.phase_1_tokens), (2, settings.phase_2_tokens)):
        tokens = int(options.share * planned)
        stream = batches(documents(settings.seed, phase, forbidden), tokenizer, settings, settings.seed + phase)
        train_steps(
            model,
            chosen,
            stream,
            tokens=tokens,
            settings=settings,
            warmup=settings.warmup_steps if phase == 1 else 0,
            decay=phase == 2,
            log=log,
        )
    save(model, options.out)
    seconds = round(time.monotonic() - began)
    record = {"settings": asdict(settings), "share": options.share, "seconds": seconds, "log": lines[-5:]}
    (options.out / "pretrain.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
