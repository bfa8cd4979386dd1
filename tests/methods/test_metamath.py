"""MetaMath's four: what each prompt may see, what is refused, and what becomes of samples whose answer is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.plan import Plan
from sdrl.compiler.plan_file import read_plan
from sdrl.compiler.sample import Sample
from sdrl.filters import FilterState, apply_filters
from sdrl.methods import METHODS, Attempt, Draft, Example, Refusal
from sdrl.methods.attempt import id_of
from sdrl.run.executor import RunOptions, execute
from sdrl.run.folder import RunFolder
from sdrl.spec.model import FilterStep
from sdrl.verifier import Verifier
from tests.end_to_end.fake_openai import fake_openai
from tests.methods.fake_writer import FakeWriter
from tests.methods.test_runs import compiled, rows, writer

MINE = ("metamath-rephrase", "metamath-answers", "metamath-self-verification", "metamath-fobar")
DEMOS = (
    Sample("Ann has 3 boxes of 4 eggs. How many eggs?", "3 boxes of 4 are 12.\n#### 12"),
    Sample("Ben eats 5 of 9 figs. How many are left?", "9 less 5 is 4.\n#### 4"),
    Sample("Cid buys 2 pens at $1.50. What does he pay?", "Twice 1.50 is 3.\n#### 3"),
)
SPEC = """\
sdrl: 1
name: sums
task: {{description: Sums in stories., output_format: "Work it out and write it after ####."}}
answer: {answer}
demos: {demos}
synthesize: {{method: {method}, samples: 4, demos_per_prompt: all}}
"""
NUMBER = '{type: number, extract: {marker: "####"}}'


@pytest.fixture
def plan_of(tmp_path: Path) -> Callable[..., Plan]:
    def plan(method: str, demos: tuple[Sample, ...] = DEMOS, answer: str = NUMBER) -> Plan:
        given = json.dumps([demo.to_dict() for demo in demos])
        (tmp_path / "s.yaml").write_text(SPEC.format(answer=answer, demos=given, method=method))
        return compile_spec(tmp_path / "s.yaml").require()

    return plan


def attempt(plan: Plan, turn: int = 0) -> Attempt:
    part = plan.parts[0]
    verifier = Verifier.from_program(plan.verifier)
    return Attempt(turn, part, None, None, part.demos, plan, verifier, turn=turn, seed=plan.seed_for("attempt", turn))


def driven(plan: Plan, *replies: dict[str, Any], turn: int = 0) -> tuple[list[Draft], Example | Refusal]:
    """What an attempt asked, and what it came to; it must ask for exactly these replies."""
    writing = METHODS[plan.settings.synthesize.method].write(attempt(plan, turn))
    left, asked = list(replies), []
    try:
        draft = next(writing)
        while True:
            asked.append(draft)
            draft = writing.send(left.pop(0))
    except StopIteration as end:
        assert not left, "a reply that nobody asked for"
        return asked, end.value


def example(made: Example | Refusal) -> Example:
    assert isinstance(made, Example), made
    return made


@pytest.mark.parametrize("turn", range(5))
@pytest.mark.parametrize("method", MINE)
def test_no_prompt_shows_the_solution_of_the_demo_it_starts_from(
    method: str, turn: int, plan_of: Callable[..., Plan]
) -> None:
    plan, start = plan_of(method), DEMOS[turn % 3]
    writing = METHODS[method].write(attempt(plan, turn))
    draft = next(writing)
    if draft.prompt != "reason":
        number = {"x": "x", "value": "0"} | dict(draft.values)
        said = f"There is {number['x']}, and it makes {number['value']}."
        draft = writing.send({"question": said, "statement": said})
    assert draft.prompt == "reason"
    assert draft.values["demos"] == tuple(demo for demo in DEMOS if demo is not start and demo != start)
    assert start.output not in str(draft.values)


def test_a_rephrased_question_is_kept_where_its_own_solution_has_the_demos_answer(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of("metamath-rephrase")
    new = "Four eggs lie in each of Ann's 3 boxes. What is their number?"
    asked, made = driven(plan, {"question": new}, {"output": "So 12.\n#### 12.0"})
    assert asked[0].values == {"input": DEMOS[0].input, "options": None}
    assert asked[1].values["problem"] == new
    assert example(made).reply == {"input": new, "output": "So 12.\n#### 12.0"}
    assert example(made).parents == tuple(map(id_of, DEMOS))
    assert driven(plan, {"question": new}, {"output": "#### 13"})[1] == Refusal(
        "other_answer", f"'#### 13' where the demo has {DEMOS[0].output!r}"
    )


def test_the_same_words_again_are_no_rephrasing_and_are_not_worked_out(plan_of: Callable[..., Plan]) -> None:
    again = "ann has 3 boxes of 4 eggs; how many eggs"
    asked, made = driven(plan_of("metamath-rephrase"), {"question": again})
    assert [draft.prompt for draft in asked] == ["reword"]
    assert made == Refusal("unchanged", again)


def test_options_stay_with_a_rephrased_question(plan_of: Callable[..., Plan]) -> None:
    options = {"A": "red", "B": "blue"}
    demos = (
        Sample("Which is a colour of the sky?", "#### B", options),
        Sample("Which is of blood?", "#### A", options),
    )
    plan = plan_of("metamath-rephrase", demos, '{type: choice, options: [A, B], extract: {marker: "####"}}')
    asked, made = driven(plan, {"question": "Name the sky's colour."}, {"output": "#### blue"})
    assert [draft.values["options"] for draft in asked] == [options, options]
    assert example(made).reply["options"] == options
    asked, _ = driven(plan, {"question": "Is the sky A. red or B. blue?"}, {"output": "#### B"})
    assert asked[1].values["options"] is None, "the question shows them already"


def test_a_new_solution_of_a_demo_has_its_input_and_its_answer(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of("metamath-answers")
    asked, made = driven(plan, {"output": "From 9 take 5.\n#### 4"}, turn=1)
    assert asked[0].values["problem"] == DEMOS[1].input
    assert example(made).reply == {"input": DEMOS[1].input, "output": "From 9 take 5.\n#### 4"}
    assert example(made).parents[0] == id_of(DEMOS[1])
    assert isinstance(driven(plan, {"output": "#### 5"}, turn=1)[1], Refusal)


def test_fobar_asks_for_each_number_once_and_keeps_what_comes_to_it(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of("metamath-fobar")
    values = []
    for turn in (2, 5):  # the third demo, twice
        asked, made = driven(plan, {"output": "#### 1.5"}, turn=turn)
        problem = asked[0].values["problem"]
        assert problem.endswith(
            "If we know the answer to the above question is 3, what is the value of unknown variable x?"
        )
        value = "2" if problem.startswith("Cid buys x pens at $1.50.") else "1.50"
        values.append(value)
        if value == "2":
            assert isinstance(made, Refusal) and made.code == "wrong_value"
            made = driven(plan, {"output": "#### 2"}, turn=turn)[1]
        assert example(made).notes == {"unknown": "x", "value": value}
        assert example(made).reply["input"] == problem
    assert sorted(values) == ["1.50", "2"]
    assert driven(plan, turn=8) == ([], Refusal("used_up", "the demo has 2 numbers, and each was asked for before"))


@pytest.mark.parametrize("method", ["metamath-fobar", "metamath-self-verification"])
def test_a_demo_without_a_number_is_refused_and_nothing_is_asked(method: str, plan_of: Callable[..., Plan]) -> None:
    bare = Sample("How many days has a week?", "#### 7")
    assert driven(plan_of(method, (bare,))) == ([], Refusal("no_number", bare.input))


def test_a_statement_is_made_of_the_masked_question_and_asked_backward(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of("metamath-self-verification", (DEMOS[1],))
    asked, made = driven(plan, {"statement": "There is no letter, 4 are left."})
    shown = asked[0].values
    assert made == Refusal("no_unknown", "There is no letter, 4 are left.")
    assert shown["unknown"] == "x" and shown["value"] == "4"
    value, other = ("5", "9") if "x of 9" in shown["masked_question"] else ("9", "5")
    assert value not in shown["masked_question"] and other in shown["masked_question"]
    assert driven(plan, {"statement": "Ben eats x of them."})[1] == Refusal(
        "lost_answer", "4 is not in: Ben eats x of them."
    )
    said = f"{shown['masked_question'].removesuffix(' How many are left?')} Then 4 are left."
    asked, made = driven(plan, {"statement": said}, {"output": f"#### {value}"})
    assert asked[1].values["problem"] == f"{said} What is the value of unknown variable x?"
    assert example(made).notes == {"unknown": "x", "value": value}
    refused = driven(plan, {"statement": said}, {"output": f"#### {other}"})[1]
    assert isinstance(refused, Refusal) and refused.code == "wrong_value"


def row(number: int, demo: str, text: str, output: str = "#### 1", method: str = "metamath-fobar") -> dict[str, Any]:
    source = {"method": method, "parents": [demo, "another"]}
    return {"id": f"r{number}", "input": text, "output": output, "options": None, "source": source}


@pytest.mark.parametrize("step", [FilterStep(rouge_l=0.7), FilterStep(minhash=0.5), FilterStep(embedding=0.9)])
def test_forms_of_one_demo_are_not_compared_for_likeness_but_those_of_two_are(step: FilterStep) -> None:
    text = "a grocer sells 4 apples on the first day and 5 on each day of the week that follows, how many"
    made = [row(0, "d", text), row(1, "d", text.replace("4", "x")), row(2, "e", text.replace("5", "x"))]
    state = FilterState()
    state.learn({each["input"]: [1.0, 0.0] for each in made})
    filtered = apply_filters([step], made, state)
    assert [each["id"] for each in filtered.kept] == ["r0", "r1"]
    assert [drop.sample["id"] for drop in filtered.dropped] == ["r2"]


def test_equal_forms_are_duplicates_and_solutions_of_known_questions_are_where_they_are_equal_too() -> None:
    step = [FilterStep(duplicates=True)]
    backward = [row(0, "d", "ask x"), row(1, "d", "Ask x!", "#### another way 1")]
    assert [each["id"] for each in apply_filters(step, backward, FilterState()).kept] == ["r0"]
    answers = [
        row(at, "d", "ask", output, "metamath-answers") for at, output in enumerate(("one 1", "two 1", "One  1."))
    ]
    assert [each["id"] for each in apply_filters(step, answers, FilterState()).kept] == ["r0", "r1"]
    tested = FilterState({"test": ["Ask!"]})
    assert apply_filters([FilterStep(decontaminate=True)], answers, tested).kept == []


def test_a_vote_for_another_answer_drops_the_sample_and_the_written_solution_is_learnt_from(tmp_path: Path) -> None:
    right = writer()

    def unsure(prompt: str) -> str:
        """The fake's right answers, but for one number, and only when it is asked without a schema (by the vote)."""
        return "#### 8" if "Solve the problem" in prompt and "add x and 7" in prompt else right.right(prompt)

    with fake_openai(FakeWriter(unsure)) as url:
        write_plan(compiled(tmp_path, "metamath-fobar", "number", url, samples=7), tmp_path / "plan")
        options = RunOptions(until="vote")
        assert execute(read_plan(tmp_path / "plan"), RunFolder(tmp_path / "run"), tmp_path / "store", options)
    kept, dropped = rows(tmp_path, "run", "vote"), rows(tmp_path, "run", "vote.dropped")
    lost = [each for each in dropped if each["code"] == "against_known"]
    assert lost and all("add x and 7" in each["input"] and each["gold"] == "8" for each in lost)
    for each in kept:
        assert each["gold"] == each["source"]["notes"]["value"]
        assert each["solution"] == each["output"]
        assert each["output"].endswith(f"#### {each['gold']}") and each["output"] != f"#### {each['gold']}"
    assert any("add x and 7" in each["input"] for each in kept) is False


