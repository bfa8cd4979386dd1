"""The exact text that a run would send for one prompt, with stand-ins for what it fills in. Pure but for the corpus's
first passage; calls no model.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from sdrl.compiler.method_use import asks_pattern, method_of, reads_passages
from sdrl.spec.method_table import PROMPT_NAMES, REPLIES

if TYPE_CHECKING:
    from sdrl.compiler.compile import Compiled
    from sdrl.compiler.plan import PartPlan

NAMES = (*PROMPT_NAMES, *(name for name in REPLIES if name not in PROMPT_NAMES))


class Preview(NamedTuple):
    """A prompt's text, what is to be said about it (stand-ins, when it is sent, its size), and its tokens."""

    text: str
    said: tuple[str, ...]
    tokens: int


def preview_prompt(compiled: Compiled, part: PartPlan, name: str) -> Preview:
    """One of ``NAMES`` for a part of a compiled spec.

    Raises:
        SdrlError: the spec has errors, or its synthesis method sends no such prompt.
    """
    from sdrl.compiler.examples import prompt_values
    from sdrl.compiler.prompts import Prompts
    from sdrl.compiler.replies import reply_schema
    from sdrl.spec.diagnostics import SdrlError

    plan = compiled.require()
    if name not in plan.templates:
        method = plan.settings.synthesize.method
        raise SdrlError(
            "", f"the method '{method}' sends no prompt '{name}'", help=f"one of {', '.join(plan.templates)}"
        )
    values, stand_ins = prompt_values(plan, part, compiled.base_dir, compiled.files)[name]
    said = [f"part: {part.name}", *stand_ins]
    if name == "pattern" and not (part.demos and asks_pattern(plan)):
        why = "the task has no demos" if not part.demos else "the spec or the method wants no pattern"
        said.append(f"not sent in a run: {why}")
    if name == "keywords" and not (reads_passages(plan) and plan.settings.retrieve.keywords == "auto"):
        is_read = "passages" in method_of(plan).reads
        why = "there is no corpus, or the spec gives the keywords" if is_read else "the method reads no passages"
        said.append(f"not sent in a run: {why}")
    prompts = Prompts(plan)
    if name == "answer":
        text = prompts.answer(part, values["input"], values["options"])
        said.append(f"stop strings: {', '.join(map(repr, plan.base.stop)) or 'none'}")
    else:
        text = prompts.messages(name, part, **values)[0]["content"]
        schema = reply_schema(name, plan.settings.answer)
        said.append("sent as one user message")
        said.append(f"reply schema: {json.dumps(schema[1], ensure_ascii=False)}" if schema else "reply: free text")
    tokens = compiled.tokens["base" if name == "answer" else "instructor"]
    count, size = tokens.count(text), len(text.encode())
    said.append(f"{size:,} bytes, {'about ' if tokens.safety > 1 else ''}{count:,} tokens ({tokens.how})")
    return Preview(text, tuple(said), count)
