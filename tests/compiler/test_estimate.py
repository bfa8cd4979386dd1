"""The parts of the estimate that can be checked without a run: waves, early stop, token counts, bounds."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdrl.compiler.bpe import read_bpe
from sdrl.compiler.compile import compile_spec
from sdrl.compiler.courses import expected_attempts, expected_refills, vote_course
from sdrl.compiler.identities import embedded_folder
from sdrl.compiler.schedule import calls_for, vote_wave, wave_size
from sdrl.compiler.tokens import UNKNOWN, tokens_of, typical_count
from sdrl.stages.ballot import Rules, draws_to_settle
from tests.compiler.project import SPEC, write_project
from tests.stages.test_ballot import NUMBER

TOY = embedded_folder() / "toy_base"


def attempts_of_a_run(samples: int, most: int, readable: float, luck: random.Random) -> int:
    """Stage generate's loop with replies that are readable by chance."""
    came = tried = 0
    while came < samples and tried < most:
        size = min(most - tried, max(wave_size(samples), samples - came))
        came += sum(luck.random() < readable for _ in range(size))
        tried += size
    return tried


@pytest.mark.parametrize(("samples", "most", "readable"), [(20, 30, 0.97), (240, 360, 0.975), (100, 150, 0.5)])
def test_expected_attempts_are_the_mean_of_many_runs(samples: int, most: int, readable: float) -> None:
    luck = random.Random(3)
    mean = sum(attempts_of_a_run(samples, most, readable, luck) for _ in range(2000)) / 2000
    assert expected_attempts(samples, most, readable) == pytest.approx(mean, rel=0.03)


def test_what_the_vote_drops_is_refilled_in_whole_waves() -> None:
    assert expected_refills(240, 100, 1.0, 1.0, 240) == 0
    assert expected_refills(240, 100, 1.0, 0.96, 240) == pytest.approx(30, rel=0.02)
    assert expected_refills(240, 12, 1.0, 0.5, 240) == 12  # no more than may be tried


@pytest.mark.parametrize(("draws", "agreement", "least"), [(8, 0.9, 0.5), (16, 0.9, 0.9), (16, 0.5, 0), (5, 1.0, 0)])
def test_an_early_stop_is_expected_where_many_votes_have_it(draws: int, agreement: float, least: float) -> None:
    luck = random.Random(5)
    rules = Rules("drop", least or None)

    def one() -> tuple[int, int]:
        said: list[str] = []
        waves = 0
        while needed := draws_to_settle(NUMBER, said, [], None, left=draws - len(said), rules=rules):
            wave = vote_wave(waves, needed, draws - len(said))
            said += [f"#### {1 if luck.random() < agreement else 2}" for _ in range(wave)]
            waves += 1
        return len(said), waves

    votes = [one() for _ in range(1500)]
    expected = vote_course(draws, agreement, least)
    for at in (0, 1):
        assert expected[at] == pytest.approx(sum(vote[at] for vote in votes) / len(votes), rel=0.04)


def test_draws_go_out_in_calls_of_64() -> None:
    assert [calls_for(draws) for draws in (1, 64, 65, 128)] == [1, 1, 2, 2]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_a_known_tokenizer_is_counted_as_its_library_counts(text: str) -> None:
    from tokenizers import Tokenizer

    bpe = read_bpe(TOY)
    assert bpe is not None
    exact = len(Tokenizer.from_file(str(TOY / "tokenizer.json")).encode(text, add_special_tokens=False).ids)
    assert abs(bpe.count(text) - exact) <= 0.05 * exact + 3  # rare characters are cut otherwise


def test_ordinary_text_is_counted_exactly() -> None:
    from tokenizers import Tokenizer

    bpe, library = read_bpe(TOY), Tokenizer.from_file(str(TOY / "tokenizer.json"))
    assert bpe is not None
    for text in ("Tom's 12 pens, and 3.5 more…\n\n  - don't\t(#### 7)", "57+37=94\n#### 94", "Für elf Äpfel 1½ €", ""):
        assert bpe.count(text) == len(library.encode(text).ids)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"model": {"type": "Unigram"}, "pre_tokenizer": {"type": "Metaspace"}}', b'{"model": 1}'],
)
def test_a_tokenizer_that_cannot_be_read_is_taken_as_unknown(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tokenizer.json").write_bytes(content)
    assert tokens_of(tmp_path) is UNKNOWN
    assert tokens_of(None) is UNKNOWN


def test_the_usual_count_is_what_common_tokenizers_give() -> None:
    """Counts of cl100k (tiktoken), taken once."""
    assert typical_count("The quick brown fox jumps over the lazy dog.") == 10
    assert typical_count("\\frac{1}{2} + 3 = 3.5") == pytest.approx(15, abs=3)
    assert typical_count('{"type": "object", "required": ["input", "output"]}') == pytest.approx(14, abs=3)


SAMPLING = st.fixed_dictionaries({"max_tokens": st.integers(1, 3000)})
SETTINGS = st.fixed_dictionaries(
    {
        "synthesize": st.fixed_dictionaries(
            {
                "samples": st.integers(1, 600),
                "demos_per_prompt": st.integers(0, 3) | st.just("all"),
                "demo_probability": st.sampled_from([0, 0.5, 1, "share"]),
                "sampling": SAMPLING,
            }
        ),
        "vote": st.fixed_dictionaries({"draws": st.integers(1, 130), "sampling": SAMPLING}),
        "score": st.fixed_dictionaries({"draws": st.integers(1, 130), "sampling": SAMPLING}),
        "adapt": st.fixed_dictionaries({"harder": st.booleans(), "easier": st.booleans(), "rounds": st.integers(0, 1)}),
        "filter": st.sampled_from([[], [{"rouge_l": 0.7}], [{"duplicates": False}]]),
    }
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(SETTINGS)
def test_the_worst_case_is_never_below_the_expected(tmp_path: Path, chosen: dict[str, Any]) -> None:
    own = ("synthesize:", "vote:", "budget:", "select:")
    spec = "".join(line for line in SPEC.splitlines(keepends=True) if not line.startswith(own))
    spec += "select: {min: 1, min_solved: 1}\n"
    spec += "".join(f"{key}: {json.dumps(value)}\n" for key, value in chosen.items())
    compiled = compile_spec(write_project(tmp_path, spec))
    assert compiled.plan is not None, compiled.diagnostics
    for entry in compiled.plan.estimate["stages"]:
        for figure, value in entry["expected"].items():
            assert value <= entry["worst"][figure], (entry["stage"], figure)
