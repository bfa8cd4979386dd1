"""How diagnostics look: text, JSON, GitHub, SARIF, JUnit."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from xml.etree import ElementTree

from sdrl.spec.codes import CODES
from sdrl.spec.diagnostics import Diagnostic, Exit, SdrlError, Severity
from sdrl.spec.junit import render_junit
from sdrl.spec.loader import load_spec
from sdrl.spec.render import render_github, render_json, render_text
from sdrl.spec.sarif import render_sarif

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
    assert render_github([item]) == (
        "::warning title=sdrl (W301),file=a%2Cb%3Ac.yaml,line=1,col=2::a,b:c.yaml:1:2: W301 100 %25%0Ano: corpus\n"
    )


def test_github_annotations_have_valid_properties_only_and_columns_within_one_line() -> None:
    many = Diagnostic(
        "E105", "m", file=str(Path.cwd() / "specs" / "a.yaml"), line=1, column=2, end_line=3, end_column=4
    )
    stdin = Diagnostic("E105", "m", file="<stdin>", line=1, column=2, help="mend it")
    lines = render_github([many, stdin, *PROBLEMS]).splitlines()
    assert lines[0].startswith("::error title=sdrl (E105),file=specs/a.yaml,line=1,endLine=3::")
    assert lines[1] == "::error title=sdrl (E105)::<stdin>:1:2: E105 m%0A  help: mend it"
    for line in lines:
        head = re.fullmatch(r"::(error|warning) ([^\n]*?)::(.*)", line)
        assert head is not None
        names = {pair.split("=", 1)[0] for pair in head[2].split(",")}
        assert names <= {"title", "file", "line", "endLine", "col", "endColumn"}


SCHEMA = json.loads((Path(__file__).parent / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
STRANGE = [
    Diagnostic("E101", "there is no such file", file="/nowhere/ü ä#?.yaml", help="check the path"),
    Diagnostic("E104", "a NUL character", file="<stdin>", line=1, column=7),
    Diagnostic("E999", "a code of tomorrow", path="a.0", file="b.yaml", line=2, column=1, end_line=4, end_column=1),
]


def test_sarif_is_valid_by_its_schema() -> None:
    import jsonschema

    jsonschema.Draft4Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    everything = [Diagnostic(code, "m", file="a.yaml", line=1, column=1) for code in CODES]
    for diagnostics in ([], list(PROBLEMS), STRANGE, everything):
        log = json.loads(render_sarif(diagnostics, ["specs/bad.yaml", "specs/good.yaml"]))
        assert list(validator.iter_errors(log)) == []
    assert list(validator.iter_errors({"version": "2.1.0", "runs": [{"results": []}]})) != []


def test_sarif_names_rule_place_level_and_every_file() -> None:
    log = json.loads(render_sarif(PROBLEMS, ["specs/bad.yaml", "specs/good.yaml"]))
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    [result] = run["results"]
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert rule["id"] == result["ruleId"] == "E205"
    assert rule["fullDescription"]["text"].startswith(CODES["E205"].what)
    assert f"```yaml\n{CODES['E205'].bad}\n```" in rule["help"]["markdown"]
    assert result["level"] == rule["defaultConfiguration"]["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "specs/bad.yaml", "index": 0}
    assert place["region"]["snippet"]["text"] == BAD.splitlines()[3]
    assert [place["region"][key] for key in ("startLine", "startColumn", "endLine", "endColumn")] == [4, 16, 4, 23]
    assert [artifact["location"]["uri"] for artifact in run["artifacts"]] == ["specs/bad.yaml", "specs/good.yaml"]


def test_sarif_fingerprints_stay_when_lines_are_added_and_tell_equal_problems_apart() -> None:
    def prints(text: str) -> list[str]:
        problems = load_spec("a.yaml", text=text).diagnostics
        results = json.loads(render_sarif(problems))["runs"][0]["results"]
        return [result["partialFingerprints"]["sdrlDiagnostic/v1"] for result in results]

    assert prints(BAD) == prints("# a comment\n\n" + BAD)
    twice = BAD.replace("nummber", "number") + "vote: {draw: 1}\nscore: {draw: 1}\n"
    assert len(set(prints(twice))) == len(prints(twice)) == 2


def test_sarif_addresses_are_references_whatever_the_name() -> None:
    uris = [artifact["location"]["uri"] for artifact in json.loads(render_sarif(STRANGE))["runs"][0]["artifacts"]]
    assert uris == ["file:///nowhere/%C3%BC%20%C3%A4%23%3F.yaml", "%3Cstdin%3E", "b.yaml"]


def test_junit_has_a_suite_a_file_and_a_case_a_problem() -> None:
    warned = [Diagnostic("W301", "no corpus", file="specs/<good>.yaml", line=1, column=1)]
    for strict, failures in ((False, "1"), (True, "2")):
        root = ElementTree.fromstring(
            render_junit([*PROBLEMS, *warned], ["specs/bad.yaml", "specs/<good>.yaml"], strict=strict)
        )
        assert (root.tag, root.get("tests"), root.get("failures")) == ("testsuites", "3", failures)
        bad, good = root.findall("testsuite")
        assert [(suite.get("name"), suite.get("tests")) for suite in (bad, good)] == [
            ("specs/bad.yaml", "1"),
            ("specs/<good>.yaml", "2"),
        ]
        failure = bad.find("testcase/failure")
        assert failure is not None and "help: did you mean 'number'?" in str(failure.text)
        assert [case.get("name") for case in good] == ["no errors", "W301 at 1:1: no corpus"]
        assert (good.find("testcase/system-out") is None) == strict


def test_junit_holds_what_xml_cannot() -> None:
    item = Diagnostic(
        "E104", "the control \x01 character \ud800", file="a\x02.yaml", line=1, column=1, source_line="\x1b"
    )
    root = ElementTree.fromstring(render_junit([item], ["a\x02.yaml"]).encode())
    assert root.find("testsuite/testcase/failure") is not None


def test_a_warning_is_told_by_its_code() -> None:
    assert Diagnostic("W301", "m").severity is Severity.WARNING
    assert Diagnostic("E301", "m").severity is Severity.ERROR


def test_an_error_crosses_process_borders_whole() -> None:
    error = SdrlError("E701", "budget reached", help="raise it", exit=Exit.BUDGET, diagnostics=PROBLEMS)
    copy = pickle.loads(pickle.dumps(error))
    assert vars(copy) == vars(error)
    assert str(copy) == "E701: budget reached"
