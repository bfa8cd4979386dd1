"""Budgets: what the estimate says against the caps, before anything is paid for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sdrl.compiler.compile import Compiled, compile_spec
from sdrl.spec.diagnostics import Diagnostic
from tests.compiler.project import SPEC, write_project

CAP = "budget: {usd: 5}\n"
SELECT = "select: {samples: 20, min: 5}"
LARGE = SPEC.replace("samples: 40", "samples: 400").replace(SELECT, "select: {samples: 20, min: 1}")


def compiled_with(folder: Path, budget: str, spec: str = LARGE) -> Compiled:
    return compile_spec(write_project(folder, spec.replace(CAP, f"budget: {budget}\n")))


def about_budget(compiled: Compiled) -> list[Diagnostic]:
    return [item for item in compiled.diagnostics if item.code in ("E703", "W510")]


@pytest.mark.parametrize("budget", ["{usd: 0.5}", "{requests: 300}", "{tokens: 50k}"])
def test_a_budget_below_the_expected_use_is_refused_with_a_number_that_fits(tmp_path: Path, budget: str) -> None:
    (error,) = about_budget(compiled_with(tmp_path, budget))
    assert error.code == "E703"
    line = (error.source_line or "")[(error.column or 1) - 1 : (error.end_column or 1) - 1]
    assert line in budget and line[:1].isdigit()
    found = re.search(r"lower synthesize.samples from 400 to (\d+)", error.help or "")
    raised = re.search(r"raise (budget\.\w+) to ([\d.]+)", error.help or "")
    assert found is not None and raised is not None
    smaller = LARGE.replace("samples: 400", f"samples: {found[1]}")
    assert "E703" not in [item.code for item in about_budget(compiled_with(tmp_path, budget, smaller))]
    key = raised[1].removeprefix("budget.")
    assert "E703" not in [item.code for item in about_budget(compiled_with(tmp_path, f"{{{key}: {raised[2]}}}"))]


def test_a_budget_between_expected_and_worst_case_is_a_warning(tmp_path: Path) -> None:
    compiled = compiled_with(tmp_path, "{usd: 20}")
    (warning,) = about_budget(compiled)
    assert (warning.code, warning.path) == ("W510", "budget.usd")
    assert compiled.plan is not None
    silenced = LARGE + "lint: {ignore: [{code: W510, reason: it may stop}]}\n"
    assert about_budget(compiled_with(tmp_path, "{usd: 20}", silenced)) == []


def test_a_budget_above_the_worst_case_is_fine(tmp_path: Path) -> None:
    assert about_budget(compiled_with(tmp_path, "{usd: 5000, requests: 1M, tokens: 1G}")) == []


def test_where_no_useful_number_of_samples_fits_only_the_cap_is_named(tmp_path: Path) -> None:
    (error,) = about_budget(compiled_with(tmp_path, "{requests: 2}"))
    assert "raise budget.requests" in (error.help or "") and "lower" not in (error.help or "")


def test_attempts_are_lowered_with_the_samples_where_the_spec_counts_them(tmp_path: Path) -> None:
    spec = LARGE.replace("samples: 400}", "samples: 400, attempts: 800}")
    (error,) = about_budget(compiled_with(tmp_path, "{requests: 300}", spec))
    assert re.search(r"samples from 400 to \d+ and synthesize.attempts from 800 to \d+", error.help or "")
