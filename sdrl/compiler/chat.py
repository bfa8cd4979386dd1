"""A model's own chat template: found in its folder at compile time, rendered in a sandbox.

Follows what transformers does (same block trimming, ``tojson``, ``raise_exception``, loop controls), with two
deliberate differences: there is no clock (a template that prints today's date would change every request), and a
leading begin-of-sequence token is dropped, because every server and trainer adds its own when it tokenises.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from sdrl.spec.diagnostics import SdrlError

SPECIAL_TOKENS = ("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token")


@lru_cache(maxsize=4)
def _template(source: str) -> Any:
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise
    return environment.from_string(source)


def _tojson(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise(message: str) -> NoReturn:
    from jinja2 import TemplateError

    raise TemplateError(message)


def render_chat(source: str, messages: Sequence[Mapping[str, str]], tokens: Mapping[str, str]) -> str:
    """The text a chat model completes: ``messages`` in its template, with the opening of the model's turn.

    Raises:
        SdrlError: E305, the template is broken or refuses these messages (some allow no system message).
    """
    from jinja2 import TemplateError

    try:
        text = str(_template(source).render(messages=messages, add_generation_prompt=True, tools=None, **tokens))
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise SdrlError(
            "E305",
            f"the base model's chat template cannot render the answer prompt: {error}",
            help="use 'prompt: raw', or drop 'system' if the model allows no system message",
        ) from None
    bos = tokens.get("bos_token")
    return text.removeprefix(bos) if bos else text


def read_chat_template(folder: Path) -> tuple[str, dict[str, str]] | None:
    """Chat template and special tokens of a local model folder; None when the model has no chat template.

    Looks in ``chat_template.jinja`` first, then in ``tokenizer_config.json``, as transformers does.
    """
    config: dict[str, Any] = {}
    config_path = folder / "tokenizer_config.json"
    if config_path.is_file():
        try:
            loaded = json.loads(config_path.read_bytes())
        except (ValueError, RecursionError):
            loaded = None
        config = loaded if isinstance(loaded, dict) else {}
    template_path = folder / "chat_template.jinja"
    source = template_path.read_text("utf-8") if template_path.is_file() else _named_template(config)
    if not source:
        return None
    return source, _special_tokens(config)


def _named_template(config: Mapping[str, Any]) -> str | None:
    value = config.get("chat_template")
    if isinstance(value, list):  # several named templates: the default one
        named = {item.get("name"): item.get("template") for item in value if isinstance(item, dict)}
        value = named.get("default")
    return value if isinstance(value, str) else None


def _special_tokens(config: Mapping[str, Any]) -> dict[str, str]:
    tokens: dict[str, str] = {}
    for name in SPECIAL_TOKENS:
        value = config.get(name)
        if isinstance(value, dict):
            value = value.get("content")
        if isinstance(value, str):
            tokens[name] = value
    return tokens
