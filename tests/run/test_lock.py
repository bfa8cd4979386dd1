"""The lock of a run folder where the file system has no locks of its own."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from pathlib import Path

import pytest

from sdrl.models.servers import start_time
from sdrl.run.lock import hold, holder_pid
from sdrl.spec.diagnostics import Exit, SdrlError


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def none(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    return tmp_path / "lock"


def owned_by(path: Path, host: str, pid: int, started: str | None) -> Path:
    owner = path.with_name("lock.owner")
    owner.write_text(json.dumps([host, pid, started]))
    return owner


def test_the_second_writer_is_refused_and_the_third_comes_in_after_the_first(path: Path) -> None:
    with hold(path):
        assert holder_pid(path) == os.getpid()
        with pytest.raises(SdrlError, match=f"pid {os.getpid()}") as refused, hold(path):
            pass
        assert refused.value.exit == Exit.STOPPED
    assert holder_pid(path) is None
    with hold(path):
        assert holder_pid(path) == os.getpid()


@pytest.mark.parametrize("started", ["1", None])
def test_the_file_of_a_process_that_is_gone_is_taken_over(path: Path, started: str | None) -> None:
    owned_by(path, socket.gethostname(), os.getpid(), started)  # this id was another process's then
    with hold(path):
        assert holder_pid(path) == os.getpid()


def test_a_writer_on_another_machine_is_named_and_left_alone(path: Path) -> None:
    owner = owned_by(path, "far-away", os.getpid(), start_time(os.getpid()))
    with pytest.raises(SdrlError, match="on far-away") as refused, hold(path):
        pass
    assert "lock.owner" in (refused.value.help or "")
    assert owner.exists()
