"""The model card: ``RUN/model/README.md``, with the YAML head that the Hugging Face hub reads.

Written at the end of a run from the plan and the sealed rows: what the model was made of, what it was measured to do,
how to ask it as it was asked here, and what is not known. Texts of a person or a model stand in code blocks or JSON
strings and are never read as Markdown. Asks nobody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sdrl.compiler.contract import Generation, for_evaluation, for_rollouts
from sdrl.compiler.plan import Plan
from sdrl.compiler.prompts import Prompts
from sdrl.compiler.rounds import named
from sdrl.models.weights import weights_of
from sdrl.run.artifacts import Artifacts
from sdrl.run.folder import RunFolder, write_atomic

CARD = "README.md"
_HUB_ID = re.compile(r"[\w-]+/[\w.-]+")
_LICENSE = re.compile(r"^license:\s*[\"']?([\w.-]+)", re.MULTILINE)
_UNKNOWN = "unknown"  # a licence that the hub knows by this name


def write_card(plan: Plan, folder: RunFolder, result: Mapping[str, Any]) -> None:
    """Write the card of a trained model; nothing where this plan's training is not sealed."""
    last = named("train", plan.settings.rounds)
    seal = Artifacts(folder, Path()).seal(last)
    if seal is None or seal.get("hash") != plan.stage(last).hash or not (folder.model / "config.json").is_file():
        return
    sections = [_head(plan, result), _about(plan, result), *_figures(result), *_training(plan, result, seal)]
    sections += [*_data(plan, result), *_use(plan), *_limits(plan, result)]
    write_atomic(folder.model / CARD, ("\n\n".join(sections) + "\n").encode("utf-8", "replace"))


def _head(plan: Plan, result: Mapping[str, Any]) -> str:
    settings = plan.settings
    assert settings.models is not None  # a plan without models is never run
    base = settings.models.base.model
    head: dict[str, Any] = {
        "license": _base_license(plan),
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "language": [settings.task.language],
        "tags": ["sdrl", "synthetic-data", settings.train.algorithm],
        "model_name": plan.name,
    }
    if _HUB_ID.fullmatch(base):
        head["base_model"] = base
    if sets := [source.dataset for source in settings.corpus if source.dataset]:
        head["datasets"] = sets
    measured = [each for each in result["evaluations"] if each.get("trained")]
    if measured:
        entries = [
            {
                "task": {"type": "text-generation"},
                "dataset": {"name": each["name"], "type": each["name"]},
                "metrics": [{"type": "accuracy", "value": each["trained"]["accuracy"]}],
            }
            for each in measured
        ]
        head["model-index"] = [{"name": plan.name, "results": entries}]
    # JSON is YAML: a value cannot end its line or become another type
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    return "\n".join(["---", *lines, "---"])


def _about(plan: Plan, result: Mapping[str, Any]) -> str:
    models = plan.settings.models
    assert models is not None
    trained = f"Trained by sdrl from `{_code(models.base.model)}` (`{_code(plan.identities['base'])}`) on"
    return (
        f"# {plan.name}\n\n{trained} {result['selected']} synthetic samples made from this task definition:\n\n"
        f"{_block(plan.parts[0].description)}\n\nPlan `{plan.hash}`: the same plan gives the same requests."
    )


def _figures(result: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        f"| {each['name']} ({each['shift']}) | {each['n_problems']} | {_percent(each['base']['accuracy'])} "
        f"| {_percent(each['trained']['accuracy'])} | {_points(each['gain'])} | {_interval(each['interval'])} "
        f"| {each['p']:.2g} |"
        for each in result["evaluations"]
        if each.get("gain") is not None
    ]
    if rows:
        head = "| test set | problems | base | trained | gain | 95 % interval | p |\n|---|---|---|---|---|---|---|"
        told = "Accuracy by the compiled verifier; interval: paired bootstrap over problems; p: exact McNemar."
        yield "\n".join(["## Figures\n", head, *rows, "", told])
    if validation := result["validation"]:
        yield (
            f"On {validation['n']} held-back synthetic samples, which chose the checkpoint: "
            f"{_percent(validation['base'])} before, {_percent(validation['trained'])} at step "
            f"{validation['best_step']}."
        )
    if not rows and not result["validation"]:
        yield "## Figures\n\nNothing was measured."


def _training(plan: Plan, result: Mapping[str, Any], seal: Mapping[str, Any]) -> Iterator[str]:
    train, notes = plan.settings.train, seal.get("notes", {})
    sampling = for_rollouts(plan)
    facts = {
        "algorithm": train.algorithm,
        "epochs": train.epochs,
        "learning rate": train.learning_rate,
        "prompts a step": train.prompts_per_step,
        "rollouts a prompt": train.rollouts,
        "rollouts": _asked(sampling),
        "KL weight": train.kl,
        "reward": notes.get("reward_mode", "correct"),
        "steps": f"{notes.get('final_step')} done, the model is that of step {notes.get('best_step')}",
        "seed": plan.settings.seed,
        "versions": ", ".join(f"{name} {version}" for name, version in sorted(result["versions"].items())),
    }
    yield "## Training\n\n" + "\n".join(f"- {name}: {value}" for name, value in facts.items())


