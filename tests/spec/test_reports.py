"""How diagnostics look: text, JSON, GitHub, SARIF, JUnit."""

from __future__ import annotations

import json
import pickle
from xml.etree import ElementTree

from sdrl.spec.diagnostics import Diagnostic, Exit, SdrlError, Severity
from sdrl.spec.loader import load_spec
from sdrl.spec.render import render_github, render_json, render_junit, render_sarif, render_text

BAD = "sdrl: 1\nname: a\ntask: {description: d, output_format: o}\nanswer: {type: nummber, extract: {marker: o}}\n"
PROBLEMS = load_spec("specs/bad.yaml", text=BAD).diagnostics


def test_text_shows_place_code_line_caret_and_help() -> None:
    assert render_text(PROBLEMS) == (
        "specs/bad.yaml:4:16: E205 answer.type cannot be 'nummber'\n"
        "  4 | answer: {type: nummber, extract: {marker: o}}\n"
        "    |                ^^^^^^^\n"
        "  help: did you mean 'number'?\n"
    )


def test_colour_adds_nothing_but_escape_sequences() -> None:
    import re

    colored = render_text(PROBLEMS, color=True)
    assert colored != render_text(PROBLEMS)
    assert re.sub(r"\x1b\[\d+m", "", colored) == render_text(PROBLEMS)


def test_the_caret_stands_under_wide_characters_and_tabs() -> None:
    item = Diagnostic("E204", "m", file="f", line=1, column=6, end_line=1, end_column=8, source_line="\t日本é: 漢字")
    caret = render_text([item]).split("\n")[2]
    assert caret == "    | \t     " + " " + "^^^" or caret.endswith("^^^")
    assert caret.startswith("    | \t")


def test_a_long_line_is_cut_around_the_value() -> None:
    item = Diagnostic("E204", "m", file="f", line=1, column=5001, end_line=1, end_column=5004, source_line="x" * 9000)
    _, line, caret, _ = render_text([item]).split("\n")
    assert len(line) < 200
    assert caret.count("^") == 3


def test_control_characters_of_a_file_never_reach_the_terminal() -> None:
    item = Diagnostic("E202", "unknown key '\x1b[2J'", file="f", line=1, column=1, source_line="\x1b[2J: 1")
    assert "\x1b" not in render_text([item])


def test_json_has_stable_keys_and_counts() -> None:
    report = json.loads(render_json(PROBLEMS))
    assert (report["schema"], report["errors"], report["warnings"]) == (1, 1, 0)
    [item] = report["diagnostics"]
    assert (item["code"], item["severity"], item["path"]) == ("E205", "error", "answer.type")
    assert (item["line"], item["column"], item["end_line"], item["end_column"]) == (4, 16, 4, 23)


def test_github_annotations_escape_what_would_end_them() -> None:
    item = Diagnostic("W301", "100 %\nno: corpus", file="a,b:c.yaml", line=1, column=2)
    assert render_github([item]) == "::warning file=a%2Cb%3Ac.yaml,line=1,col=2,title=W301::100 %25%0Ano: corpus\n"


def test_sarif_names_rule_place_and_level() -> None:
    log = json.loads(render_sarif(PROBLEMS))
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    [result] = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "E205"
    assert result["level"] == "error"
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 4, "startColumn": 16, "endLine": 4, "endColumn": 23}


def test_junit_fails_the_specs_that_have_errors() -> None:
    suite = ElementTree.fromstring(render_junit(PROBLEMS, ["specs/bad.yaml", "specs/<good>.yaml"]))
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    bad, good = suite.findall("testcase")
    failure = bad.find("failure")
    assert failure is not None
    assert "E205" in str(failure.text)
    assert good.get("name") == "specs/<good>.yaml"
    assert good.find("failure") is None


def test_a_warning_is_told_by_its_code() -> None:
    assert Diagnostic("W301", "m").severity is Severity.WARNING
    assert Diagnostic("E301", "m").severity is Severity.ERROR


def test_an_error_crosses_process_borders_whole() -> None:
    error = SdrlError("E701", "budget reached", help="raise it", exit=Exit.BUDGET, diagnostics=PROBLEMS)
    copy = pickle.loads(pickle.dumps(error))
    assert vars(copy) == vars(error)
    assert str(copy) == "E701: budget reached"
