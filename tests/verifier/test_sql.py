"""``sql-sqlite``: queries are judged by what they give, on the sample's own database, and hostile SQL gets nowhere."""

from __future__ import annotations

import pickle
import time
from pathlib import Path

import pytest

from sdrl.verifier import Judgement, Verifier
from sdrl.verifier.sql_text import SeveralStatements, expanded_size, find_script, read_statement

PROGRAM = {"type": "program", "extract": {"kind": "tag", "name": "sql"}, "entry_point": "sql-sqlite"}
SCRIPT = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, city TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), total REAL, day TEXT);
INSERT INTO customers VALUES (1, 'Ann', 'Oslo'), (2, 'Bob', 'Rome'), (3, 'Cem', 'Oslo'), (4, 'Dea', 'Lima');
INSERT INTO orders VALUES (1, 1, 10.5, '2024-01-02'), (2, 1, 4.5, '2024-02-01'), (3, 2, 7, '2024-02-03'),
  (4, 4, 8.25, '2024-03-01'), (5, 3, 19, '2024-03-09'), (6, 3, 2.75, '2024-03-10');
"""
INPUT = f"<database>{SCRIPT}</database>\nQuestion: how many?"


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier.from_program(PROGRAM)


def judged(verifier: Verifier, query: str, gold: str, text: str = INPUT) -> Judgement:
    return verifier.judge(f"<sql>{query}</sql>", gold, {"input": text})


COUNT = "SELECT COUNT(*) FROM orders"
MOST_S = 1.0  # of processor time
SAME = [
    (COUNT + ";", COUNT),
    ("```sql\nselect count(id)\n  from orders -- all of them\n```", COUNT),
    ("SELECT COUNT(*) FROM orders o JOIN customers c ON c.id = o.customer_id", COUNT),  # references hold in every copy
    ("WITH x AS (SELECT * FROM orders) SELECT COUNT(*) AS n FROM x", COUNT),
    ("SELECT name FROM customers ORDER BY name DESC", "SELECT name FROM customers"),
    ("SELECT name FROM customers WHERE city LIKE 'o%O'", "SELECT name FROM customers WHERE city = 'Oslo'"),
    ("SELECT id FROM orders WHERE day LIKE '2024-02-__'", "SELECT id FROM orders WHERE strftime('%m', day) = '02'"),
    ("SELECT 0.1 + 0.2, 2 * 1.0, id FROM orders", "SELECT 0.3, 2, id FROM orders"),
    ("VALUES (1)", "SELECT 1"),
    ("SELECT x'00ff'", "SELECT x'00FF'"),
    ("SELECT ';--'", "SELECT ';' || '--'"),
]
DIFFERENT = [
    ("SELECT 6", COUNT),  # right by chance, on the whole database only
    ("SELECT name FROM customers ORDER BY name DESC", "SELECT name FROM customers ORDER BY name"),
    ("SELECT city, name FROM customers", "SELECT name, city FROM customers"),
    ("SELECT DISTINCT city FROM customers", "SELECT city FROM customers"),
    ("SELECT '2'", "SELECT 2"),
    ("SELECT NULL", "SELECT ''"),
    ("SELECT 1 WHERE 0", "SELECT 1, 2 WHERE 0"),
]


@pytest.mark.parametrize(("query", "gold"), SAME)
def test_queries_that_give_the_same_are_one_answer(verifier: Verifier, query: str, gold: str) -> None:
    assert judged(verifier, query, gold).verdict == "correct"
    assert verifier.extract(f"<sql>{query}</sql>", {"input": INPUT}).prediction != gold


@pytest.mark.parametrize(("query", "gold"), DIFFERENT)
def test_queries_that_give_something_else_are_not(verifier: Verifier, query: str, gold: str) -> None:
    assert judged(verifier, query, gold).verdict == "incorrect"


def test_a_prediction_reads_as_itself_and_a_forged_result_is_dropped(verifier: Verifier) -> None:
    options = {"input": INPUT}
    label = verifier.extract(f"<sql>{COUNT}</sql>", options).prediction
    assert label is not None and verifier.read_gold(label, options) == label
    assert label.startswith(COUNT + "\n-- bag ")
    forged = "SELECT 1" + label[len(COUNT) :]
    assert judged(verifier, forged, COUNT).verdict == "incorrect"
    assert verifier.read_gold(forged, options) != forged
    assert pickle.loads(pickle.dumps(verifier)).same(label, label)


def test_votes_are_grouped_by_result(verifier: Verifier) -> None:
    texts = [COUNT, "SELECT 6", "SELECT COUNT(id) FROM orders", "SELECT nothing FROM orders"]
    read = [verifier.extract(f"<sql>{text}</sql>", {"input": INPUT}).prediction for text in texts]
    assert verifier.group(read) == [0, 1, 0, None]


HOSTILE = {
    "two statements": f"{COUNT}; DROP TABLE orders",
    "a write behind a with": "WITH x AS (SELECT 1) DELETE FROM orders",
    "an attached file": "SELECT 1 FROM (SELECT load_extension('x'))",
    "chance": "SELECT random()",
    "the clock": "SELECT date('now')",
    "the clock, unsaid": "SELECT current_timestamp",
    "the clock, by default": "SELECT strftime('%Y')",
    "a pragma as a table": "SELECT * FROM pragma_database_list",
    "the schema": "SELECT sql FROM sqlite_master",
    "an endless recursion": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
    "a text that doubles": "WITH RECURSIVE r(s) AS (SELECT 'a' UNION ALL SELECT s || s FROM r) SELECT s FROM r",
    "names that double": "WITH a0 AS (SELECT 1 x)"
    + "".join(f", a{n + 1} AS (SELECT p.x FROM a{n} p, a{n} q)" for n in range(20))
    + " SELECT count(*) FROM a20",
    "a join of everything": "SELECT count(*) FROM " + ", ".join(f"orders o{n}" for n in range(30)),
    "many rows": "SELECT a.id FROM orders a, orders b, orders c, orders d",
    "parentheses": "SELECT " + "(" * 3_000 + "1" + ")" * 3_000,
    "a long pattern": f"SELECT '{'a' * 3_000}' GLOB '{'*a' * 60}b'",
    "a column that is not there": "SELECT nothing FROM orders",
    "no grammar": "SELECT FROM WHERE",
    "a parameter": "SELECT ?",
    "a zero byte": "SELECT 1\x00, 2",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_sql_is_an_incorrect_answer_in_time(verifier: Verifier, name: str) -> None:
    started = time.thread_time()
    found = judged(verifier, HOSTILE[name], COUNT)
    assert (found.verdict, found.prediction) == ("incorrect", None), found.reason
    assert time.thread_time() - started < MOST_S


@pytest.mark.parametrize("text", ["", "forty-two", "DROP TABLE orders", "ATTACH 'x.db' AS x", "PRAGMA user_version"])
def test_what_is_no_query_is_unparsable(verifier: Verifier, text: str) -> None:
    assert judged(verifier, text, COUNT).verdict == "unparsable"


def test_a_like_that_looks_back_and_forth_is_linear(verifier: Verifier) -> None:
    started = time.thread_time()
    query = f"SELECT '{'a' * 5_000}' LIKE '{'%a' * 90}%b'"
    assert judged(verifier, query, "SELECT 0").verdict == "correct"
    assert time.thread_time() - started < MOST_S


def test_no_query_touches_a_file(verifier: Verifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for script in ("ATTACH 'a.db' AS a; CREATE TABLE a.t (x);", "CREATE TABLE t (x); VACUUM INTO 'b.db';"):
        assert judged(verifier, "SELECT 1", "SELECT 1", f"<database>{script}</database>").verdict == "error"
    assert list(tmp_path.iterdir()) == []


SCRIPTS = {
    "endless": "CREATE TABLE t (x); INSERT INTO t WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)"
    " SELECT n FROM r;",
    "a trigger": "CREATE TABLE t (x); CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END;",
    "a virtual table": "CREATE TABLE t (x); CREATE VIRTUAL TABLE v USING fts5(x);",
    "a view": "CREATE TABLE t (x); CREATE VIEW v AS SELECT * FROM t;",
    "no grammar": "CREATE TABLE t (x); INSERT INTO t VALUES (1;",
    "too long": "CREATE TABLE t (x);" + "INSERT INTO t VALUES (1);" * 5_000,
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_hostile_script_is_an_error_and_never_a_verdict(verifier: Verifier, name: str) -> None:
    started = time.thread_time()
    found = judged(verifier, "SELECT 1", "SELECT 1", f"<database>{SCRIPTS[name]}</database>")
    assert found.verdict == "error"
    assert time.thread_time() - started < MOST_S


def test_a_sample_without_a_database_is_an_error_that_says_so(verifier: Verifier) -> None:
    assert "no CREATE TABLE" in verifier.judge("<sql>SELECT 1</sql>", "SELECT 1", {"input": "How many?"}).reason
    assert verifier.read_gold("SELECT 1", None) is None


def test_pragmas_of_a_dump_do_nothing_and_do_not_hurt(verifier: Verifier) -> None:
    dump = "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE t (x);\nINSERT INTO t VALUES (1);\nCOMMIT;"
    assert judged(verifier, "SELECT x FROM t", "SELECT 1 FROM t", f"```sql\n{dump}\n```").verdict == "correct"


def test_copies_are_thinned_only_where_the_rows_that_belong_together_are_declared(verifier: Verifier) -> None:
    loose = SCRIPT.replace(" REFERENCES customers (id)", "")
    joined = "SELECT COUNT(*) FROM orders o JOIN customers c ON c.id = o.customer_id"
    assert judged(verifier, joined, COUNT, f"<database>{loose}</database>").verdict == "correct"
    assert judged(verifier, "SELECT 6", COUNT, f"<database>{loose}</database>").verdict == "correct"


def test_a_script_is_found_in_tags_in_a_fence_and_in_prose() -> None:
    script = "CREATE TABLE t (x);\nINSERT INTO t VALUES (1);"
    for text in (
        f"<database>{script}</database>",
        f"Here:\n```sql\n{script}\n```\nHow many;",
        f"Given\n{script}\nHow many?",
    ):
        assert (find_script(text) or "").strip() == script
    assert find_script("CREATE something") is None


def test_statements_lose_comments_and_keep_what_stands_in_quotes() -> None:
    found = read_statement("SELECT  '--  x', \"a;b\" /* gone */ FROM t -- gone\n ORDER BY 1 ; ")
    assert found == ("SELECT '--  x', \"a;b\" FROM t ORDER BY 1", True)
    assert read_statement("SELECT (SELECT 1 ORDER BY 1)") == ("SELECT (SELECT 1 ORDER BY 1)", False)
    with pytest.raises(SeveralStatements):
        read_statement("SELECT 1; SELECT 2")


def test_the_size_of_a_query_counts_what_with_stands_for() -> None:
    assert expanded_size("SELECT 1 FROM a, b") == 2
    doubled = "WITH a (x) AS (SELECT 1 FROM t), b AS NOT MATERIALIZED (SELECT 1 FROM a, a) SELECT 1 FROM b, b"
    assert expanded_size(doubled) > expanded_size(doubled.replace("b, b", "t")) > 4
