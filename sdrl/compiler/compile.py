"""Spec in, plan out, or everything that is wrong: load, read resources, compile the verifier, test it, hash, estimate.

Reads the spec and the files it names, and the hub only with ``pin``; calls no model and writes nothing (``write_plan``
does). Equal inputs give equal bytes whatever the folder, machine, locale or time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sdrl.compiler.budget import check_budget
from sdrl.compiler.contexts import check_contexts
from sdrl.compiler.corpus_manifest import build_manifest
from sdrl.compiler.demo_lints import FrozenSet, lint_demos, lint_numbers
from sdrl.compiler.demo_places import placed_demos
from sdrl.compiler.estimate import estimate
from sdrl.compiler.evaluations import freeze
from sdrl.compiler.findings import Findings
from sdrl.compiler.graph import build_stages
from sdrl.compiler.hardware_check import check_hardware
from sdrl.compiler.hub import Resources
from sdrl.compiler.identities import base_prompt, identify
from sdrl.compiler.launch_files import launch_files
from sdrl.compiler.parts import build_parts
from sdrl.compiler.pins import PINNED, Pins, pins_of
from sdrl.compiler.plan import EvaluationPlan, Plan, plan_hash
from sdrl.compiler.plan_file import plan_files, write_files
from sdrl.compiler.readme import write_readme
from sdrl.compiler.requires import REQUIRED
from sdrl.compiler.self_test import compile_verifier, self_test
from sdrl.compiler.sizes import Known, Sizes
from sdrl.compiler.template_sources import load_templates
from sdrl.compiler.tiny_golds import lint_golds
from sdrl.compiler.tokens import Tokens
from sdrl.compiler.verifier_program import verifier_program
from sdrl.spec.diagnostics import Diagnostic, Exit, SdrlError, has_errors, in_order
from sdrl.spec.loader import Loaded, load_spec
from sdrl.spec.model import Spec
from sdrl.verifier import Verifier


@dataclass(frozen=True)
class Compiled:
    """The outcome: a plan with the bytes of its folder, or None and the reasons. ``base_dir`` is the spec's folder.

    ``tokens`` counts those of a role (instructor, base) as the estimate does; empty without a plan.
    """

    source: str
    plan: Plan | None
    diagnostics: tuple[Diagnostic, ...]
    files: dict[str, bytes]
    base_dir: Path
    tokens: Mapping[str, Tokens] = field(default_factory=dict)

    def require(self) -> Plan:
        """The plan.

        Raises:
            SdrlError: the spec has errors; carries them.
        """
        if self.plan is not None:
            return self.plan
        count = sum(item.is_error for item in self.diagnostics)
        raise SdrlError(
            "",
            f"{self.source} has {count} error{'s' if count != 1 else ''} and was not compiled",
            exit=Exit.PROBLEMS,
            diagnostics=self.diagnostics,
        )


def compile_spec(path: Path | str, *, text: str | None = None, pin: bool = False, held: Plan | None = None) -> Compiled:
    """Compile the spec at ``path`` (or ``text`` that stands for it). Problems of the spec are returned, not raised.

    ``held`` is an earlier plan whose pins are kept, for what the spec does not pin itself; ``pin`` makes all anew.
    """
    loaded = load_spec(path, text)
    base_dir = loaded.folder
    if loaded.spec is None:
        return Compiled(str(path), None, loaded.diagnostics, {}, base_dir)
    findings = Findings(loaded)
    compilation = _Compilation(loaded, loaded.spec, base_dir, findings, pin, held)
    made = compilation.compile()
    ordered = in_order(findings.items)
    if made is None or has_errors(ordered):
        return Compiled(str(path), None, ordered, {}, base_dir)
    plan, files = made
    return Compiled(str(path), plan, ordered, files, base_dir, compilation.tokens)


def write_plan(compiled: Compiled, folder: Path) -> None:
    """Write the plan folder.

    Raises:
        SdrlError: the spec did not compile, or the folder holds other things.
    """
    compiled.require()
    write_files(compiled.files, folder, compiled.base_dir)


class _Compilation:
    """One spec on its way to a plan; every step adds to ``findings`` and goes on where it can."""

    def __init__(
        self, loaded: Loaded, spec: Spec, base_dir: Path, findings: Findings, pin: bool, held: Plan | None
    ) -> None:
        self._loaded = loaded
        self._spec = spec
        self._base_dir = base_dir
        self._findings = findings
        self._resources = Resources(pin, Pins() if held is None else pins_of(held))
        self.tokens: dict[str, Tokens] = {}

    def compile(self) -> tuple[Plan, dict[str, bytes]] | None:
        spec, findings, resources = self._spec, self._findings, self._resources
        templates = load_templates(spec, self._base_dir, findings)
        parts, rows = build_parts(spec, self._base_dir, findings, resources)
        corpus = build_manifest(spec.corpus, self._base_dir, findings, resources)
        identified = identify(spec.models, self._base_dir, findings, resources)
        asked = (spec.score.sampling, spec.train.sampling, *(each.sampling for each in spec.evaluate))
        also = [text for block in asked for text in block.stop]
        base = base_prompt(spec.models, identified, templates["answer"], findings, resources, also)
        program = verifier_program(spec.answer)
        verifier = compile_verifier(program, findings)
        if verifier is None:
            return None
        tested = self_test(spec, parts, rows, program, verifier, findings)
        evaluations, known = self._evaluations(program, verifier, identified.base_folder)
        draft = Plan(
            name=spec.name,
            hash="",
            settings=_with_commits(spec, resources.commits),
            origins=self._loaded.origins | dict.fromkeys(resources.commits, PINNED),
            stages=(),
            parts=parts,
            verifier=program,
            templates=templates,
            base=base,
            corpus=corpus,
            identities=identified.names,
            evaluations=evaluations,
            requires=dict(REQUIRED),
            pending=tuple(resources.pending),
            self_test=tested,
        )
        self._warn()
        if findings.failed:
            return None
        demos = list(placed_demos(spec, parts, rows))
        sets = [FrozenSet(each.name, known.data.get(each.file, b""), known.places[each.name]) for each in evaluations]
        lint_demos(demos, sets, verifier, findings)
        lint_numbers(draft, findings)
        lint_golds(spec.answer, demos, sets, verifier, findings)
        made = self._finish(draft, known)
        if made is not None and not self._resources.pending:  # what is not at hand could not be warned about
            findings.judge_silences()
        return made

    def _finish(self, draft: Plan, known: Known) -> tuple[Plan, dict[str, bytes]] | None:
        """Hashes and estimate; rendering every prompt once also proves that every template works on this spec."""
        stages = build_stages(draft)
        plan = replace(draft, stages=stages, hash=plan_hash(stages))
        try:
            sizes = Sizes(plan, known)
            plan = replace(plan, estimate=estimate(plan, sizes))
            self.tokens = {"instructor": sizes.instructor, "base": sizes.base}
        except SdrlError as error:
            where = "models.base.prompt" if error.code == "E305" else "prompts"
            self._findings.add(error.code, where, error.message, error.help)
            return None
        check_budget(plan, lambda other: estimate(other, Sizes(other, known)), self._findings)
        check_contexts(plan, sizes, self._base_dir, known.base_folder, self._findings)
        hardware = check_hardware(plan.settings, sizes, known.base_folder, self._findings)
        plan = replace(plan, estimate=plan.estimate | {"hardware": hardware})
        return plan, plan_files(plan, {**known.data, **launch_files(plan)}, write_readme(plan))

    def _evaluations(
        self, program: Mapping[str, object], verifier: Verifier, base_folder: Path | None
    ) -> tuple[tuple[EvaluationPlan, ...], Known]:
        plans: list[EvaluationPlan] = []
        data: dict[str, bytes] = {}
        worked: dict[str, list[str]] = {}
        places: dict[str, list[str]] = {}
        for index, evaluation in enumerate(self._spec.evaluate):
            frozen = freeze(
                evaluation,
                index,
                self._base_dir,
                self._resources,
                program=program,
                seed=self._spec.seed,
                verifier=verifier,
            )
            for code, key, message, help_ in frozen.problems:
                self._findings.add(code, f"evaluate.{index}.{key}".rstrip("."), message, help_)
            plans.append(frozen.plan)
            if frozen.plan.sha256:
                data[frozen.plan.file] = frozen.content
            worked[frozen.plan.name], places[frozen.plan.name] = frozen.worked, frozen.places
        return tuple(plans), Known(self._base_dir, data, worked, places, base_folder)

    def _warn(self) -> None:
        sets = {evaluation.name: index for index, evaluation in enumerate(self._spec.evaluate)}
        for name in self._resources.pending:
            path = name.split(":", 1)[0]
            if path.startswith("evaluate."):
                path = f"evaluate.{sets[path.removeprefix('evaluate.')]}"
            self._findings.add(
                "W501",
                path,
                f"not at hand yet: {name.split(': ', 1)[-1]}",
                "'sdrl compile SPEC --pin' fetches it where the hub can be reached",
            )
        if self._spec.models is None:
            self._findings.add(
                "W503",
                "models",
                "the spec names no models: it compiles, and cannot run",
                "add models: {instructor: …, base: …} before 'sdrl run'",
            )


def _with_commits(spec: Spec, commits: Mapping[str, str]) -> Spec:
    """The settings with every pinned revision in its place, so that a run reads what was hashed."""
    if not commits:
        return spec
    tree = spec.model_dump(mode="json", by_alias=True)
    for path, commit in commits.items():
        *steps, last = path.split(".")
        table = tree
        for step in steps:
            table = table[int(step)] if isinstance(table, list) else table[step]
        table[last] = commit
    return Spec.model_validate(tree)
