"""Judges with an exported verifier, apart from sdrl: ``judged_apart.py TARGET FOLDER < work.json > verdicts.json``.

Work is a list of {program, items}, items are (completion, gold, options). Each target is asked through its own door:
its module, TRL's reward, verl's ``compute_score``; answers are verdicts, or 1.0, 0.0 and None where the door gives
rewards (all weights are those of a plain reward).
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Items = list[tuple[str, str, dict[str, str] | None]]


def load(path: Path, name: str) -> Any:
    """A module by its path, as verl loads a reward file."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def by_module(folder: Path) -> tuple[Any, Callable[[Items], list[Any]]]:
    """verifier.py beside its folder: verifier, trl, hf."""
    sys.path.insert(0, str(folder))
    module = load(folder / "verifier.py", "verifier")
    return module, lambda items: [found["verdict"] for found in module.judge_many(items)]


def by_package(folder: Path) -> tuple[Any, Callable[[Items], list[Any]]]:
    """verifier.py inside the package of an environment."""
    package = next(path.parent for path in folder.glob("*/verifier.py"))
    sys.path.insert(0, str(folder))
    sys.modules[package.name] = type(sys)(package.name)  # without its __init__, which needs the library verifiers
    sys.modules[package.name].__path__ = [str(package)]
    module = importlib.import_module(f"{package.name}.verifier")
    return module, lambda items: [module.judge(*item)["verdict"] for item in items]


def by_verl(folder: Path) -> tuple[Any, Callable[[Items], list[Any]]]:
    """reward.py, by verl's keywords."""
    door = load(folder / "reward.py", "custom_module").compute_score

    def score(item: Any) -> str:
        completion, gold, options = item
        found = door(
            data_source="x", solution_str=completion, ground_truth=gold, extra_info={"options": json.dumps(options)}
        )
        if found["verifier_error"]:
            return "error"
        assert found["score"] == found["acc"]
        return "correct" if found["acc"] else ("incorrect" if found["parsable"] else "unparsable")

    return sys.modules["verifier"], lambda items: [score(item) for item in items]


DOORS = {"verifier": by_module, "trl": by_module, "hf": by_module, "verifiers": by_package, "verl": by_verl}


def main() -> None:
    """Judge the work of stdin."""
    target, folder = sys.argv[1], Path(sys.argv[2])
    module, judge = DOORS[target](folder)
    verdicts: list[Any] = []
    for work in json.load(sys.stdin):
        (module.HERE / "verifier.json").write_text(json.dumps(work["program"]), encoding="utf-8")
        module.compiled.cache_clear()
        verdicts.append(judge(work["items"]))
    json.dump(verdicts, sys.stdout)


if __name__ == "__main__":
    main()
