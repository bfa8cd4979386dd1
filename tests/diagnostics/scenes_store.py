"""Scenes of what lies on disk: passages and indexes, the request cache, a run folder that holds no run."""

from __future__ import annotations

import sqlite3
import sys
from unittest import mock

from sdrl.corpus import read_passages
from sdrl.spec.model import Source
from tests.compiler.project import write_project
from tests.diagnostics.scene import Stage, scene
from tests.diagnostics.scenes_run import SPEC


def with_store(stage: Stage) -> None:
    """Run over the store in ``store``; its stage of keywords asks nobody."""
    write_project(stage.folder, SPEC.format(url="http://127.0.0.1:1/v1"))
    stage.sdrl("run", "sums.yaml", "--yes", "--store", "store", "--until", "keywords")


@scene("E820")
def a_glob_that_finds_nothing(stage: Stage) -> None:
    stage.sdrl("index", "passage/*.jsonl", "-o", "index")


@scene("E821")
def passages_whose_text_has_another_name(stage: Stage) -> None:
    stage.write("passages.jsonl", '{"id": "p1", "body": "Adding makes more."}\n')
    stage.sdrl("index", "passages.jsonl", "-o", "index")


@scene("E822")
def passages_without_a_word(stage: Stage) -> None:
    stage.write("blank.txt", "\n\n")
    stage.sdrl("index", "blank.txt", "-o", "index")


@scene("E823")
def a_data_set_without_this_split(stage: Stage) -> None:
    stage.write("wiki/train.jsonl", '{"text": "Adding makes more."}\n')
    source = Source(dataset="wiki", split="tarin")
    stage.fails(lambda: list(read_passages([source], stage.folder)))


@scene("E824")
def a_search_in_the_passages_themselves(stage: Stage) -> None:
    stage.write("passages/a.txt", "Adding makes more.\n")
    stage.sdrl("search", "passages", "adding")


@scene("E825")
def an_index_without_tantivy(stage: Stage) -> None:
    stage.write("a.txt", "Adding makes more.\n")
    with mock.patch.dict(sys.modules, {"tantivy": None}):
        stage.sdrl("index", "a.txt", "-o", "index")


@scene("E830")
def a_report_of_a_plan(stage: Stage) -> None:
    write_project(stage.folder)
    stage.quietly("compile", "sums.yaml")
    stage.sdrl("report", "sums.plan")


@scene("E831")
def a_store_of_a_later_version(stage: Stage) -> None:
    stage.write("store/requests.sqlite", b"")
    with sqlite3.connect(stage.folder / "store" / "requests.sqlite") as store:
        store.execute("PRAGMA user_version = 99")
    store.close()
    with_store(stage)


@scene("E833")
def a_store_that_another_process_holds(stage: Stage) -> None:
    stage.write("store/requests.sqlite", b"")
    holder = sqlite3.connect(stage.folder / "store" / "requests.sqlite", isolation_level=None)
    holder.execute("CREATE TABLE other (x)")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with mock.patch("sdrl.models.cache_file.BUSY_MS", 1):
            with_store(stage)
    finally:
        holder.close()


@scene("E834")
def a_store_that_is_no_database(stage: Stage) -> None:
    stage.write("store/requests.sqlite", b"half a page of something else\n" * 100)
    with_store(stage)


@scene("E835")
def a_store_that_is_a_file(stage: Stage) -> None:
    stage.write("store", "a file\n")
    with_store(stage)