def _data(plan: Plan, result: Mapping[str, Any]) -> Iterator[str]:
    models = plan.settings.models
    assert models is not None
    counts = ", ".join(f"{row['stage']} {row['rows']}" for row in result["funnel"] if row["stage"] in _COUNTED)
    lines = [
        f"- rows a stage passed on: {counts}; trained on {result['selected']}",
        f"- instructor, which wrote and labelled the samples: `{_code(plan.identities['instructor'])}`; "
        f"terms: {_code(models.instructor.terms or 'not stated in the spec')}",
    ]
    for file in plan.corpus:
        lines.append(f"- passages: `{_code(file.path)}`, licence: {_code(file.license or 'not stated in the spec')}")
    lines.append(f"- task definition, licence: {_code(plan.settings.task.license or 'not stated in the spec')}")
    lines.append(f"- base model, licence: {_base_license(plan)}")
    yield "## Data and licences\n\n" + "\n".join(lines)


_COUNTED = frozenset({"generate", "vote", "adapt", "score", "select"})


def _use(plan: Plan) -> Iterator[str]:
    asked = for_evaluation(plan, plan.evaluations[0]) if plan.evaluations else for_rollouts(plan).greedy()
    prompt = Prompts(plan).answer(plan.parts[0], "YOUR QUESTION", None)
    yield f"## Use\n\nThe prompt, exactly (`YOUR QUESTION` is replaced):\n\n{_block(prompt)}"
    yield f"It was measured with {_asked(asked)}."
    yield _block(
        "\n".join(
            (
                "from transformers import AutoModelForCausalLM, AutoTokenizer",
                "",
                'tokenizer = AutoTokenizer.from_pretrained("model")',
                'model = AutoModelForCausalLM.from_pretrained("model")',
                'ids = tokenizer(prompt, return_tensors="pt")',
                f"made = model.generate(**ids, max_new_tokens={asked.max_tokens}, do_sample=False"
                + (f", stop_strings={list(asked.stop)!r}, tokenizer=tokenizer)" if asked.stop else ")"),
                'print(tokenizer.decode(made[0, ids["input_ids"].shape[1] :], skip_special_tokens=True))',
            )
        ),
        "python",
    )
    body = {"model": "model", "prompt": "…", **{k: v for k, v in asked.sampling().items() if v not in (None, [])}}
    yield _block(f"vllm serve model\n# POST /v1/completions {json.dumps(body, ensure_ascii=False)}", "bash")


def _limits(plan: Plan, result: Mapping[str, Any]) -> Iterator[str]:
    models = plan.settings.models
    lines = ["- trained on synthetic samples whose labels are majority votes of the instructor, not checked facts"]
    if not any(each.get("gain") is not None for each in result["evaluations"]):
        lines.append("- not measured on a real test set")
    if models is not None and models.base.model == "toy-base":
        lines.append(
            "- toy scale: about a million parameters; it shows that the machinery works and is of no other use"
        )
    lines.append("- nothing was measured beyond the figures above: no safety, no other task, no other prompt")
    yield "## Limits\n\n" + "\n".join(lines)


def _base_license(plan: Plan) -> str:
    """The licence that the base's own card states, where the base is a folder with one."""
    models = plan.settings.models
    folder = weights_of(models.base.model, plan.identities["base"], plan.base_dir).folder if models else None
    try:
        text = (folder / CARD).read_text(encoding="utf-8") if folder else ""
    except (OSError, UnicodeDecodeError):
        text = ""
    head = text.split("---", 2)[1] if text.startswith("---") and text.count("---") > 1 else ""
    found = _LICENSE.search(head)
    return found[1] if found else _UNKNOWN


def _asked(generation: Generation) -> str:
    stop = ", ".join(json.dumps(text, ensure_ascii=False) for text in generation.stop) or "none"
    return (
        f"temperature {generation.temperature}, top_p {generation.top_p}, at most {generation.max_tokens} tokens, "
        f"stop strings: {stop}"
    )


def _block(text: str, language: str = "") -> str:
    """A code block that no line of ``text`` can end."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{fence}{language}\n{text.rstrip(chr(10))}\n{fence}"


def _code(text: str) -> str:
    return " ".join(text.replace("`", "'").split())


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _points(share: float) -> str:
    return f"{share * 100:+.1f}"


def _interval(ends: Any) -> str:
    return f"{_points(ends[0])} to {_points(ends[1])}"
