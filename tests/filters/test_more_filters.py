"""MinHash, length, language, grades and tags: what each drops, with which code and evidence."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdrl.filters import FilterState, apply_filters
from sdrl.filters.language import COMMON, language_of
from sdrl.filters.minhash import HASHES, rows_of, runs_of
from sdrl.spec.model import FilterStep, Length

SENTENCES = {
    "en": "A farmer has twelve hens and sells four of them at the market. How many hens are left for him?",
    "de": "Ein Bauer hat zwölf Hühner und verkauft vier davon auf dem Markt. Wie viele Hühner hat er noch?",
    "fr": "Un fermier a douze poules et il en vend quatre sur le marché. Combien de poules sont dans la ferme?",
    "es": "Un granjero tiene doce gallinas y vende cuatro en el mercado. ¿Cuántas gallinas quedan para la granja?",
    "it": "Un contadino ha dodici galline e ne vende quattro al mercato. Quante galline sono rimaste nel pollaio?",
    "pt": "Um fazendeiro tem doze galinhas e vende quatro no mercado. Quantas galinhas ele tem agora em casa?",
    "nl": "Een boer heeft twaalf kippen en hij verkoopt er vier op de markt. Hoeveel kippen zijn er nog over?",
    "ru": "У фермера было двенадцать кур, и он продал четыре на рынке. Сколько кур у него осталось?",
    "zh": "一个农夫有十二只母鸡，他在市场上卖掉了四只。请问他还剩下几只母鸡？",
    "el": "Ένας αγρότης έχει δώδεκα κότες και πουλάει τέσσερις στην αγορά. Πόσες κότες του μένουν;",
}


def sample(id_: str, text: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "input": text, **more}


def dropped(step: FilterStep, samples: list[dict[str, Any]], state: FilterState | None = None) -> dict[str, Any]:
    found = apply_filters([step], samples, state or FilterState()).dropped
    return {drop.sample["id"]: (drop.code, drop.evidence) for drop in found}


WORDS = st.lists(st.sampled_from("one two three four five six seven eight".split()), min_size=1, max_size=14)


@settings(max_examples=80, deadline=None)
@given(st.lists(WORDS, min_size=2, max_size=12), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_what_minhash_drops_is_as_close_as_it_says_and_hardly_anything_is_missed(
    texts: list[list[str]], threshold: float
) -> None:
    samples = [sample(str(n), " ".join(text)) for n, text in enumerate(texts)]
    found = dropped(FilterStep(minhash=threshold), samples)
    runs = {each["id"]: runs_of(each) for each in samples}
    for name, (code, evidence) in found.items():
        of = runs[evidence["of"]]
        assert code == "near_duplicate"
        assert evidence["jaccard"] == round(len(runs[name] & of) / len(runs[name] | of), 4) >= round(threshold, 4)
    kept = [runs[each["id"]] for each in samples if each["id"] not in found]
    same = sum(a == b for n, a in enumerate(kept) for b in kept[:n] if a)
    assert same == 0  # equal runs have equal signatures: they cannot be missed


def test_bands_miss_next_to_no_pair_at_the_threshold() -> None:
    for threshold in (0.3, 0.5, 0.7, 0.9, 1.0):
        rows = rows_of(threshold)
        assert (1 - threshold**rows) ** (HASHES // rows) <= 0.002
    luck = random.Random(1)
    caught = 0
    for n in range(60):
        words = [f"w{luck.randrange(10_000)}" for _ in range(60)]
        close = words[:52] + [f"v{n}x{k}" for k in range(8)]
        caught += bool(dropped(FilterStep(minhash=0.7), [sample("a", " ".join(words)), sample("b", " ".join(close))]))
    assert caught == 60


def test_a_sample_is_not_compared_with_the_one_it_was_adapted_from() -> None:
    text = " ".join(f"word{n}" for n in range(20))
    state = FilterState()
    state.remember([sample("parent", text)])
    assert dropped(FilterStep(minhash=0.5), [sample("child", text, parent="parent")], state) == {}
    assert "other" in dropped(FilterStep(minhash=0.5), [sample("other", text, parent="nobody")], state)


def test_texts_without_words_are_no_near_duplicates() -> None:
    assert dropped(FilterStep(minhash=0.5), [sample("a", "?"), sample("b", "!")]) == {}


def test_lengths_count_the_words_of_input_and_options() -> None:
    samples = [
        sample("short", "Two words"),
        sample("fits", "Just four words here"),
        sample("long", "one two three four five six"),
        sample("options", "one two three four", options={"A": "five", "B": "six"}),
    ]
    found = dropped(FilterStep(length=Length(min_words=3, max_words=5)), samples)
    assert found == {
        "short": ("length", {"words": 2}),
        "long": ("length", {"words": 6}),
        "options": ("length", {"words": 6}),
    }


@pytest.mark.parametrize("wanted", sorted(SENTENCES))
def test_a_text_in_the_wanted_language_stays_and_others_go(wanted: str) -> None:
    samples = [sample(name, text) for name, text in SENTENCES.items()]
    found = dropped(FilterStep(language=True), samples, FilterState(language=wanted))
    assert wanted not in found
    judged_by_words = wanted in COMMON
    expected = {name for name in SENTENCES if name != wanted} if judged_by_words else set(found)
    assert set(found) == expected
    assert {"en", "ru"} - {wanted} <= set(found)  # another script is always seen
    for name, (code, evidence) in found.items():
        assert code == "language" and evidence["wanted"] == wanted and evidence["found"] != wanted, name


@pytest.mark.parametrize(
    "text", ["x^2 + 3x - 5 = 0", "17, 18, 19", "f(a, b) = a * b", "Hola", "for i in range(10): print(i)", ""]
)
def test_formulas_code_and_short_texts_are_of_no_language(text: str) -> None:
    for wanted in ("en", "de", "ja", "sw"):
        assert dropped(FilterStep(language=True), [sample("a", text)], FilterState(language=wanted)) == {}


def test_a_region_is_no_other_language_and_an_unknown_language_lets_pass() -> None:
    german = [sample("a", SENTENCES["de"])]
    assert dropped(FilterStep(language=True), german, FilterState(language="de-AT")) == {}
    assert dropped(FilterStep(language=True), german, FilterState(language="sw")) == {}
    assert language_of(SENTENCES["de"], "en") == "de"


def test_a_poor_grade_drops_and_a_missing_one_does_not() -> None:
    samples = [
        sample("poor", "a", grade={"score": 3, "reason": "a step is missing"}),
        sample("good", "b", grade={"score": 4, "reason": ""}),
        sample("unread", "c", grade=None),
        sample("unasked", "d"),
    ]
    found = dropped(FilterStep(judge=4), samples)
    assert found == {"poor": ("poor_grade", {"score": 3, "reason": "a step is missing"})}


def test_a_sample_goes_when_all_of_its_tags_are_common() -> None:
    samples = [
        sample("a", "1", tags=["Division", "two steps"]),
        sample("b", "2", tags=["division", "three steps"]),
        sample("c", "3", tags=["division", "Two steps."]),
        sample("d", "4", tags=["division"]),
        sample("e", "5", tags=None),
    ]
    assert dropped(FilterStep(tags=2), samples) == {"d": ("common_tags", {"tags": {"division": 3}})}
    assert dropped(FilterStep(tags=1), samples[:3]) == {"c": ("common_tags", {"tags": {"division": 2, "two steps": 1}})}
