"""What all tests of the models' package stand on."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def patient_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """The only faults are those of the fakes: no connection takes too long because the machine stood still."""
    monkeypatch.setattr("sdrl.models.transport._CONNECT_SECONDS", 600.0)
