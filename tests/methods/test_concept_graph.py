"""The graph of concepts: a walk keeps to its edges, comes to no node twice, and leaves a passage by what two share."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from sdrl.methods.concept_graph import ConceptGraph, Held, Walk, jaccard, node

LOANS = Held(("Loans", "Interest"), ("annuity", "grace period", "rate"))
SAVING = Held(("Saving", "interest"), ("compounding", "deposit"))
BRIDGES = Held(("Bridges",), ("span", "load", "arch"))


def walks(held: list[Held], start: str, seen: tuple[str, ...] = ()) -> list[Walk]:
    graph = ConceptGraph(held)
    return [graph.walk(start, random.Random(seed), seen) for seed in range(200)]


def test_a_walk_samples_a_few_topics_and_concepts_each_once() -> None:
    for walk in walks([LOANS, SAVING], "Loans"):
        assert walk.topics[0] == "Loans"
        assert 2 <= len(walk.topics) <= 3 and 1 <= len(walk.concepts) <= 4
        assert len(walk.nodes) == len(walk.topics) + len(walk.concepts)
        assert set(walk.topics) <= {"Loans", "Interest", "Saving"}


def test_a_walk_leaves_a_passage_by_a_name_that_two_share_however_it_is_spelt() -> None:
    found = walks([LOANS, SAVING, BRIDGES], "Loans")
    beyond = [walk for walk in found if {"compounding", "deposit", "Saving"} & {*walk.topics, *walk.concepts}]
    assert 0 < len(beyond) < len(found)
    assert all("Interest" in walk.topics for walk in beyond), "nothing else leads there"
    assert not any(walk.nodes & BRIDGES.nodes for walk in found), "nothing leads there"


def test_an_edge_is_taken_in_proportion_to_the_passages_that_hold_it() -> None:
    often = [Held(("start",), ("common",)) for _ in range(4)]
    first = Counter(walk.concepts[0] for walk in walks([*often, Held(("start",), ("rare",))], "start"))
    assert set(first) == {"common", "rare"}
    assert 120 <= first["common"] <= 190  # 160 expected of 200; both bounds are beyond five deviations


def test_a_walk_comes_to_nothing_that_was_seen() -> None:
    found = walks([LOANS, SAVING], "Saving", seen=("Interest", "COMPOUNDING"))
    assert all(set(walk.concepts) == {"deposit"} and walk.topics == ("Saving",) for walk in found)


def test_equal_seeds_walk_equally() -> None:
    assert walks([LOANS, SAVING], "Loans") == walks([LOANS, SAVING], "Loans")


def test_a_topic_without_anything_beside_it_is_the_whole_walk() -> None:
    assert ConceptGraph([Held(("Alone",), ())]).walk("Alone", random.Random(0)) == Walk(("Alone",), ())


@pytest.mark.parametrize(("some", "others", "share"), [("ab", "bc", 1 / 3), ("ab", "ab", 1.0), ("", "", 0.0)])
def test_what_two_sets_have_in_common(some: str, others: str, share: float) -> None:
    assert jaccard(frozenset(some), frozenset(others)) == share


def test_case_and_spacing_make_no_node() -> None:
    assert node(" Grace\n Period ") == node("grace period")
