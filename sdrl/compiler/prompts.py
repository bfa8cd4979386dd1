"""Prompts: template sources and values to the exact text that a model is sent.

Templates come from the plan (their sources are frozen there), run in a Jinja sandbox without a loader, and may use the
variables of ``VARIABLES`` only. Foreign text (passages, samples, demos, task texts) enters as a value and is never read
as a template, escaped or trimmed. Calls no model, opens no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sdrl.compiler.chat import render_chat
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.method_table import GROUNDED, METHOD_TABLE

if TYPE_CHECKING:
    from sdrl.compiler.plan import PartPlan, Plan
    from sdrl.compiler.sample import Sample

Message = dict[str, str]
# What an expression inside a template can raise on the values it is given
RENDER_FAILURES = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)
MIN_STOP = 8  # characters; shorter lines that are no heading are no telling stop string
_INPUT, _FOREIGN = "\x00\x01", "\x00\x02"  # stand for what is no part of the template

_COMMON = ("task", "input_format", "output_format", "labels", "language", "extra_rules")
# prompt name -> the variables its template may use, whatever the method
VARIABLES: dict[str, tuple[str, ...]] = {
    "keywords": (*_COMMON, "demos"),
    "pattern": (*_COMMON, "demos"),
    "solve": (*_COMMON, "input", "options"),
    "harder": (*_COMMON, "sample"),
    "easier": (*_COMMON, "sample"),
    "judge": (*_COMMON, "sample"),
    "tags": (*_COMMON, "sample"),
    "answer": (*_COMMON, "input", "options"),
}
# prompt name -> variables without which the prompt cannot do its work
NEEDED: dict[str, tuple[str, ...]] = {
    "keywords": ("task",),
    "pattern": ("demos",),
    "solve": ("input",),
    "harder": ("sample",),
    "easier": ("sample",),
    "judge": ("sample",),
    "tags": ("sample",),
    "answer": ("input",),
}


def variables_of(name: str, method: str = GROUNDED) -> tuple[str, ...]:
    """The variables that the template of a prompt may use under a method."""
    return VARIABLES[name] if name in VARIABLES else (*_COMMON, *METHOD_TABLE[method].step(name).variables)


def needed_by(name: str, method: str = GROUNDED) -> tuple[str, ...]:
    """The variables without which a prompt cannot do its work under a method."""
    return NEEDED[name] if name in NEEDED else METHOD_TABLE[method].step(name).needed


class TemplateProblem(ValueError):
    """A template that cannot be used: code, what is wrong, in which line of it (from 1)."""

    def __init__(self, code: str, message: str, line: int | None = None, help: str | None = None) -> None:  # noqa: A002
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.help = help


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@lru_cache(maxsize=64)
def _compiled(source: str) -> Template:
    return _environment().from_string(source)


def check_template(name: str, source: str, method: str = GROUNDED) -> None:
    """Check syntax, and that the template uses variables of its prompt only and the ones it cannot do without.

    Raises:
        TemplateProblem: with the line in the template.
    """
    known = variables_of(name, method)
    try:
        tree = _environment().parse(source)
    except TemplateSyntaxError as error:
        message = f"the template is no valid Jinja: {error.message}"
        help_ = "values stand in {{ … }}, conditions in {% if … %} … {% endif %}; braces that are text in {% raw %}"
        raise TemplateProblem("E301", message, error.lineno, help_) from None
    used = meta.find_undeclared_variables(tree)
    loads = list(meta.find_referenced_templates(tree))
    if loads:
        raise TemplateProblem("E304", "a template cannot include, import or extend another file", help="use one file")
    for word in sorted(used - set(known)):
        raise TemplateProblem(
            "E302",
            f"prompt '{name}' has no variable '{word}'",
            _line_of(source, word),
            help=f"it has {', '.join(sorted(known))}",
        )
    for word in needed_by(name, method):
        if word not in used:
            raise TemplateProblem(
                "E306",
                f"the template of prompt '{name}' never uses '{word}'",
                1,
                help=f"put {{{{ {word} }}}} where it belongs",
            )


def _line_of(source: str, word: str) -> int | None:
    """The first line on which a Jinja tag names ``word``."""
    for line, token, value in _environment().lex(source):
        if token == "name" and value == word:
            return line
    return None


def render(source: str, values: Mapping[str, Any], name: str) -> str:
    """Render one template; an SdrlError E304 when it fails on these values."""
    try:
        return _compiled(source).render(values)
    except RENDER_FAILURES as error:
        raise SdrlError(
            "E304",
            f"the template of prompt '{name}' failed: {error}",
            help=f"see it in full with 'sdrl preview SPEC --prompt {name}'",
        ) from None


def options_to_show(text: str, options: Mapping[str, str] | None) -> dict[str, str]:
    """The options that must be listed beside ``text``: none when it already contains the text of every one.

    Tasks differ in whether options are written into the input; this way they are shown exactly once either way.
    """
    if not options or all(option in text for option in options.values()):
        return {}
    return dict(options)


class Prompts:
    """The rendered prompts of one plan."""

    def __init__(self, plan: Plan) -> None:
        self._templates = plan.templates
        self._base = plan.base
        self._labels = list(plan.labels)
        self._language = plan.settings.task.language
        self._is_program = plan.verifier.get("type") == "program"
        self._rules = extra_rules(plan.settings.prompts)
        self._method = str(plan.settings.synthesize.method)

    def messages(self, name: str, part: PartPlan, **values: Any) -> tuple[Message, ...]:
        """The conversation that asks the instructor.

        Values by prompt: keywords, pattern: ``demos``; solve: ``input``, ``options`` (or None); harder, easier, judge,
        tags: ``sample`` (a Sample); what a method sends: its step's ``variables``, None where there is nothing.
        ``demos`` default to the part's. Without demos a pattern is left out too.
        """
        known = variables_of(name, self._method)
        given = {key: None for key in known if key not in _COMMON and key not in VARIABLES.get(name, ())} | values
        if "demos" in known:
            given["demos"] = [self._shown(demo) for demo in values.get("demos", part.demos)]
        if "pattern" in known:
            given["pattern"] = (given.get("pattern") or None) if given["demos"] else None
        if "passage" in known:
            given["passage"] = given.get("passage") or None
        if given.get("sample") is not None:
            given["sample"] = self._shown(given["sample"])
        if name == "solve":
            given["options"] = options_to_show(given["input"], given.get("options"))
        return ({"role": "user", "content": self._render(name, part, given)},)

    def _shown(self, sample: Sample) -> Sample:
        """The sample as a prompt shows it: what only a verifier program needs is in its input already."""
        return replace(sample, options=None) if self._is_program else sample

    def answer(self, part: PartPlan, sample_input: str, options: Mapping[str, str] | None = None) -> str:
        """The exact text the base model completes: the answer template, in the chat template where the plan has one."""
        messages = self.conversation(part, sample_input, options)
        base = self._base
        if base.kind == "raw":
            return messages[-1]["content"]
        return render_chat(base.chat_template or "", messages, base.tokens, base.options, keeps_bos=base.keeps_bos)

    def answer_after(
        self, part: PartPlan, demos: Sequence[Sample], sample_input: str, options: Mapping[str, str] | None = None
    ) -> str:
        """``answer`` behind worked examples: earlier turns of a chat, or the same prompt with its answer (raw)."""
        base = self._base
        if base.kind == "raw":
            worked = [(self.answer(part, demo.input, demo.options), demo.output.strip()) for demo in demos]
            before = [f"{asked}{'' if asked[-1:].isspace() else ' '}{output}\n\n" for asked, output in worked]
            return "".join(before) + self.answer(part, sample_input, options)
        *system, user = self.conversation(part, sample_input, options)
        turns: list[Message] = []
        for demo in demos:
            turns += [self.conversation(part, demo.input, demo.options)[-1]]
            turns += [{"role": "assistant", "content": demo.output}]
        messages = (*system, *turns, user)
        return render_chat(base.chat_template or "", messages, base.tokens, base.options, keeps_bos=base.keeps_bos)

    def conversation(
        self, part: PartPlan, sample_input: str, options: Mapping[str, str] | None = None
    ) -> tuple[Message, ...]:
        """What ``answer`` says as messages: system (where a chat plan has one) and user, outside any chat template."""
        shown = options_to_show(sample_input, options)
        text = self._render("answer", part, {"input": sample_input, "options": shown})
        is_led = self._base.kind == "chat" and self._base.system
        system: Iterable[Message] = [{"role": "system", "content": self._base.system or ""}] if is_led else ()
        return (*system, {"role": "user", "content": text})

    def _render(self, name: str, part: PartPlan, given: Mapping[str, Any]) -> str:
        values: dict[str, Any] = {
            "task": part.description,
            "input_format": part.input_format,
            "output_format": part.output_format,
            "labels": self._labels,
            "language": self._language,
            "extra_rules": self._rules.get(name, ""),
        }
        unknown = set(given) - set(variables_of(name, self._method))
        if unknown:
            raise TypeError(f"prompt '{name}' takes no {', '.join(sorted(unknown))}")
        return render(self._templates[name], {**values, **given}, name)


def extra_rules(prompts: Mapping[Any, Any]) -> dict[str, str]:
    """The spec's additional rules by prompt name, as the lines a template prints."""
    rules: dict[str, str] = {}
    for name, prompt in prompts.items():
        text = getattr(prompt, "extra_rules", None)
        if text:
            rules[str(name)] = text if isinstance(text, str) else "\n".join(f"- {rule}" for rule in text)
    return rules


