"""The suites that ship, for any spec: what they hold, what stays open for want of data, and suites that extend them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from sdrl.cli.main import main
from sdrl.compare.cells import cells_of, compile_cell
from sdrl.compare.loading import Given, LoadedSuite, load_suite
from sdrl.compare.needs import NEEDS_CORPUS, NEEDS_HUMAN, NEEDS_INSTRUCTOR
from sdrl.compare.running import Planned, freeze, plan_cells
from sdrl.compare.schema import suite_schema
from sdrl.compare.shipped import shipped_suites
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.spec.locate import specs_dir
from sdrl.spec.method_table import GROUNDED, METHOD_TABLE
from tests.compiler.project import SPEC, write_project, write_rows

FOR_ANY_SPEC = ("table-3", "table-4", "controls")
TABLES = {
    "table-3": {
        "reference", "demos-1", "demos-10", "demos-100", "rl-human-same", "rl-human-whole", "sft-human-same",
        "sft-human-whole", "sft", "sft-full-set", "full-set",
    },
    "table-4": {
        "reference", "m-100", "m-300", "m-1000", "rl-human-100", "rl-human-300", "rl-human-1000", "demos-100",
        "no-pattern-100", "no-adaptation", "easy", "hard", "random-selection", "full-set", "one-shot",
    },
    "controls": {
        "reference", "random-reward", "format-reward", "shuffled-labels", "own-majority", "one-vote",
        "random-selection", "no-retrieval", "irrelevant-passages",
    },
}  # fmt: skip
RIVALS = {name for name in METHOD_TABLE if name != GROUNDED}


def people(folder: Path, count: int) -> Path:
    path = folder / "people.jsonl"
    rows: list[dict[str, object]] = [
        {
            "question": f"Ann picks {n} figs and buys 5 more at the market. How many figs has she?",
            "answer": f"{n}+5={n + 5}\n#### {n + 5}",
        }
        for n in range(10, 10 + count)
    ]
    write_rows(path, rows)
    return path


def states(name: str, spec: Path, human: Path | None = None) -> dict[str, Planned]:
    """The first seed's cell of every arm."""
    loaded = load_suite(shipped_suites()[name], Given(spec, human))
    first = loaded.suite.seeds[0]
    return {
        each.cell.arm_name: each
        for each in plan_cells(loaded, [cell for cell in cells_of(loaded) if cell.seed == first])
    }


def own_suite(folder: Path, body: str, spec: str = SPEC) -> LoadedSuite:
    write_project(folder, spec)
    path = folder / "suite.yaml"
    path.write_text(f"suite: 1\nname: mine\nspec: sums.yaml\nseeds: [0]\n{body}")
    return load_suite(path)


def only(loaded: LoadedSuite, arm: str) -> Planned:
    [cell] = plan_cells(loaded, cells_of(loaded, [arm]))
    return cell


@pytest.mark.parametrize("name", FOR_ANY_SPEC)
def test_a_table_holds_the_papers_arms_and_every_rival_method_that_is_built(name: str) -> None:
    loaded = load_suite(shipped_suites()[name], Given(specs_dir() / "gsm8k.yaml"))
    arms = {arm.name for arm in loaded.arms}
    assert arms == TABLES[name] | (RIVALS if name == "table-3" else set())
    asked = {question.arm for question in loaded.suite.compare}
    assert asked | {"demos-100"} >= arms - {"reference"}  # each is held against something
    assert (loaded.suite.name, loaded.suite.seeds) == (f"gsm8k-{name}", [0, 1, 2])


@pytest.mark.parametrize("name", FOR_ANY_SPEC)
def test_a_paper_preset_with_human_data_has_every_arm(name: str, tmp_path: Path) -> None:
    planned = states(name, specs_dir() / "gsm8k.yaml", people(tmp_path, 1100))
    assert {arm: each.open for arm, each in planned.items() if each.open} == {}
    updates = {arm: each.estimate["training"]["updates"] for arm, each in planned.items()}
    if name == "table-4":  # 4 prompts a step, 5 epochs
        assert (updates["m-100"], updates["reference"], updates["m-1000"]) == (125, 625, 1250)
        assert updates["one-shot"] == updates["reference"]
    if name == "table-3":
        assert updates["rl-human-whole"] == 1100 * 5 // 4
        assert {len(planned[f"demos-{n}"].stages) for n in (1, 10, 100)} == {11}


