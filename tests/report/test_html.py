from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from sdrl.cli.main import main
from sdrl.report import build_page, read_figures
from sdrl.report.graphs import graphs, missing
from sdrl.report.html_page import to_html
from sdrl.report.run_data import RunData
from sdrl.report.samples import PER_GROUP, gallery
from sdrl.report.suspects import SUSPECT_WORDS
from sdrl.report.svg import LEFT, Outline, Series, columns, intervals, lines, outlines, standalone
from sdrl.report.svg_frame import WIDTH, legend, ticks
from sdrl.report.verdict import percent, points
from sdrl.run.artifacts import Artifacts
from sdrl.run.folder import RunFolder
from sdrl.stages.statistics import wilson
from tests.report import fixture_run

HOSTILE = "</script><img src=x onerror=alert(1)>{{7*7}}\"'&<!--</pre></details>"
VOID = frozenset({"meta", "link", "input", "img", "br"})


class Page(HTMLParser):
    """What a browser would see: elements, texts by element, and whether every element is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID and not (self.get_starttag_text() or "").endswith("/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append((self.open[-1] if self.open else "", data))

    def text(self) -> str:
        return " ".join(" ".join(words for tag, words in self.words if tag not in {"script", "style"}).split())

    def values(self, name: str) -> list[str]:
        return [str(attrs[name]) for _, attrs in self.tags if name in attrs]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fixture_run.write_run(tmp_path_factory.mktemp("html") / "run")


def rendered(root: Path) -> str:
    return to_html(read_figures(root), gallery(RunData.open(root)))


@pytest.fixture(scope="module")
def html(root: Path) -> str:
    return rendered(root)


def test_the_page_is_well_formed_and_its_anchors_resolve(html: str) -> None:
    page = Page(html)
    assert page.open == []
    ids = page.values("id")
    assert len(ids) == len(set(ids)) > 10
    anchors = [value[1:] for value in page.values("href") if value.startswith("#")]
    assert len(anchors) >= 8
    assert set(anchors) <= set(ids)
    assert set(page.values("aria-labelledby")) <= set(ids)


def test_the_page_asks_for_nothing_and_forbids_what_it_does_not_hold(html: str) -> None:
    page = Page(html)
    assert not re.findall(r"(?:https?:)?//[a-z]", html.replace("http://www.w3.org/2000/svg", ""))
    assert not page.values("src")
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on") or name == "style"]
    policy = next(attrs["content"] for tag, attrs in page.tags if tag == "meta" and "http-equiv" in attrs) or ""
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        held = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert len(held) == 1
        digest = base64.b64encode(hashlib.sha256(held[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "eval" not in held[0]
    assert "innerHTML" not in held[0]


def test_the_figures_are_those_of_json(root: Path, html: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(root), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    said = Page(html).text().replace("\u00a0", " ")
    for each in figures["evaluations"]:
        for value in (each["base"]["accuracy"], each["trained"]["accuracy"]):
            assert percent(value).replace("\u00a0", " ") in said
        for value in (each["gain"], *each["interval"], each["gain_format"], each["gain_skill"]):
            assert points(value).replace("-", "\u2212") in said
    rates = figures["pass_rates"]["after"]
    assert f"with adapted ({rates['n']}), never: {rates['never'] / rates['n'] * 100:.1f} %" in said


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    clean = Counter(tag for tag, _ in Page(rendered(fixture_run.write_run(tmp_path / "clean"))).tags)
    root = fixture_run.write_run(tmp_path / "run", hostile=HOSTILE)
    html = rendered(root)
    page = Page(html)
    found = Counter(tag for tag, _ in page.tags)
    assert page.open == []
    assert found["script"] == clean["script"] == 1
    assert "img" not in found
    assert HOSTILE not in html
    assert main(["report", str(root), str(root), "-o", str(tmp_path / "two.html")]) == 0
    two = Page((tmp_path / "two.html").read_text(encoding="utf-8"))
    assert two.open == []
    assert {"img", "details"}.isdisjoint(tag for tag, _ in two.tags)
    assert sum(HOSTILE in words for _, words in two.words) > 1
    assert any(HOSTILE in words for tag, words in page.words if tag in {"summary", "pre", "dd", "h1"})


@pytest.mark.parametrize("until", ["vote", "adapt", "score", "select", "train"])
def test_an_unfinished_run_shows_what_is_there_and_says_what_is_not(tmp_path: Path, until: str) -> None:
    page = Page(rendered(fixture_run.write_run(tmp_path / "run", until=until)))
    assert page.open == []
    assert "no evaluation set has been answered by both models" in page.text()
    assert ("the train stage is not whole" in page.text()) == (until != "train")
    assert "fig-gains" not in page.values("id")
    assert "selected (0)" not in page.text() and "pass rate of –" not in page.text()
    assert ("fig-reward" in page.values("id")) == (until == "train")


def test_the_gallery_counts_every_sample_once_and_shows_each_outcome(root: Path) -> None:
    found = gallery(RunData.open(root))
    lines_ = [
        json.loads(line)
        for name in ("vote", "adapt", "vote.dropped")
        for line in (root / "artifacts" / f"{name}.jsonl").read_text().splitlines()
    ]
    pairs = 2 * fixture_run.N_PROBLEMS
    assert found.total == len(lines_) + pairs
    shown = Counter((each.stage, each.outcome) for each in found.samples)
    assert max(shown.values()) <= PER_GROUP
    assert {"train", "validation"} <= {outcome for stage, outcome in shown if stage == "select"}
    assert {("vote", code) for code in ("vote_tie", "low_agreement", "near_duplicate")} <= set(shown)
    tie = next(each for each in found.samples if each.outcome == "vote_tie")
    row = next(row for row in lines_ if row["id"] == tie.key)
    assert tie.text == row["input"]
    truth = {row["input"]: row["gold"] for row in map(json.loads, (root / "truth.jsonl").read_text().splitlines())}
    labelled = [row for row in lines_ if row["gold"] is not None]
    wrong = {row["id"] for row in labelled if row["gold"] != truth[row["input"]]}
    marked = {each.key for each in found.samples if "wrong label" in each.marks}
    assert marked == wrong & {each.key for each in found.samples}
    assert 0 < len(marked) < len(labelled)


def test_pictures_are_xml_and_as_tall_as_their_figures(root: Path) -> None:
    figures: dict[str, Any] = read_figures(root)
    pictures = graphs(figures)
    names = [each.name for each in pictures]
    assert {"gains", "pass-rates", "reward", "kl", "validation", "lengths", "time"} <= set(names)
    for each in pictures:
        assert ElementTree.fromstring(standalone(each.picture).split("\n", 1)[1]).tag.endswith("svg")
    svg = ElementTree.fromstring(columns("t", ["a", "b"], [("x", [0.1, 0.2])], y_label="y"))
    tall = [float(each.get("height") or 0) for each in svg.iter() if each.tag.endswith("rect") and len(each)]
    assert tall[1] == pytest.approx(2 * tall[0], abs=0.1)


def test_a_flat_or_single_point_still_draws() -> None:
    for points_ in ([(1.0, 0.0)], [(1.0, 5.0), (2.0, 5.0)], []):
        drawn = lines("t", [Series("a", points_)], x_label="step", is_share=False)
        assert "nan" not in drawn
        assert ElementTree.fromstring(drawn).tag.endswith("svg")


def test_the_command_writes_html_a_folder_and_several_runs(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(root), "-o", str(tmp_path / "r.html")]) == 0
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert main(["report", str(root), "-o", f"{tmp_path}/all/"]) == 0
    assert {"report.html", "report.json", "report.md", "report.txt", "pass-rates.svg"} <= {
        path.name for path in (tmp_path / "all").iterdir()
    }
    other = fixture_run.write_run(tmp_path / "other")
    capsys.readouterr()
    assert main(["report", str(root), str(other)]) == 0
    text = capsys.readouterr().out
    assert "2 runs side by side" in text
    assert "test: B against A, both trained: +0.0 points (+0.0 to +0.0): no difference has been shown." in " ".join(
        text.split()
    )
    assert "the plans have the same settings" in text
    assert main(["report", str(root), str(other), "-o", str(tmp_path / "two.html")]) == 0
    page = Page((tmp_path / "two.html").read_text(encoding="utf-8"))
    assert page.open == []
    assert "fig-reward-of-all" in page.values("id")


def test_suspects_are_answers_judged_correct_that_look_wrong(tmp_path: Path) -> None:
    root = fixture_run.write_run(tmp_path / "run")
    path = root / "artifacts" / "evaluate.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert read_figures(root)["suspects"]["answers"] == {
        kind: {"base": 0, "trained": 0} for kind in ("answer_alone", "lenient_disagrees", "several_answers")
    }
    right = [row for row in rows if row["model"] == "trained" and row["verdict"] == "correct"]
    gold = [row["gold"] for row in right]
    right[0]["completion"] = f"#### {gold[0]}"
    right[1]["completion"] = f"so #### 998\n#### {gold[1]}"
    right[2]["completion"] = f"so #### {gold[2]}\nor 998 pages later"
    Artifacts(RunFolder(root), root).write(
        "evaluate", "h", rows, [], came_in=len(rows), seconds=1.0, notes={}, versions={}
    )
    found = read_figures(root)["suspects"]["answers"]
    assert {kind: each["trained"] for kind, each in found.items()} == {
        "answer_alone": 1,
        "lenient_disagrees": 1,
        "several_answers": 1,
    }
    marked = [each for each in gallery(RunData.open(root)).samples if set(each.marks) & set(SUSPECT_WORDS.values())]
    assert {each.key for each in marked} == {row["problem"] for row in right[:3]}


def test_a_reward_that_validation_does_not_follow_is_said(tmp_path: Path) -> None:
    root = fixture_run.write_run(tmp_path / "run")
    assert read_figures(root)["suspects"]["run"] is None
    path = root / "artifacts" / "train.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        if "validation_accuracy" in row:
            row["validation_accuracy"] = 0.5
    Artifacts(RunFolder(root), root).write("train", "h", rows, [], came_in=1, seconds=1.0, notes={}, versions={})
    said = read_figures(root)["suspects"]["run"]
    assert "validation accuracy went from 50.0 % to 50.0 %" in said
    assert "reward and validation part" in Page(rendered(root)).text()


def test_rows_that_no_seal_covers_are_no_gain(tmp_path: Path) -> None:
    root = fixture_run.write_run(tmp_path / "run")
    (root / "artifacts" / "evaluate.seal.json").unlink()
    assert read_figures(root)["evaluations"] == []
    assert "no gain to report" in Page(rendered(root)).text()


def test_the_chosen_step_stands_within_the_picture() -> None:
    drawn = lines("t", [Series("", [(1.0, 0.1), (6.0, 0.3)])], x_label="step", is_share=False, marked=0.0)
    mark = next(each for each in ElementTree.fromstring(drawn).iter() if each.get("stroke-dasharray"))
    assert float(mark.get("x1") or 0) == LEFT


def test_each_picture_stands_in_one_section_with_the_words_about_it(root: Path, html: str) -> None:
    figures = read_figures(root)
    known = [name for section in build_page(figures).sections for name in section.figures]
    assert len(known) == len(set(known))
    made = {each.name for each in graphs(figures)}
    assert made <= set(known), "a picture that no section names is never seen"
    for section in re.findall(r"<section id=.*?</section>", html, re.DOTALL):
        body = section.split("</h2>", 1)[1]
        assert len(re.sub("<[^>]*>", "", body).split()) > 5, f"an empty section: {section[:80]}"


def test_captions_begin_with_what_this_run_shows(root: Path) -> None:
    figures = read_figures(root)
    captions = {each.name: each.caption for each in graphs(figures)}
    values = [value for _, value in figures["training"]["curves"]["reward"]]
    first, last = sum(values[:4]) / 4, sum(values[-4:]) / 4
    assert captions["reward"].startswith(f"Mean of the first 4 steps {first:.3g}, of the last 4 {last:.3g};")
    assert captions["validation"].startswith("70.0\u00a0% at step 20, 90.0\u00a0% at step 40;")
    assert captions["funnel"].startswith("Most are dropped by vote: 13 of 73.")
    wrong = figures["labels"]["written"]
    assert f"{percent(wrong['wrong_share'])} as written" in captions["labels"]
    assert "In all 500,000 tokens" in captions["cost"].replace("$1.25 for ", "")


def test_a_count_of_wrong_labels_is_drawn_as_a_share_with_its_interval(root: Path) -> None:
    figures = read_figures(root)
    picture = next(each.picture for each in graphs(figures) if each.name == "labels")
    for name in ("written", "voted", "adapted", "selected"):
        share = figures["labels"][name]
        low, high = wilson(share["wrong"], share["n"])
        assert f"{100 * share['wrong_share']:.1f} ({100 * low:.1f} to {100 * high:.1f})" in picture


def test_an_estimate_whose_interval_holds_zero_is_hollow() -> None:
    drawn = intervals("t", [("a", 1.0, 2.0, 3.0), ("  b", -1.0, 2.0, 3.0)], x_label="points")
    kinds = [each.get("class") for each in ElementTree.fromstring(drawn).iter() if each.tag.endswith("circle")]
    assert kinds == ["s1", "hollow l0"]
    assert "+2.0 (\u22121.0 to +3.0)" in drawn


def test_outlines_are_as_tall_as_their_shares_and_the_bins_are_those_of_the_figures() -> None:
    drawn = ElementTree.fromstring(outlines("t", [0, 10, 20], [Outline("a", [0.2, 0.4])], x_label="x", y_label="y"))
    line = next(each for each in drawn.iter() if each.tag.endswith("polyline")).get("points") or ""
    heights = [float(spot.split(",")[1]) for spot in line.split()]
    floor_ = heights[0]
    assert floor_ - heights[3] == pytest.approx(2 * (floor_ - heights[1]), abs=0.2)


def test_lengths_fall_into_bins_of_one_width_that_hold_all_but_a_few(tmp_path: Path) -> None:
    root = fixture_run.write_run(tmp_path / "run")
    path = root / "artifacts" / "vote.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for number, row in enumerate(rows):
        row["input"] = "word " * (number + 1)
    Artifacts(RunFolder(root), root).write("vote", "h", rows, [], came_in=60, seconds=1.0, notes={}, versions={})
    found = read_figures(root)["lengths"]
    steps = {b - a for a, b in pairwise([0, *found["edges"]])}
    assert len(steps) == 1 and found["edges"][-1] >= 59
    initial = found["problems"]["initial"]
    assert sum(initial["counts"]) == 60 and initial["longest"] == 60
    width = steps.pop()
    assert initial["counts"][:3] == [width] * 3, "one text of each length: a bin holds as many as it is wide"


def test_a_single_value_stands_in_the_middle_of_its_axis() -> None:
    assert ticks(0.4, 0.4)[0] < 0.4 < ticks(0.4, 0.4)[-1]
    assert ticks(0.0, 0.0)[0] < 0 < ticks(0.0, 0.0)[-1]


def test_the_legend_takes_as_many_lines_as_it_needs_and_cuts_long_names() -> None:
    marks, height = legend(["short"])
    more, taller = legend([f"a set with quite a long name {n}" for n in range(4)])
    assert len(marks) == 2 and len(more) == 8 and taller > height
    found = [ElementTree.fromstring(mark) for mark in more if mark.startswith("<rect")]
    assert all(float(each.get("x") or 0) < WIDTH for each in found)
    assert "…" in legend(["x" * 200])[0][1]


def test_alarms_and_warnings_are_told_once_each(tmp_path: Path) -> None:
    root = fixture_run.write_run(tmp_path / "run")
    assert read_figures(root)["alarms"] is None and read_figures(root)["data"]["made"] is None
    alarm = {"v": 1, "type": "alarm", "stage": "train", "kind": "kl", "message": "far", "remedy": "raise train.kl"}
    told = [{"v": 1, "type": "run_started"}, alarm, alarm, {"v": 1, "type": "warning", "code": "W1", "message": "<b>"}]
    stamped = [{**event, "time": f"2026-01-02T03:0{n}:00+00:00"} for n, event in enumerate(told)]
    RunFolder(root).events.write_text("".join(json.dumps(each) + "\n" for each in stamped) + '{"type": "alarm", "st')
    figures = read_figures(root)
    assert [(each["kind"], each["times"]) for each in figures["alarms"]] == [("kl", 2), ("W1", 1)]
    assert figures["data"]["made"] is None, "a log that breaks off does not say when it ended"
    said = Page(rendered(root)).text()
    assert "kl × 2" in said and "far: raise train.kl" in said and "<b>" in said


def test_a_report_that_lacks_nothing_says_nothing_of_it(root: Path) -> None:
    figures = read_figures(root)
    assert "What this report does not have" in to_html(figures, gallery(RunData.open(root)))
    whole = {**figures, "post_hoc": {"chosen": 40, "sets": {"test": []}}}
    assert missing(whole) == []


def test_the_folder_s_markdown_shows_the_pictures_beside_it(root: Path, tmp_path: Path) -> None:
    assert main(["report", str(root), "-o", f"{tmp_path}/all/"]) == 0
    text = (tmp_path / "all" / "report.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert set(shown) == {path.name for path in (tmp_path / "all").glob("*.svg")}
    assert "```" not in text, "a picture takes the place of characters"
    assert main(["report", str(root), str(root), "-o", f"{tmp_path}/two/"]) == 0
    text = (tmp_path / "two" / "report.md").read_text(encoding="utf-8")
    for file in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
        assert (tmp_path / "two" / file).is_file()
    assert "(run-2/gains.svg)" in text and "(against-first.svg)" in text