def test_forms_of_one_demo_lie_on_one_side_of_the_validation_split(tmp_path: Path) -> None:
    from sdrl.stages.held_out import held_out

    class Ctx:
        def __init__(self, plan: Plan, samples: list[dict[str, Any]]) -> None:
            self.plan, self._samples = plan, samples

        def samples(self) -> list[dict[str, Any]]:
            return self._samples

    (tmp_path / "s.yaml").write_text(
        SPEC.format(answer=NUMBER, demos=json.dumps([DEMOS[0].to_dict()]), method="metamath-rephrase")
        + "validate: {share: 0.5, by: sample}\n"
    )
    plan = compile_spec(tmp_path / "s.yaml").require()
    made = [row(at, f"demo {at % 20}", f"q{at}") | {"parent": None, "passage": None} for at in range(100)]
    made += [{"id": f"h{at}", "parent": f"r{at}", "passage": None, "input": "harder"} for at in range(100)]
    sealed = held_out(Ctx(plan, made))  # type: ignore[arg-type]
    assert 0 < len(sealed) < 200
    for at in range(100):
        assert (f"r{at}" in sealed) == (f"r{at % 20}" in sealed) == (f"h{at}" in sealed)


@pytest.mark.parametrize(
    ("method", "demos", "samples", "expected"),
    [
        ("metamath-fobar", DEMOS, 6, []),
        ("metamath-fobar", DEMOS, 7, ["the demos have 6 numbers, each is asked for once, and 7 samples are wanted"]),
        ("metamath-self-verification", DEMOS, 7, []),
        ("metamath-rephrase", DEMOS[:1], 7, []),
        (
            "metamath-self-verification",
            (Sample("How many days has a week?", "#### 7"),),
            4,
            ["no demo has a number that 'metamath-self-verification' could ask for: nothing will be written"],
        ),
    ],
)
def test_too_few_numbers_in_the_demos_are_said_when_the_spec_is_compiled(
    method: str, demos: tuple[Sample, ...], samples: int, expected: list[str], tmp_path: Path
) -> None:
    text = SPEC.format(answer=NUMBER, demos=json.dumps([demo.to_dict() for demo in demos]), method=method)
    (tmp_path / "s.yaml").write_text(text.replace("samples: 4", f"samples: {samples}"))
    found = compile_spec(tmp_path / "s.yaml")
    assert [item.message for item in found.diagnostics if item.code == "W515"] == expected
    stages = found.require().estimate["stages"]
    written = next(stage for stage in stages if stage["stage"] == "generate")
    if method == "metamath-fobar":
        assert written["expected"]["requests"] <= written["worst"]["requests"] <= 6
