from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdrl.cli.main import main
from sdrl.corpus import Passage, PassageIndex, build_index, open_index, write_index
from sdrl.corpus.index import _disk_errors
from sdrl.spec.diagnostics import SdrlError

PASSAGES = [
    Passage("b", "The harbour master counts nine boats at the pier.", "Harbour", "demo", "CC0-1.0"),
    Passage("a", "The harbour master counts nine boats at the pier.", "Harbour", "demo", "CC0-1.0"),
    Passage("c", "A baker sets forty loaves on the shelf.", "Bakery", "demo", "CC0-1.0"),
    Passage("d", "Trees in the orchard carry apples; the boat is far away.", "Orchard", "demo", ""),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> PassageIndex:
    return open_index(build_index(PASSAGES, tmp_path_factory.mktemp("store")).path)


def test_equal_passages_find_the_index_already_there(tmp_path: Path) -> None:
    first, again = build_index(PASSAGES, tmp_path), build_index(iter(PASSAGES), tmp_path)
    assert (first.reused, again.reused) == (False, True)
    assert first.path == again.path == tmp_path / "indexes" / first.address
    assert (again.passages, again.licenses) == (4, {"": 1, "CC0-1.0": 3})
    assert [path.name for path in (tmp_path / "indexes").iterdir()] == [first.address]


def test_an_index_with_one_flipped_bit_is_refused_and_built_again(tmp_path: Path) -> None:
    made = build_index(PASSAGES, tmp_path)
    terms = next(made.path.glob("*.term"))
    whole = terms.read_bytes()
    terms.chmod(0o644)
    terms.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    with pytest.raises(SdrlError) as refused:
        open_index(made.path)
    assert refused.value.code == "E824" and "damaged" in refused.value.message
    again = build_index(PASSAGES, tmp_path)
    assert not again.reused and again.path == made.path
    assert [hit.passage.id for hit in open_index(again.path).search("loaves")] == ["c"]
    next(made.path.glob("*.store")).unlink()
    assert not build_index(PASSAGES, tmp_path).reused


@pytest.mark.parametrize("change", [{"text": "x"}, {"title": "x"}, {"id": "x"}, {"license": "x"}, {"source": "x"}])
def test_any_change_of_a_passage_changes_the_address(tmp_path: Path, change: dict[str, str]) -> None:
    changed = Passage(**{"id": "c", "text": "A baker.", "title": "T", "source": "s", "license": "l"} | change)
    plain = Passage("c", "A baker.", "T", "s", "l")
    assert build_index([changed], tmp_path).address != build_index([plain], tmp_path).address


def test_words_are_found_by_their_stem_in_text_and_title(index: PassageIndex) -> None:
    assert [hit.passage.id for hit in index.search_keywords(["loaf", "loaves"])] == ["c"]
    assert {hit.passage.id for hit in index.search_keywords(["BOATS"])} == {"a", "b", "d"}
    assert [hit.passage.title for hit in index.search("bakeries")] == ["Bakery"]


def test_equal_scores_come_in_the_order_of_ids_and_ranks_count_from_one(index: PassageIndex) -> None:
    hits = index.search_keywords(["harbour", "boats"], 2)
    assert [(hit.passage.id, hit.rank) for hit in hits] == [("a", 1), ("b", 2)]
    assert hits[0].score == hits[1].score
    assert [hit.passage.id for hit in index.search_keywords(["harbour", "boats"], 1)] == ["a"]


def test_a_hit_brings_the_whole_passage_back(index: PassageIndex) -> None:
    assert index.search("loaves")[0].passage == PASSAGES[2]
    assert "loaves" in index.search("loaves", snippets=True)[0].snippet


def test_a_phrase_in_quotes_is_a_phrase(index: PassageIndex) -> None:
    assert [hit.passage.id for hit in index.search('"the boat"')] == ["d"]


@pytest.mark.parametrize("query", ['what is "x', "a:b c", "(foo", "AND OR", "-x", "", "*", "text:", "\x00", "é" * 500])
def test_what_a_model_writes_never_breaks_a_search(index: PassageIndex, query: str) -> None:
    assert len(index.search(query, 3)) <= 3
    assert len(index.search_keywords([query], 3)) <= 3


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(query=st.text(max_size=40).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)))
def test_any_text_is_a_query(index: PassageIndex, query: str) -> None:
    assert len(index.search(query, 2)) <= 2
    assert len(index.search_keywords([query], 2)) <= 2


def test_keywords_are_no_query_syntax_and_count_each_word_once(index: PassageIndex) -> None:
    once, thrice = index.search_keywords(["boats"]), index.search_keywords(["boats", "boat", "BOATS -harbour"])
    assert once[0].score < thrice[0].score  # 'harbour' is a word here, not an exclusion
    assert [hit.score for hit in index.search_keywords(["boats", "boat"])] == [hit.score for hit in once]


def test_an_index_survives_a_writer_that_died_half_way(tmp_path: Path) -> None:
    def dying() -> object:
        yield PASSAGES[0]
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        build_index(dying(), tmp_path)  # type: ignore[arg-type]
    assert not (tmp_path / "indexes").exists() or not any((tmp_path / "indexes").iterdir())
    assert build_index(PASSAGES, tmp_path).passages == 4


def test_no_passage_and_no_index_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(SdrlError, match="E822"):
        build_index([], tmp_path)
    with pytest.raises(SdrlError, match="E824"):
        open_index(tmp_path)


def test_a_folder_with_other_files_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x", encoding="utf-8")
    with pytest.raises(SdrlError, match="E824"):
        write_index(PASSAGES, tmp_path)
    assert (tmp_path / "mine.txt").exists()


def test_a_folder_with_an_older_index_gets_the_new_one(tmp_path: Path) -> None:
    write_index(PASSAGES[:1], tmp_path / "index")
    assert write_index(PASSAGES, tmp_path / "index").reused is False
    assert open_index(tmp_path / "index").info.passages == 4
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_the_commands_index_files_and_search_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [{"id": p.id, "title": p.title, "text": p.text, "license": p.license} for p in PASSAGES]
    Path("p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert main(["index", "p.jsonl", "-o", "idx"]) == 0
    address = capsys.readouterr().out.strip()
    assert main(["index", "p.jsonl", "-o", "idx"]) == 0
    again = capsys.readouterr()
    assert (again.out.strip(), again.err.startswith("unchanged: 4 passages")) == (address, True)
    assert main(["search", "idx", "forty", "loaves", "--json"]) == 0
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == ["c"]
    assert main(["search", "idx", "loaves"]) == 0
    assert "  1. Bakery" in capsys.readouterr().out
    assert main(["search", "idx", "zeppelin"]) == 0
    assert capsys.readouterr().out == ""


def test_the_commands_fail_with_one_message_and_the_right_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["index", "nothing.jsonl", "-o", "idx"]) == 1
    assert capsys.readouterr().err.startswith("E820: no file matches 'nothing.jsonl'")
    assert main(["search", "idx", "x"]) == 1
    assert capsys.readouterr().err.startswith("E824: idx is no passage index")
    assert main(["search", "idx", "x", "-k", "0"]) == 2


def test_a_full_disk_that_tantivy_calls_a_wrong_value_is_said_as_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as full, _disk_errors(tmp_path):
        raise ValueError("An IO error occurred: 'No space left on device (os error 28)'")
    assert (full.value.errno, full.value.filename) == (errno.ENOSPC, str(tmp_path))
    with pytest.raises(ValueError, match="schema"), _disk_errors(tmp_path):
        raise ValueError("the schema does not fit")