@pytest.mark.parametrize("spec", ["_reference", "gpqa", "math", "topics"])
def test_specs_of_every_kind_take_every_suite_and_say_what_they_lack(spec: str) -> None:
    for name in FOR_ANY_SPEC:
        for arm, each in states(name, specs_dir() / f"{spec}.yaml").items():
            if arm == "reference":
                assert each.open is None
            assert bool(each.open) or each.hash, arm
            if "human" in arm:
                assert each.open in (NEEDS_HUMAN, NEEDS_INSTRUCTOR)


def test_the_demo_leaves_open_what_it_lacks_and_what_its_instructor_cannot_say() -> None:
    spec = specs_dir() / "word-problems.yaml"
    third, fourth, controls = (states(name, spec) for name in FOR_ANY_SPEC)
    assert {arm: each.open for arm, each in third.items() if each.open} == {
        **dict.fromkeys(("rl-human-same", "rl-human-whole", "sft-human-same", "sft-human-whole"), NEEDS_HUMAN),
        **dict.fromkeys(("demos-1", "demos-10", "demos-100", *RIVALS), NEEDS_INSTRUCTOR),
    }
    too_many = "needs more samples: 1000 of at most 480 samples can never be selected"
    assert {arm: each.open for arm, each in fourth.items() if each.open} == {
        **dict.fromkeys(("rl-human-100", "rl-human-300", "rl-human-1000"), NEEDS_HUMAN),
        **dict.fromkeys(("demos-100", "no-pattern-100"), NEEDS_INSTRUCTOR),
        "m-1000": too_many,
    }
    assert [arm for arm, each in controls.items() if each.open] == []


def test_fewer_demos_or_people_than_an_arm_wants_leave_it_open_with_the_count(tmp_path: Path) -> None:
    spec = write_project(tmp_path)  # two demos, 20 samples selected
    planned = states("table-3", spec, people(tmp_path, 12))
    assert planned["demos-10"].open is None  # two of the spec, eight of people
    assert planned["demos-100"].open == "100 demos wanted, there are 14 in the spec and the human data"
    assert planned["rl-human-same"].open == "12 of 12 human samples can be trained on, 20 are needed"
    assert planned["rl-human-whole"].open is None
    planned = states("table-3", spec)
    assert planned["demos-1"].open is None
    assert planned["demos-10"].open == "10 demos wanted, there are 2 in the spec and the human data"


def test_a_spec_without_passages_has_none_to_take_away(tmp_path: Path) -> None:
    bare = SPEC.replace("corpus:\n  - {files: [passages.jsonl], license: CC0-1.0}\n", "")
    planned = states("controls", write_project(tmp_path, bare))
    lacking = {arm: each.open for arm, each in planned.items() if each.open}
    assert lacking == dict.fromkeys(("no-retrieval", "irrelevant-passages"), NEEDS_CORPUS)


def test_an_open_cell_may_be_had_later_in_the_same_folder(tmp_path: Path) -> None:
    spec = write_project(tmp_path)
    before = states("table-3", spec)
    loaded = load_suite(shipped_suites()["table-3"], Given(spec))
    freeze(loaded, before.values(), tmp_path / "run")
    after = states("table-3", spec, people(tmp_path, 40))
    freeze(loaded, after.values(), tmp_path / "run")
    assert "rl-human-same--0" in json.loads((tmp_path / "run" / "suite.json").read_text())["cells"]


def test_demos_by_number_are_the_specs_first_and_then_those_of_people(tmp_path: Path) -> None:
    people(tmp_path, 8)
    human = 'human: {file: people.jsonl, input: "{question}", gold: {field: answer, extract: {marker: "####"}}}\n'
    arms = "arms: [reference, {name: none, demos: 0}, {name: one, demos: 1}, {name: five, demos: 5}]\n"
    loaded = own_suite(tmp_path, arms + human)
    shown = {}
    for arm in ("none", "one", "five"):
        [cell] = cells_of(loaded, [arm])
        shown[arm] = [demo.input for demo in compile_cell(loaded, cell).require().parts[0].demos]
    assert (shown["none"], shown["one"]) == ([], ["What is 1 + 1?"])
    assert shown["five"][:2] == ["What is 1 + 1?", "What is 2 + 3?"]
    assert all(text.startswith("Ann picks") for text in shown["five"][2:])
    assert len(set(shown["five"])) == 5


