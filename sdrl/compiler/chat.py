"""A model's own chat template: found in its folder at compile time, rendered in a sandbox.

Follows what transformers does (same block trimming, ``tojson``, ``raise_exception``, loop controls), with two
deliberate differences: there is no clock (a template that prints today's date would change every request), and a
leading begin-of-sequence token is dropped where the tokenizer adds one itself, which every server and trainer lets it.
Also says which token ends a turn, where the model folder's own end tokens do not: a base model with a chat template
often ends a text with one token and a turn with another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from sdrl.spec.diagnostics import SdrlError

SPECIAL_TOKENS = ("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token")
_ANSWER = "the-answer-ends-here"


@dataclass(frozen=True)
class ChatTemplate:
    """A model's chat template with the special tokens it names; ``keeps_bos`` and ``end_ids`` as in `BasePrompt`."""

    source: str
    tokens: dict[str, str] = field(default_factory=dict)
    keeps_bos: bool = False
    end_ids: tuple[int, ...] = ()


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


def render_chat(
    source: str,
    messages: Sequence[Mapping[str, str]],
    tokens: Mapping[str, str],
    options: Mapping[str, Any] | None = None,
    *,
    keeps_bos: bool = False,
) -> str:
    """The text a chat model completes: ``messages`` in its template, with the opening of the model's turn.

    ``options`` are further variables of the template (``enable_thinking``); they replace none of its own.

    Raises:
        SdrlError: E305, the template is broken or refuses these messages (some allow no system message).
    """
    from jinja2 import TemplateError

    try:
        given = {**(options or {}), **tokens, "messages": messages, "add_generation_prompt": True, "tools": None}
        text = str(_template(source).render(given))
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise SdrlError(
            "E305",
            f"the base model's chat template cannot render the answer prompt: {error}",
            help="use 'prompt: raw', or drop 'system' if the model allows no system message",
        ) from None
    bos = tokens.get("bos_token")
    return text.removeprefix(bos) if bos and not keeps_bos else text


def read_chat_template(folder: Path) -> ChatTemplate | None:
    """Chat template of a local model folder; None when the model has none.

    Looks in ``chat_template.jinja`` first, then in ``tokenizer_config.json``, as transformers does.
    """
    config = _json(folder / "tokenizer_config.json")
    template_path = folder / "chat_template.jinja"
    source = template_path.read_text("utf-8") if template_path.is_file() else _named_template(config)
    if not source:
        return None
    tokens, tokenizer = _special_tokens(config), _json(folder / "tokenizer.json")
    bos = tokens.get("bos_token")
    keeps_bos = bool(bos and tokenizer and not _adds(tokenizer.get("post_processor"), bos))
    known = {token: id_ for token, id_ in _added_tokens(config, tokenizer).items() if token != tokens.get("eos_token")}
    own = _end_tokens(folder)
    end = known.get(_end_of_turn(source, tokens, known))
    return ChatTemplate(source, tokens, keeps_bos, () if end is None or end in own else (end,))


def _json(path: Path) -> dict[str, Any]:
    """A settings file of the folder; empty where it is missing or no JSON object, which its readers report."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _adds(post_processor: Any, token: str) -> bool:
    """Whether a tokenizer's post-processor puts ``token`` around a text. Source: the tokenizer.json format."""
    if isinstance(post_processor, Mapping):
        special = post_processor.get("SpecialToken")
        if isinstance(special, Mapping) and special.get("id") == token:
            return True
        return _adds(post_processor.get("processors") or post_processor.get("single"), token)
    return isinstance(post_processor, list) and any(_adds(step, token) for step in post_processor)


def _added_tokens(config: Mapping[str, Any], tokenizer: Mapping[str, Any]) -> dict[str, int]:
    """Tokens that were added to the vocabulary, text to id."""
    found: dict[str, int] = {}
    by_id = config.get("added_tokens_decoder")
    for id_, entry in by_id.items() if isinstance(by_id, Mapping) else ():
        if isinstance(entry, Mapping) and isinstance(entry.get("content"), str) and str(id_).isdigit():
            found[entry["content"]] = int(id_)
    listed = tokenizer.get("added_tokens")
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, Mapping) and isinstance(entry.get("content"), str) and isinstance(entry.get("id"), int):
            found[entry["content"]] = entry["id"]
    return found


def _end_tokens(folder: Path) -> set[int]:
    """The end tokens that the folder names: of the generation settings, or else of the model's."""
    named = _json(folder / "generation_config.json").get("eos_token_id")
    named = _json(folder / "config.json").get("eos_token_id") if named is None else named
    return {named} if isinstance(named, int) else set(named) if isinstance(named, list) else set()


def _end_of_turn(source: str, tokens: Mapping[str, str], known: Mapping[str, int]) -> str:
    """The token that the template puts behind an answer; empty where none of the ``known`` ones stands there."""
    from jinja2 import TemplateError

    messages = [{"role": "user", "content": "x"}, {"role": "assistant", "content": _ANSWER}]
    try:
        given = {**tokens, "messages": messages, "add_generation_prompt": False, "tools": None}
        text = str(_template(source).render(given))
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
        return ""
    after = text.rpartition(_ANSWER)[2].lstrip() if _ANSWER in text else ""
    return max((token for token in known if token and after.startswith(token)), key=len, default="")


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
