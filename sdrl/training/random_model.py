"""`python -m sdrl.training.random_model SOURCE OUT [--small] [--given N]`: a model folder with random weights.

For a rehearsal. Reads config.json of SOURCE and, where they are there, its tokenizer's files; writes a whole model
folder. Without a tokenizer a stand-in is made, one token a byte, and OUT/STAND_IN says so. `--small` keeps the
architecture and the vocabulary and makes the rest tiny; `--given N` prints, as JSON, a completion of N tokens to learn.
Draws from a fixed seed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

STAND_IN = "STAND_IN"
_TOKENIZER = ("tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt", "*.model")
_ALSO = ("chat_template*", "generation_config.json")
SMALL = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
}
_LARGE = 100_000_000  # parameters from which on weights are written in half precision, as published models are


def make(source: Path, out: Path, *, small: bool) -> None:
    """Write the folder."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    out.mkdir(parents=True, exist_ok=True)
    fields = json.loads((source / "config.json").read_text(encoding="utf-8"))
    if small:
        fields |= {name: value for name, value in SMALL.items() if name in fields}
        fields.pop("layer_types", None)
    (out / "config.json").write_text(json.dumps(fields, indent=1), encoding="utf-8")
    config = AutoConfig.from_pretrained(out, local_files_only=True)
    torch.manual_seed(0)
    with torch.device("meta"):
        size = sum(each.numel() for each in AutoModelForCausalLM.from_config(config).parameters())
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16 if size >= _LARGE else torch.float32)
    model.save_pretrained(out)
    copied = [path for pattern in (*_TOKENIZER, *_ALSO) for path in source.glob(pattern) if path.is_file()]
    for path in copied:
        shutil.copyfile(path, out / path.name)
    if not any(path.name.startswith("tokenizer") for path in copied):
        _stand_in(config, out)


def _stand_in(config: Any, out: Path) -> None:
    """A tokenizer of one token a byte, within the model's vocabulary."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"<pad>": 0, "<eos>": 1, **{letter: index + 2 for index, letter in enumerate(letters)}}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<pad>")
    made.save_pretrained(out)
    (out / STAND_IN).write_text("no tokenizer was at hand: one token a byte stands in for it\n", encoding="utf-8")


def given(folder: Path, tokens: int) -> dict[str, str | int]:
    """Return {text, tokens}: a text that the folder's tokenizer reads as so many tokens, or as nearly as can be."""
    from sdrl.training.session import load_tokenizer

    tokenizer = load_tokenizer(folder, [])
    count = " ".join(str(number % 10) for number in range(tokens))
    cut = tokenizer(count, add_special_tokens=False)["input_ids"][:tokens]
    text = tokenizer.decode(cut, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return {"text": text, "tokens": len(tokenizer(text, add_special_tokens=False)["input_ids"])}


def main(arguments: list[str]) -> int:
    """Read the command line and make the folder."""
    parser = argparse.ArgumentParser(prog="python -m sdrl.training.random_model")
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--given", type=int, metavar="N")
    args = parser.parse_args(arguments)
    make(args.source, args.out, small=args.small)
    if args.given:
        sys.stdout.write(json.dumps(given(args.out, args.given)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