def test_a_sample_of_the_demos_is_seeded_and_nested(tmp_path: Path) -> None:
    many = ", ".join(f'{{input: "What is {n} + 3?", output: "#### {n + 3}"}}' for n in range(20, 40))
    spec = SPEC[: SPEC.index("demos:")] + f"demos: [{many}]\n" + SPEC[SPEC.index("corpus:") :]
    arms = ", ".join(
        f"{{name: {take}-{count}, demos: {{count: {count}, take: {take}}}}}"
        for take in ("first", "sample")
        for count in (4, 9)
    )
    loaded = own_suite(tmp_path, f"arms: [reference, {arms}]\n", spec)
    found = {
        cell.arm_name: [demo.input for demo in compile_cell(loaded, cell).require().parts[0].demos]
        for cell in cells_of(loaded)
    }
    assert found["first-4"] == [f"What is {n} + 3?" for n in range(20, 24)]
    assert found["sample-9"][:4] == found["sample-4"] != found["first-4"]
    assert set(found["sample-9"]) < set(found["reference"])


def test_an_arm_of_ones_own_that_cannot_be_had_is_refused(tmp_path: Path) -> None:
    loaded = own_suite(tmp_path, "arms: [reference, {name: many, demos: 30}]\n")
    with pytest.raises(SdrlError, match=r"many--0: 30 demos wanted, there are 2 in the spec") as refused:
        plan_cells(loaded, cells_of(loaded))
    assert refused.value.code == "E352"


def test_demos_of_parts_are_not_counted(tmp_path: Path) -> None:
    parts = 'parts: [{name: a, demos: [{input: "1+1?", output: "#### 2"}]}, {name: b}]\nseed: 7'
    loaded = own_suite(tmp_path, "extends: table-3\n", SPEC.replace("seed: 7", parts))
    assert only(loaded, "demos-1").open == "demos are counted for the whole task, and its parts have their own"


def test_demos_that_are_not_at_hand_are_not_called_none(tmp_path: Path) -> None:
    start, end = SPEC.index("demos:"), SPEC.index("corpus:")
    spec = f"{SPEC[:start]}demos: {{dataset: owner/demos, input: '{{q}}', output: '{{a}}'}}\n{SPEC[end:]}"
    loaded = own_suite(tmp_path, "extends: table-3\n", spec)
    assert only(loaded, "demos-1").open == "the spec's demos are a data set of the hub, which is not at hand"
    assert only(loaded, "reference").open is None


def test_a_suite_of_ones_own_extends_a_shipped_one(tmp_path: Path) -> None:
    body = (
        "extends: table-4\nmargin: 0.05\nset: {vote.draws: 4}\n"
        "arms: [{name: m-100, set: {select.samples: 10}}, {name: short, set: {train.epochs: 1}}]\n"
        "compare: [{arm: easy, against: hard, question: which end}]\n"
    )
    loaded = own_suite(tmp_path, body)
    names = [arm.name for arm in loaded.arms]
    assert names[:2] == ["reference", "m-100"] and names[-1] == "short"  # in its place, and at the end
    assert next(arm for arm in loaded.arms if arm.name == "m-100").set == {"select.samples": 10}
    assert (loaded.suite.margin, loaded.suite.seeds, loaded.suite.name) == (0.05, [0], "mine")
    assert loaded.suite.set == {"demos": [], "vote.draws": 4}
    assert loaded.optional == set(names) - {"m-100", "short"}
    asked = [(each.arm, each.against) for each in loaded.suite.compare]
    assert asked[-2:] == [("easy", "hard"), ("short", None)]
    assert ("no-pattern-100", "demos-100") in asked
    assert only(loaded, "m-100").estimate["training"]["samples"] == 10


