"""How long a text a model can take, and W511 where a prompt and its reply are longer.

Known from ``config.json`` of a model folder, and for well-known families from the table; of other models nothing is
said. Reads config.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sdrl.compiler.findings import Findings
from sdrl.compiler.plan import Plan
from sdrl.compiler.sizes import Sizes
from sdrl.spec.method_table import METHOD_TABLE

# the beginning of a name (without the hub's owner, small letters) -> tokens; the first that fits
FAMILIES: tuple[tuple[str, int], ...] = (
    ("gpt-4.1", 1_047_576),
    ("gpt-4o", 128_000),
    ("gpt-4-turbo", 128_000),
    ("gpt-4", 8_192),
    ("gpt-3.5-turbo", 16_385),
    ("gpt2", 1_024),
    ("claude", 200_000),
    ("qwen2.5-math", 4_096),
    ("qwen2.5", 32_768),
    ("qwen3", 32_768),
    ("llama-3.1", 131_072),
    ("llama-3.2", 131_072),
    ("llama-3.3", 131_072),
    ("meta-llama-3.1", 131_072),
    ("meta-llama-3", 8_192),
    ("llama-2", 4_096),
    ("gemma-2", 8_192),
    ("phi-2", 2_048),
    ("pythia", 2_048),
    ("opt-", 2_048),
    ("tinyllama", 2_048),
    ("smollm2", 8_192),
    ("smollm", 2_048),
    ("olmo-2", 4_096),
)
_KEYS = ("max_position_embeddings", "n_positions", "max_seq_len")


class _Asked(NamedTuple):
    """One kind of request: where its ``max_tokens`` stands, the prompt's and the reply's tokens."""

    path: str
    what: str
    prompt: float
    reply: int | None


def context_of(name: str, folder: Path | None) -> int | None:
    """The tokens that a model takes, prompt and reply together; None where it is not known."""
    if folder is not None:
        try:
            config = json.loads((folder / "config.json").read_bytes())
            found = next((config[key] for key in _KEYS if isinstance(config.get(key), int)), None)
        except (OSError, ValueError, AttributeError):
            return None
        return int(found) if found else None
    short = name.rsplit("/", 1)[-1].lower()
    return next((tokens for family, tokens in FAMILIES if short.startswith(family)), None)


def check_contexts(plan: Plan, sizes: Sizes, base_dir: Path, base_folder: Path | None, findings: Findings) -> None:
    """Report each kind of request whose usual prompt and longest reply do not fit into the model's context."""
    models = plan.settings.models
    if models is None:
        return
    folder = base_dir / models.instructor.model
    instructor = None if sizes.is_scripted else context_of(models.instructor.model, folder if folder.is_dir() else None)
    base = context_of(models.base.model, base_folder)
    for name, context, asked in (
        (models.instructor.model, instructor, _of_instructor(plan, sizes)),
        (models.base.model, base, _of_base(plan, sizes)),
    ):
        seen: set[str] = set()
        for each in asked if context is not None else ():
            if context is None or each.reply is None or each.prompt + each.reply <= context or each.path in seen:
                continue
            seen.add(each.path)
            room = int(context - each.prompt)
            findings.add(
                "W511",
                each.path,
                f"{each.what} has about {each.prompt:,.0f} tokens, the reply up to {each.reply:,}: more than the "
                f"{context:,} of {name}",
                f"lower {each.path} to {room}" if room > 0 else "shorten the prompt: its texts, demos or passage_words",
            )


def _of_instructor(plan: Plan, sizes: Sizes) -> Iterator[_Asked]:
    settings = plan.settings
    writing, voting = "synthesize.sampling.max_tokens", "vote.sampling.max_tokens"
    written = settings.synthesize.sampling.max_tokens
    for step in METHOD_TABLE[settings.synthesize.method].steps:
        yield _Asked(writing, f"the prompt '{step.prompt}'", sizes.step(step).expected, written)
    for name in ("harder", "easier") if settings.adapt.rounds else ():
        yield _Asked(writing, f"the prompt '{name}'", sizes.rewrite(name).expected, written)
    yield _Asked(voting, "the prompt 'solve'", sizes.solve().expected, settings.vote.sampling.max_tokens)


def _of_base(plan: Plan, sizes: Sizes) -> Iterator[_Asked]:
    settings = plan.settings
    what, prompt = "the prompt 'answer'", sizes.answer().expected
    yield _Asked("score.sampling.max_tokens", what, prompt, settings.score.sampling.max_tokens)
    yield _Asked("train.max_completion_tokens", what, prompt, settings.train.max_completion_tokens)
    for index, evaluation in enumerate(plan.evaluations):
        prompt = sizes.question(evaluation).expected
        path = f"evaluate.{index}.sampling.max_tokens"
        yield _Asked(path, f"a question of '{evaluation.name}'", prompt, evaluation.sampling.get("max_tokens"))
