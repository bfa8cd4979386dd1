"""The export to ``verifiers`` (Prime Intellect): an installable environment in its v1 form, a taskset with its reward.

Written against verifiers 0.4.0, whose older form (``load_environment``) is deprecated.
"""

from __future__ import annotations

import json
import re

from sdrl.export.parts import Files, requirements, shipped
from sdrl.export.plain import shared_files
from sdrl.export.samples import Sample
from sdrl.export.source import Source

_OUTSIDE = ("README.md", "LICENSE", "provenance.json")


def taskset_files(source: Source, split: dict[str, list[Sample]]) -> Files:
    """A project folder: ``pyproject.toml`` and one package that holds rows, verifier and taskset."""
    name = package_name(source.plan.name)
    shared = shared_files(source, split, about=_about(name))
    shared.pop("requirements.txt")
    inside = {f"{name}/{path}": content for path, content in shared.items() if path not in _OUTSIDE}
    outside = {path: content for path, content in shared.items() if path in _OUTSIDE}
    return {
        **inside,
        **outside,
        f"{name}/taskset.py": shipped("taskset.py"),
        f"{name}/__init__.py": f'from {name}.taskset import SampleTaskset\n\n__all__ = ["SampleTaskset"]\n'.encode(),
        "pyproject.toml": _project(name, requirements(source)),
    }


def package_name(plan: str) -> str:
    """A name that Python can import, made of a plan's."""
    return "sdrl_" + (re.sub(r"\W+", "_", plan.lower(), flags=re.ASCII).strip("_") or "task")


def _project(name: str, needed: list[str]) -> bytes:
    lines = (
        "[project]",
        f'name = "{name.replace("_", "-")}"',
        'version = "0.1.0"',
        'description = "Synthetic samples with their compiled verifier (single-turn)."',
        'requires-python = ">=3.11"',
        f"dependencies = {json.dumps(['verifiers>=0.4', *needed])}",
        "",
        "[build-system]",
        'requires = ["hatchling"]',
        'build-backend = "hatchling.build"',
        "",
        "[tool.hatch.build.targets.wheel]",
        f'packages = ["{name}"]',
    )
    return ("\n".join(lines) + "\n").encode()


def _about(name: str) -> str:
    return (
        "An environment of `verifiers` in its v1 form; install it, look at its golds, ask a model:\n\n"
        f"    pip install -e .\n    vf-validate {name} --only-gold --runtime.type subprocess\n"
        f"    vf-eval {name} -n 5 -m MODEL --client.base-url URL --env.agent.harness.id null "
        "--env.agent.runtime.type subprocess\n\n"
        "The harness `null` lets the model answer once, without tools. Later versions call `vf-eval` `vf-run`.\n"
        f"Rows and verifier lie in `{name}/`. `--env.taskset.split` chooses train, validation or test.\n"
    )