def stop_strings(answer_template: str) -> tuple[str, ...]:
    """What ``stop: auto`` means: the line that opens each problem of the template, seen again, ends an answer.

    A base model that has answered tends to go on with the next problem in the same layout. Telling are the template's
    first line, where it is a fixed text, and the label before the input (``### Problem`` above it, ``Question:`` in
    its line); both only at the start of a line, and a whole line only as a whole line, so that no answer is cut that
    merely mentions them. The answer's own marker or tag gives none: a stop string is no part of the completion, and
    cutting there would take the answer with it.
    """
    values: dict[str, Any] = dict.fromkeys(VARIABLES["answer"], _FOREIGN)
    values |= {"input": _INPUT, "options": {}, "labels": [], "input_format": None, "extra_rules": ""}
    try:
        lines = [line.strip() for line in _compiled(answer_template).render(values).split("\n") if line.strip()]
    except RENDER_FAILURES:
        return ()
    at = next((index for index, line in enumerate(lines) if _INPUT in line), None)
    if at is None:
        return ()
    same_line = lines[at].partition(_INPUT)[0].strip()
    label = same_line or (lines[at - 1] if at else "")
    found = [f"\n{lines[0]}\n"] if at and _FOREIGN not in lines[0] and len(lines[0]) >= MIN_STOP else []
    if label and _FOREIGN not in label and (label.endswith(":") or label.startswith("#") or len(label) >= MIN_STOP):
        found.append(f"\n{label}" if same_line else f"\n{label}\n")
    return tuple(dict.fromkeys(found))
