"""From a plan to a model: which endpoint, which key, and when a server is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.compile import compile_spec
from sdrl.compiler.plan import Plan
from sdrl.models.cache import Cache
from sdrl.models.ledger import Ledger
from sdrl.models.open import open_model
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.spec.locate import specs_dir
from tests.models.fake_endpoint import FakeEndpoint
from tests.models.parts import ask

PROBLEM = "Hana brings 7 barrels to the library. A storm destroys 2 of them. How many barrels is that now?"


@pytest.fixture(scope="module")
def demo() -> Plan:
    return compile_spec(specs_dir() / "word-problems.yaml").require()


def with_instructor(plan: Plan, **changes: Any) -> Plan:
    models = plan.settings.models
    assert models is not None
    instructor = models.instructor.model_copy(update=changes)
    settings = plan.settings.model_copy(update={"models": models.model_copy(update={"instructor": instructor})})
    return replace(plan, settings=settings)


class Run:
    """A run folder with its ledger and the events that were emitted."""

    def __init__(self, folder: Path) -> None:
        self.logs = folder / "logs"
        self.store = folder / "store"
        self.cache = Cache(self.store)
        self.ledger = Ledger(self.cache, "run")
        self.events: list[tuple[str, dict[str, Any]]] = []

    def emit(self, type_: str, fields: Mapping[str, Any]) -> None:
        self.events.append((type_, dict(fields)))

    def named(self) -> list[str]:
        return [type_ for type_, _ in self.events if type_ != "requests"]


async def test_the_embedded_instructor_starts_at_the_first_miss_and_not_for_a_replay(
    tmp_path: Path, demo: Plan
) -> None:
    run = Run(tmp_path)
    request = ask(messages=[{"role": "user", "content": f"<problem>\n{PROBLEM}\n</problem>"}])
    for expected in (["server_started", "server_stopped"], []):
        run.events.clear()
        async with open_model("instructor", demo, run.store, run.logs, run.ledger, run.emit) as model:
            draws = await model.draw(request, range(3))
        assert run.named() == expected
        assert [draw.status for draw in draws] == ["ok"] * 3
    run.cache.close()


async def test_a_missing_key_names_its_variable_and_is_asked_for_only_on_a_miss(
    tmp_path: Path, demo: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    plan = with_instructor(demo, endpoint="https://api.example.com/v1", key_env="MY_KEY")
    run = Run(tmp_path)
    async with open_model("instructor", plan, run.store, run.logs, run.ledger, run.emit) as model:
        with pytest.raises(SdrlError, match="MY_KEY") as failure:
            await model.draw(ask(), [0])
    assert failure.value.code == "E819"
    run.cache.close()


async def test_the_key_comes_from_the_variable_that_the_spec_names(
    tmp_path: Path, demo: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "key-of-mine-123")
    monkeypatch.setenv("OPENAI_API_KEY", "another-key-456")
    run = Run(tmp_path)
    async with FakeEndpoint() as fake:
        plan = with_instructor(demo, endpoint=fake.url, key_env="MY_KEY", model="gpt-x")
        async with open_model("instructor", plan, run.store, run.logs, run.ledger, run.emit) as model:
            await model.draw(ask(), [0])
    assert fake.calls[0].headers["Authorization"] == "Bearer key-of-mine-123"
    assert fake.calls[0].body["model"] == "gpt-x"
    assert "seed" not in fake.calls[0].body
    run.cache.close()


async def test_batches_of_a_server_of_our_own_are_refused(tmp_path: Path, demo: Plan) -> None:
    run = Run(tmp_path)
    plan = with_instructor(demo, endpoint="embedded", batch=True)
    async with open_model("instructor", plan, run.store, run.logs, run.ledger, run.emit) as model:
        with pytest.raises(SdrlError, match="no batch API"):
            await model.draw(ask(), [0])
    run.cache.close()


@pytest.mark.parametrize("role", ["instructor", "base"])
async def test_a_model_that_changed_since_the_plan_was_compiled_is_not_started(
    tmp_path: Path, demo: Plan, role: str
) -> None:
    plan = replace(demo, identities={name: f"sha256:{'0' * 64}" for name in demo.identities})
    run = Run(tmp_path)
    async with open_model(role, plan, run.store, run.logs, run.ledger, run.emit) as model:
        with pytest.raises(SdrlError, match="not what this plan was compiled with") as refused:
            await model.draw(ask("1 + 1?"), [0])
    assert refused.value.exit == Exit.STALE
    assert run.named() == []
    run.cache.close()