@pytest.mark.parametrize(
    ("body", "message", "help_"),
    [
        ("extends: tabel-4\n", "no suite 'tabel-4' ships with sdrl", "did you mean 'table-4'?"),
        ("", "the key 'arms' is missing", "add: arms: [reference]"),
        ("extends: table-4\narms: [{name: a, set: {vote.drwas: 2}}]\n", "unknown key 'drwas'", "did you mean 'draws'?"),
        ("extends: table-4\ncompare: [{arm: esay}]\n", "compare.0.arm: there is no arm 'esay'", "did you mean 'easy'?"),
        ("extends: table-4\narms: [rl-human-same]\n", "arms.0 trains on human data", "add: human"),
    ],
)
def test_mistakes_in_a_suite_that_extends_stand_at_their_place(
    tmp_path: Path, body: str, message: str, help_: str
) -> None:
    with pytest.raises(SdrlError) as refused:
        own_suite(tmp_path, body)
    [found] = refused.value.diagnostics
    assert message in found.message and help_ in (found.help or "")
    assert found.line and found.column


def test_a_suite_for_any_spec_asks_for_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "table-3"]) == Exit.PROBLEMS
    assert "--spec my-task.yaml" in capsys.readouterr().err
    assert main(["compare", "tabel-3"]) == Exit.USAGE
    assert "did you mean 'table-3'?" in capsys.readouterr().err
    assert main(["compare"]) == Exit.USAGE
    assert "sdrl compare --list" in capsys.readouterr().err


def test_the_list_says_of_each_arm_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--list"]) == Exit.OK
    listed = capsys.readouterr().out
    for name, arms in TABLES.items():
        assert name.upper() in listed
        assert all(f"\n  {arm} " in listed for arm in arms)
    assert "human data with solutions" in listed and "100 demos, a real instructor" in listed
    assert main(["compare", "--list", "controls"]) == Exit.OK
    assert "TABLE-3" not in capsys.readouterr().out


def test_a_dry_run_by_name_shows_what_is_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, human = write_project(tmp_path), people(tmp_path, 30)
    monkeypatch.chdir(tmp_path)
    named = ["compare", "table-4", "--spec", spec.name, "--human", human.name, "--dry-run"]
    assert main([*named, "--arms", "reference,m-1000,rl-human-100"]) == Exit.OK
    listed = " ".join(capsys.readouterr().out.split())
    assert "suite sums-table-4: 9 cells, 0 done, 3 to run" in listed
    assert "30 of 30 human samples can be trained on, 100 are needed" in listed
    assert "1000 of at most 80 samples can never be selected" in listed


def test_human_data_of_the_command_line_needs_an_evaluation_set_to_be_read_like(tmp_path: Path) -> None:
    spec = write_project(tmp_path, SPEC[: SPEC.index("evaluate:")])
    with pytest.raises(SdrlError) as refused:
        load_suite(shipped_suites()["table-3"], Given(spec, people(tmp_path, 3)))
    assert ["the spec has none" in item.message for item in refused.value.diagnostics] == [True]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["table-3", "--spec", "nope.yaml"], "--spec: there is no file nope.yaml"),
        (["table-3", "--spec", "sums.yaml", "--human", "nope.jsonl"], "--human: there is no file nope.jsonl"),
        (["embedded", "--spec", "sums.yaml"], "the suite embedded has a spec of its own"),
    ],
)
def test_what_the_command_line_names_wrongly_is_refused(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["compare", *words, "--dry-run"]) == Exit.USAGE
    assert message in capsys.readouterr().err


def test_a_broken_spec_of_the_command_line_shows_its_own_problems(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "broken.yaml"
    spec.write_text("sdrl: 1\nname: x\n")
    assert main(["compare", "table-3", "--spec", str(spec), "--dry-run"]) == Exit.PROBLEMS
    assert f"{spec}:1:1: E203 the key 'task' is missing" in capsys.readouterr().err


@pytest.mark.parametrize("name", [*FOR_ANY_SPEC, "embedded"])
def test_a_shipped_suite_is_what_its_schema_says(name: str) -> None:
    written = yaml.safe_load(shipped_suites()[name].read_text())
    assert list(Draft202012Validator(suite_schema()).iter_errors(written)) == []
    assert written["name"] == name and written["about"]
