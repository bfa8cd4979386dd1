from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdrl.corpus import Passage, read_passages
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.spec.model import Source


def read(folder: Path, *sources: Source, words: int = 350) -> list[Passage]:
    return list(read_passages(sources, folder, passage_words=words))


def failure(folder: Path, *sources: Source) -> SdrlError:
    with pytest.raises(SdrlError) as caught:
        read(folder, *sources)
    assert caught.value.exit is Exit.PROBLEMS
    return caught.value


def write_jsonl(path: Path, *rows: Any) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_a_jsonl_row_keeps_its_own_id_title_source_and_license(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", {"id": 7, "text": "Six hens.", "title": "Hens", "source": "Farm", "license": "X"})
    assert read(tmp_path, Source(files=["a.jsonl"])) == [Passage("7", "Six hens.", "Hens", "Farm", "X")]


def test_a_row_without_an_id_is_named_by_file_and_line_and_takes_the_sources_license(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('\ufeff{"body": "One."}\n\n{"body": "Two."}\n', encoding="utf-8")
    found = read(tmp_path, Source(files=["a.jsonl"], text="body", license="CC0-1.0"))
    assert [(p.id, p.text, p.source, p.license) for p in found] == [
        ("a.jsonl:1", "One.", "a.jsonl", "CC0-1.0"),
        ("a.jsonl:3", "Two.", "a.jsonl", "CC0-1.0"),
    ]


def test_the_title_field_is_the_specs_choice(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", {"text": "x", "title": "t", "name": "n"})
    titles = [read(tmp_path, Source(files=["a.jsonl"], title=field))[0].title for field in ("title", "name", None)]
    assert titles == ["t", "n", ""]


def test_files_come_in_the_specs_order_globs_sorted_and_each_once(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b", "a", "c"):
        write_jsonl(tmp_path / "sub" / f"{name}.jsonl", {"text": name})
    found = read(tmp_path, Source(files=["sub/c.jsonl", "sub/*.jsonl"]))
    assert [p.id for p in found] == ["sub/c.jsonl:1", "sub/a.jsonl:1", "sub/b.jsonl:1"]


def test_passage_ids_do_not_depend_on_the_folder(tmp_path: Path) -> None:
    ids = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text("One.\n", encoding="utf-8")
        ids.append([p.id for p in read(tmp_path / name, Source(files=["*.txt"]))])
    assert ids[0] == ids[1] == ["a.txt:1"]


def test_a_long_row_becomes_numbered_passages(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", {"id": "x", "text": "One two three. " * 4})
    assert [(p.id, p.text) for p in read(tmp_path, Source(files=["a.jsonl"]), words=6)] == [
        ("x#1", "One two three. One two three."),
        ("x#2", "One two three. One two three."),
    ]


def test_a_repeated_id_is_made_unique(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", {"id": "x", "text": "a"}, {"id": "x", "text": "b"}, {"id": "x", "text": "c"})
    assert [p.id for p in read(tmp_path, Source(files=["a.jsonl"]))] == ["x", "x~2", "x~3"]


def test_text_and_markdown_are_split_and_titled(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("One two.\r\n\r\nThree four.\r\n", encoding="utf-8")
    (tmp_path / "guide.md").write_text("Before.\n# Jars\nTen jars.\n", encoding="utf-8")
    found = read(tmp_path, Source(files=["notes.txt", "guide.md"]), words=3)
    assert [(p.id, p.title, p.text) for p in found] == [
        ("notes.txt:1", "notes", "One two."),
        ("notes.txt:2", "notes", "Three four."),
        ("guide.md:1", "guide", "Before."),
        ("guide.md:2", "Jars", "Ten jars."),
    ]


def test_a_parquet_file_reads_like_the_same_rows_in_jsonl(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    rows = [
        {"id": "1", "title": "Hens", "text": "Six hens.", "n": 1},
        {"id": "2", "title": None, "text": "Two.", "n": 2},
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    write_jsonl(tmp_path / "a.jsonl", *rows)
    from_parquet = read(tmp_path, Source(files=["a.parquet"]))
    from_jsonl = read(tmp_path, Source(files=["a.jsonl"]))
    assert [(p.id, p.title, p.text) for p in from_parquet] == [(p.id, p.title, p.text) for p in from_jsonl]


def test_a_local_data_set_of_the_hubs_shape_is_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    (tmp_path / "wiki").mkdir()
    rows = [{"id": str(n), "title": f"T{n}", "text": f"Text {n}."} for n in range(5)]
    write_jsonl(tmp_path / "wiki" / "train.jsonl", *rows)
    found = read(tmp_path, Source(dataset="wiki", split="train", limit=3, license="CC-BY-SA-4.0"))
    assert [(p.id, p.title, p.source, p.license) for p in found] == [
        (str(n), f"T{n}", "wiki", "CC-BY-SA-4.0") for n in range(3)
    ]


def test_a_data_set_without_the_split_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "wiki").mkdir()
    write_jsonl(tmp_path / "wiki" / "train.jsonl", {"text": "x"})
    error = failure(tmp_path, Source(dataset="wiki", split="nope"))
    assert (error.code, "wiki" in error.message, "nope" in error.message) == ("E823", True, True)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"text": "a"', "a.jsonl:2: not JSON"),
        ("[1]", "a.jsonl:2: a list, not a JSON object"),
        ('{"body": "a", "n": 1}', "a.jsonl:2: no field 'text' (fields: body, n)"),
        ('{"text": 3}', "a.jsonl:2: field 'text' is int, not a text"),
        (r'{"text": "\ud800"}', "a.jsonl:2: field 'text' holds half a surrogate pair"),
        ("[" * 100_000, "a.jsonl:2: not JSON: too deep"),
    ],
)
def test_a_bad_line_is_named_with_file_and_line(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "ok"}\n' + line + "\n", encoding="utf-8")
    error = failure(tmp_path, Source(files=["a.jsonl"]))
    assert error.code == "E821"
    assert error.message.startswith(says)


def test_bytes_that_are_no_utf8_are_named_with_file_and_line(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.txt"):
        (tmp_path / name).write_bytes(b'{"text": "ok"}\n{"text": "\xff"}\n')
        assert failure(tmp_path, Source(files=[name])).message.startswith(f"{name}:2: not UTF-8")


@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_a_file_of_the_wrong_kind_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("text\nx\n", encoding="utf-8")
    assert failure(tmp_path, Source(files=[name])).code == "E821"


def test_a_pattern_without_a_file_names_the_folder_looked_in(tmp_path: Path) -> None:
    error = failure(tmp_path, Source(files=["nothing/*.jsonl"]))
    assert error.code == "E820"
    assert "nothing/*.jsonl" in error.message
    assert str(tmp_path) in error.message


def test_a_corpus_of_blank_texts_is_empty(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", {"text": " "}, {"text": None})
    assert failure(tmp_path, Source(files=["a.jsonl"])).code == "E822"
