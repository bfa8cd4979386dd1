"""``batch: true`` against an imitation of the provider's batch API: kills at every step, partial failures, limits."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from sdrl.models.batch_api import Pace
from sdrl.models.batches import Batches
from sdrl.models.cache import Cache
from sdrl.models.client import Client, Endpoint
from sdrl.models.ledger import Caps, Ledger, Price
from sdrl.models.model import Model, ModelSettings
from sdrl.models.open import BATCH_POLICY
from sdrl.models.request import Draw
from sdrl.spec.diagnostics import Exit, SdrlError
from tests.models.imitation_batch import ImitationBatchApi
from tests.models.parts import ask

PRICE = Price(1_000_000, 1_000_000, 2_000_000)
QUICK = Pace(gather=0.04, poll=0.005, most_poll=0.02, patience=600.0, never_answered=600.0, first_delay=0.001)
COST = PRICE.cost(11, 14)  # of one line: two draws of seven tokens each
ROWS = 6


@dataclass
class Bench:
    model: Model
    ledger: Ledger
    cache: Cache
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def rows(self, count: int = ROWS) -> list[list[Draw]]:
        """Two draws of each row, asked for at once."""
        jobs = [asyncio.create_task(self.model.draw(ask(f"question {at}"), range(2))) for at in range(count)]
        try:
            return list(await asyncio.gather(*jobs))
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)

    def of(self, type_: str) -> list[dict[str, Any]]:
        return [fields for kind, fields in self.events if kind == type_]


@asynccontextmanager
async def opened(
    store: Path, url: str, caps: Caps | None = None, *, never_answered: float = 600.0
) -> AsyncIterator[Bench]:
    cache = Cache(store)
    ledger = Ledger(cache, "run", caps or Caps())
    events: list[tuple[str, dict[str, Any]]] = []

    def emit(type_: str, fields: Mapping[str, Any]) -> None:
        events.append((type_, dict(fields)))

    batches = Batches("instructor", ledger, store, emit, replace(QUICK, never_answered=never_answered))
    endpoint = Endpoint("instructor", url, "fake-model")

    async def connect() -> Client:
        return Client(endpoint, batches.at(endpoint))

    policy = replace(BATCH_POLICY, never_answered=never_answered)
    settings = ModelSettings(price=PRICE, policy=policy, batches=batches)
    model = Model("instructor", ledger, connect, emit, settings)
    try:
        with ledger.charging("vote"):
            yield Bench(model, ledger, cache, events)
    finally:
        await model.close()
        cache.close()


def whole(rows: list[list[Draw]], count: int = ROWS) -> bool:
    return len(rows) == count and all(draw.status == "ok" for row in rows for draw in row)


async def test_all_rows_go_out_in_one_file_and_each_gets_its_own_answer(tmp_path: Path) -> None:
    async with ImitationBatchApi() as api, opened(tmp_path, api.url) as bench:
        rows = await bench.rows()
        assert whole(rows)
        assert len({draw.request_key for row in rows for draw in row}) == ROWS
        assert len({row[0].text for row in rows}) == ROWS
        assert (bench.ledger.total().requests, bench.ledger.total().microusd) == (ROWS, ROWS * COST)
        again = await bench.rows()
        states = [event["status"] for event in bench.of("batch")]
        assert bench.of("warning") == []
    assert [[draw.text for draw in row] for row in again] == [[draw.text for draw in row] for row in rows]
    assert len(api.batches) == 1
    assert states == ["in_progress", "finalizing", "completed"]
    assert list((tmp_path / "batches").iterdir()) == []


@pytest.mark.parametrize("point", ["noted", "uploaded", "created", "recorded", "looked"])
async def test_a_kill_anywhere_sends_no_line_twice_and_loses_none(tmp_path: Path, point: str) -> None:
    """The store as it lies on the disk at that moment, taken over by another process."""
    killed, gone, image = asyncio.Event(), asyncio.Event(), tmp_path / "image"

    async def at(where: str) -> None:
        if killed.is_set() or where != ("uploaded" if point == "noted" else "looked" if point == "recorded" else point):
            return
        shutil.copytree(tmp_path / "store", image)
        killed.set()
        await gone.wait()

    async with ImitationBatchApi(at=at) as api:
        async with opened(tmp_path / "store", api.url) as bench:
            asking = asyncio.create_task(bench.rows())
            await asyncio.wait_for(killed.wait(), 60)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        gone.set()
        if point == "noted":
            api.files.clear()
        async with opened(image, api.url, Caps(microusd=10**9)) as bench:
            before = bench.ledger.total().microusd
            assert whole(await bench.rows())
            after = bench.ledger.total()
            status = bench.cache.query("SELECT DISTINCT status FROM calls WHERE microusd > 0")
    assert before > ROWS * COST  # open calls count in full until their answer is there
    assert (after.requests, after.microusd) == (ROWS, ROWS * COST)
    assert status == [("ok",)]
    assert set(api.answered.values()) == {1}
    assert list((image / "batches").iterdir()) == []


async def test_a_stop_leaves_the_batch_under_way_and_the_next_start_takes_it(tmp_path: Path) -> None:
    looked = asyncio.Event()

    async def at(where: str) -> None:
        if where == "looked":
            looked.set()

    async with ImitationBatchApi(at=at) as api:
        async with opened(tmp_path, api.url) as bench:
            asking = asyncio.create_task(bench.rows())
            await asyncio.wait_for(looked.wait(), 60)
            bench.model.stop_sending()
            assert bench.model.under_way == 0  # there is nothing to wait for
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        (said,) = bench.of("warning")
        async with opened(tmp_path, api.url) as bench:
            assert whole(await bench.rows())
            assert bench.ledger.total().microusd == ROWS * COST
    assert said["code"] == "W871"
    assert "batch_0" in said["message"]
    assert len(api.batches) == 1


async def test_a_reply_that_got_lost_creates_no_second_batch(tmp_path: Path) -> None:
    faults = {"POST /batches": 1, "POST /files": 2}
    async with ImitationBatchApi(http_faults=faults) as api, opened(tmp_path, api.url) as bench:
        assert whole(await bench.rows())
    assert len(api.batches) == 1
    assert set(api.answered.values()) == {1}


async def test_lines_that_failed_are_sent_again_and_the_others_are_not(tmp_path: Path) -> None:
    def fault(label: str, times: int) -> int:
        return {0: 500, 1: 429}.get(times, 200) if int(label[0], 16) % 2 else 200

    async with ImitationBatchApi(line_fault=fault) as api, opened(tmp_path, api.url) as bench:
        assert whole(await bench.rows(16), 16)
        assert bench.ledger.total().microusd == 16 * COST
    assert set(api.answered.values()) == {1}
    assert 2 < len(api.batches) <= 6


async def test_a_row_that_no_batch_answers_is_given_up_and_the_others_are_whole(tmp_path: Path) -> None:
    bad = f"{ask('question 3').key[:40]}-0-2"
    async with ImitationBatchApi(line_fault=lambda label, times: 500 if label == bad else 200) as api:
        async with opened(tmp_path, api.url) as bench:
            rows = await bench.rows()
    assert [{draw.status for draw in row} for row in rows] == [{"failed"} if at == 3 else {"ok"} for at in range(ROWS)]
    assert api.times[bad] == BATCH_POLICY.attempts


async def test_a_parameter_that_lines_are_refused_for_is_asked_otherwise(tmp_path: Path) -> None:
    def no_n(label: str, times: int) -> int:
        return 200 if label.endswith("-1") else 400

    async with ImitationBatchApi(line_fault=no_n) as api, opened(tmp_path, api.url) as bench:
        assert whole(await bench.rows())
        assert bench.ledger.total().microusd == 2 * ROWS * PRICE.cost(11, 7)
    assert len(api.answered) == 2 * ROWS


async def test_an_expired_batch_keeps_what_it_answered_and_asks_the_rest_again(tmp_path: Path) -> None:
    async with ImitationBatchApi(answers=2, ends_as="expired") as api, opened(tmp_path, api.url) as bench:

        async def at(where: str) -> None:
            if len(api.batches) > 1:
                api.answers, api.ends_as = None, "completed"

        api.at = at
        assert whole(await bench.rows())
        assert bench.ledger.total().microusd == ROWS * COST  # what expired is not charged
    assert len(api.batches) == 2
    assert set(api.answered.values()) == {1}


async def test_a_batch_cancelled_at_the_provider_ends_the_run_resumable_with_its_answers_kept(tmp_path: Path) -> None:
    async with ImitationBatchApi(answers=2, ends_as="cancelled") as api:
        async with opened(tmp_path, api.url) as bench:
            with pytest.raises(SdrlError) as ended:
                await bench.rows()
            kept = bench.cache.query("SELECT count(*) FROM draws")[0][0]
        api.answers, api.ends_as = None, "completed"
        async with opened(tmp_path, api.url) as bench:
            assert whole(await bench.rows())
            assert bench.ledger.total().microusd == ROWS * COST
    assert (ended.value.code, ended.value.exit) == ("E837", Exit.STOPPED)
    assert kept == 4
    assert set(api.answered.values()) == {1}


async def test_files_are_cut_at_the_limit_and_get_smaller_where_the_queue_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdrl.models.batches.MOST_BYTES", 6000)  # some lines of about 500 bytes
    async with ImitationBatchApi(enqueued_limit=5) as api, opened(tmp_path, api.url) as bench:
        assert whole(await bench.rows(30), 30)
        assert bench.ledger.total().microusd == 30 * COST
    sizes = [len(api.files[batch["input_file_id"]]) for batch in api.batches.values()]
    assert max(sizes) <= 6000
    assert set(api.answered.values()) == {1}


async def test_a_batch_that_the_provider_refuses_is_one_clear_error(tmp_path: Path) -> None:
    async with ImitationBatchApi(most_lines=2) as api, opened(tmp_path, api.url) as bench:
        with pytest.raises(SdrlError, match="the batch input file is too large") as ended:
            await bench.rows()
    assert ended.value.code == "E836"
    assert api.answered == {}


async def test_a_cap_holds_over_batches(tmp_path: Path) -> None:
    most = PRICE.most(len(ask("question 0").body) + 3 * 256, 128)
    caps = Caps(microusd=most + 5 * COST)
    async with ImitationBatchApi() as api, opened(tmp_path, api.url, caps) as bench:
        with pytest.raises(SdrlError) as ended:
            await bench.rows(40)
        spent = bench.ledger.total().microusd
    assert ended.value.code == "E701"
    assert spent <= (caps.microusd or 0)
    assert spent == sum(api.answered.values()) * COST


async def test_an_endpoint_without_batches_ends_the_run_at_once(tmp_path: Path) -> None:
    async with ImitationBatchApi() as api:
        async with opened(tmp_path, api.url.replace("/v1", "/v2")) as bench:
            with pytest.raises(SdrlError, match="E815"):
                await bench.rows()


async def test_a_provider_that_cannot_be_reached_ends_the_run_resumable(tmp_path: Path) -> None:
    async with opened(tmp_path, "http://127.0.0.1:9/v1", never_answered=0.2) as bench:
        with pytest.raises(SdrlError, match="cannot be reached") as ended:
            await bench.rows()
        assert bench.ledger.total().microusd == 0
    assert (ended.value.code, ended.value.exit) == ("E816", Exit.STOPPED)
