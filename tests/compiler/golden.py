"""Golden plans of the shipped specs: every prompt as it would be sent, and the hash of every stage.

``python -m tests.compiler.golden`` writes them anew; review the difference before committing it. Specs that use the
embedded models have no hashes here: these follow the weights and sources that ship beside them.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from sdrl.compiler.compile import Compiled, compile_spec
from sdrl.compiler.examples import prompt_values
from sdrl.compiler.plan import StagePlan
from sdrl.compiler.prompts import Prompts
from sdrl.compiler.replies import reply_schema
from sdrl.methods import METHODS
from sdrl.spec.locate import specs_dir
from sdrl.spec.method_table import GROUNDED, METHOD_TABLE
from tests.compiler.project import SPEC, write_project

FOLDER = Path(__file__).parent.parent / "golden"
METHODS_FOLDER = FOLDER / "methods"
PROMPTS = ("keywords", "pattern", "generate", "solve", "harder", "easier", "answer")


def shipped() -> list[Path]:
    """Every shipped spec that is meant to be compiled."""
    return [path for path in sorted(specs_dir().glob("*.yaml")) if not path.name.startswith("_")]


def golden_text(compiled: Compiled) -> str:
    """The golden file of one spec."""
    plan = compiled.require()
    part = plan.parts[0]
    values = prompt_values(plan, part, compiled.base_dir, compiled.files)
    prompts = Prompts(plan)
    lines = [f"verifier: {json.dumps(plan.verifier, sort_keys=True)}", f"stop: {json.dumps(list(plan.base.stop))}"]
    lines += [f"pending: {item}" for item in plan.pending]
    if not is_embedded(compiled):
        lines += [f"plan: {plan.hash}", *(f"  {stage.name}: {stage.hash}" for stage in plan.stages)]
    for name in PROMPTS:
        given, _ = values[name]
        text = (
            prompts.answer(part, given["input"], given["options"])
            if name == "answer"
            else prompts.messages(name, part, **given)[0]["content"]
        )
        schema = reply_schema(name, plan.settings.answer)
        lines += [
            "",
            f"===== {name} ({'free text' if schema is None else json.dumps(schema[1], sort_keys=True)})",
            text,
        ]
    return "\n".join(lines) + "\n"


def is_embedded(compiled: Compiled) -> bool:
    """Whether the spec uses the models that ship with sdrl."""
    models = compiled.require().settings.models
    return models is not None and models.instructor.is_embedded


def kinds_of(method: str) -> tuple[str, ...]:
    """Which of the answer types number and label a synthesis method writes for."""
    answers = METHOD_TABLE[method].answers
    return tuple(kind for kind in ("number", "label") if not answers or kind in answers)


def method_text(name: str, answers: str, folder: Path) -> str:
    """Golden prompts of a synthesis method on the project of the compiler's tests; ``answers``: number or label."""
    spec = SPEC.replace("synthesize: {", f"synthesize: {{method: {name}, ")
    if answers == "label":
        spec = spec.replace("  type: number\n", "  type: label\n  options: [small, large]\n").replace(
            "#### 2", "#### small"
        )
        spec = spec.replace("#### 5", "#### large")
        spec = spec[: spec.index("evaluate:")] + spec[spec.index("budget:") :]
    compiled = compile_spec(write_project(folder, spec))
    plan = compiled.require()
    values = prompt_values(plan, plan.parts[0], compiled.base_dir, compiled.files)
    prompts = Prompts(plan)
    lines = [f"{stage.name} sends {', '.join(sent)}" for stage in plan.stages if (sent := _sent(stage))]
    for step in METHOD_TABLE[name].prompts:
        lines += ["", f"===== {step}", prompts.messages(step, plan.parts[0], **values[step][0])[0]["content"]]
    return "\n".join(lines) + "\n"


def _sent(stage: StagePlan) -> list[str]:
    return list(stage.identity.get("prompts", ()))


def main() -> None:
    """Write every golden file."""
    for path in shipped():
        (FOLDER / f"{path.stem}.txt").write_text(golden_text(compile_spec(path)), encoding="utf-8")
    for name in METHODS:
        for answers in kinds_of(name) if name != GROUNDED else ():
            with TemporaryDirectory() as folder:
                text = method_text(name, answers, Path(folder))
            (METHODS_FOLDER / f"{name}-{answers}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
