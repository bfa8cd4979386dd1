"""The HTML report in a real browser: silent console, no request, tables sort, the gallery filters, hostile text."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdrl.cli.main import main
from tests.report import browser, fixture_run
from tests.report.test_html import HOSTILE

pytestmark = pytest.mark.browser
COLUMN = """
(function (anchor, column) {
  var rows = document.querySelector("#" + anchor + " table").tBodies[0].rows;
  return Array.from(rows).map(function (row) { return row.cells[column].textContent.trim(); });
})"""
AT_ONCE = 25  # as page.js has it
MORE = "document.getElementById('f-more').textContent"
SHOWN = "Array.from(document.querySelectorAll('#samples > :not([hidden])'))"


@pytest.fixture
def chromium() -> str:
    found = browser.find()
    if found is None:
        pytest.fail("no Chromium here; install one or name it in SDRL_CHROMIUM")
    return found


def written(tmp_path: Path, hostile: str = "") -> Path:
    root = fixture_run.write_run(tmp_path / "run", hostile=hostile)
    path = tmp_path / "report.html"
    assert main(["report", str(root), "-o", str(path)]) == 0
    return path


async def test_the_page_is_silent_asks_for_nothing_and_sorts(chromium: str, tmp_path: Path) -> None:
    path = written(tmp_path)
    async with browser.tab(chromium) as page:
        await page.open(path)
        before = await page.value(COLUMN + "('time-and-cost', 0)")
        press = "document.querySelectorAll('#time-and-cost th button')[1].click()"
        await page.value(press)
        up = await page.value(COLUMN + "('time-and-cost', 1)")
        await page.value(press)
        down = await page.value(COLUMN + "('time-and-cost', 1)")
        assert before[:2] == ["vote", "adapt"]
        assert up == ["1.5 s", "12.0 s", "21.0 s", "33.4 s", "1 min 15 s", "1 h 06 min"]
        assert down == up[::-1]
        assert await page.value("document.querySelector('#time-and-cost tfoot td').textContent") == "all"
        assert page.said == []
        assert page.asked == [path.resolve().as_uri()]


async def test_the_gallery_filters_by_stage_outcome_and_words(chromium: str, tmp_path: Path) -> None:
    path = written(tmp_path)
    async with browser.tab(chromium) as page:
        await page.open(path)

        async def choose(name: str, value: str) -> list[str]:
            await page.value(
                f"(e => {{ e.value = {value!r}; e.dispatchEvent(new Event('input')) }})"
                f"(document.getElementById('f-{name}'))"
            )
            return list(await page.value(SHOWN + ".map(e => e.dataset.outcome)"))

        every = await page.value("document.querySelectorAll('#samples > *').length")
        assert await choose("outcome", "vote_tie") == ["vote_tie"] * 3
        assert await page.value("document.getElementById('f-count').textContent") == f"3 of {every}"
        assert await choose("stage", "select") == []
        await choose("outcome", "")
        selected = await choose("stage", "select")
        assert len(selected) == AT_ONCE
        while not await page.value("document.getElementById('f-more').hidden"):
            await page.value("document.getElementById('f-more').click()")
        selected = list(await page.value(SHOWN + ".map(e => e.dataset.outcome)"))
        assert AT_ONCE < len(selected) < every
        assert {"train", "validation"} <= set(selected)
        await choose("stage", "")
        key = await page.value("document.querySelector('#samples dd').textContent")
        assert len(key) == 16
        assert await choose("search", key) != []
        assert all([key in text for text in await page.value(SHOWN + ".map(e => e.textContent)")])
        assert await choose("search", "no text of this report") == []
        assert page.said == []


async def test_the_gallery_comes_by_the_page_in_an_order_and_leads_to_parents(chromium: str, tmp_path: Path) -> None:
    path = written(tmp_path)
    async with browser.tab(chromium) as page:
        await page.open(path)
        every = await page.value("document.querySelectorAll('#samples > *').length")
        assert await page.value(SHOWN + ".length") == AT_ONCE
        assert await page.value(MORE) == f"show {AT_ONCE} more of {every - AT_ONCE}"
        await page.value("document.getElementById('f-more').click()")
        assert await page.value(SHOWN + ".length") == 2 * AT_ONCE
        await page.value(
            "(e => { e.value = 'rate'; e.dispatchEvent(new Event('input')) })(document.getElementById('f-order'))"
        )
        rates = await page.value(SHOWN + ".map(e => Number(e.dataset.rate))")
        assert len(rates) == AT_ONCE and rates == sorted(rates) and rates[0] < rates[-1]
        parent = await page.value("document.querySelector('#samples .seek').textContent")
        await page.value("document.querySelector('#samples .seek').click()")
        shown = await page.value(SHOWN + ".map(e => e.querySelector('dd').textContent)")
        assert parent in shown and 1 < len(shown) < AT_ONCE, "the parent and what was made of it"
        assert page.said == []


async def test_the_section_that_is_read_is_marked_and_print_shows_all_but_the_gallery(
    chromium: str, tmp_path: Path
) -> None:
    path = written(tmp_path)
    async with browser.tab(chromium) as page:
        await page.open(path)
        await page.value("location.hash = '#training'")
        marked = "Array.from(document.querySelectorAll('nav [aria-current]')).map(e => e.textContent)"
        await page.until(f"{marked}.join() === 'Training'")
        await page.call("Emulation.setEmulatedMedia", media="print")
        await page.call(
            "Emulation.setDeviceMetricsOverride", width=680, height=900, deviceScaleFactor=1, mobile=False
        )  # what a sheet of A4 leaves
        cut = (
            "Array.from(document.querySelectorAll('.plot, .scroll')).filter(e => e.scrollWidth > e.clientWidth).length"
        )
        assert await page.value(cut) == 0, "nothing can be scrolled on paper"
        hidden = "getComputedStyle(document.getElementById('gallery')).display"
        assert await page.value(hidden) == "none"
        assert await page.value("getComputedStyle(document.querySelector('nav')).display") == "none"
        assert await page.value("document.querySelectorAll('figure').length") > 10
        assert page.said == []


async def test_hostile_text_runs_nothing_and_the_page_fits_a_phone(chromium: str, tmp_path: Path) -> None:
    path = written(tmp_path, HOSTILE)
    async with browser.tab(chromium) as page:
        await page.open(path, width=390, height=800, scheme="dark")
        assert await page.value("document.images.length") == 0
        assert await page.value("document.scripts.length") == 1
        assert HOSTILE in await page.value("document.querySelector('h1').textContent")
        assert await page.value("document.documentElement.scrollWidth") <= 390
        smallest = "Math.min(...Array.from(document.querySelectorAll('svg')).map(e => e.getBoundingClientRect().width))"
        assert await page.value(smallest) >= 440, "words of a picture are readable; it scrolls in its frame"
        dark = await page.value("getComputedStyle(document.body).backgroundColor")
        await page.value("document.getElementById('theme').click()")
        light = await page.value("getComputedStyle(document.body).backgroundColor")
        assert (dark, light) == ("rgb(15, 20, 27)", "rgb(246, 247, 249)")
        assert page.said == []
