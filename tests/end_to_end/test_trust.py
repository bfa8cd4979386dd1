"""Secrets and trust, in a real run with a real child: where the key goes, what listens, what is read and written.

Every Python process of the run carries an audit hook that notes each file it opens, each socket it binds and each
program it starts; meanwhile /proc is looked at for the key.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import sdrl
from sdrl.models.key_owners import OWNERS
from sdrl.spec.locate import specs_dir
from sdrl.training.job import TrainingJob
from sdrl.training.launch import environment
from tests.end_to_end.fake_openai import fake_openai

KEY = "a-key-that-must-not-be-found-4711"
MARK = "SDRL_TEST_TRUST"
ROOT = Path(sdrl.__file__).parents[1]
SPEC = """\
sdrl: 1
name: trust
task:
  description: Question answering about everyday arithmetic. It takes careful adding.
  output_format: "Work it out and write the number after ####."
  license: CC0-1.0
answer: {{type: number, extract: {{marker: "####"}}}}
corpus: [{{files: [passages.jsonl], license: CC0-1.0}}]
retrieve: {{keywords: [barrel]}}
synthesize: {{samples: 6, attempts: 8}}
vote: {{draws: 4, stop_early: false}}
adapt: {{harder: false, easier: false}}
probe: {{min_parsable: 0}}
score: {{draws: 4, adaptive: false, sampling: {{temperature: 0.7, max_tokens: 16}}}}
filter: []
models:
  instructor: {{model: some-model, endpoint: "{url}", key_env: TRUST_KEY, concurrency: 2}}
  base: {{model: toy-base, serve: embedded}}
"""
HOOK = """
import os, sys

def path_of(given, folder=None):
    path = os.fsdecode(os.fspath(given))
    if isinstance(folder, int) and folder >= 0:  # relative to an open folder
        path = os.path.join(os.readlink("/proc/self/fd/%d" % folder), path)
    return os.path.abspath(path)

def note(event, args):
    if event == "open" and isinstance(args[0], (str, bytes)):
        writes = (args[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) or (args[1] or "r").strip("rbtU") != ""
        said = ("write" if writes else "read", path_of(args[0]))
    elif event in ("os.remove", "os.rmdir", "os.mkdir", "os.chmod") and isinstance(args[0], (str, os.PathLike)):
        said = ("write", path_of(args[0], args[-1]))
    elif event in ("os.rename", "os.link", "os.symlink"):
        said = ("write", path_of(args[1], args[-1]))
    elif event == "sqlite3.connect":
        said = ("write", path_of(str(args[0]).removeprefix("file:").partition("?")[0]))
    elif event == "socket.bind":
        said = ("bind", str(args[1]))
    else:
        return
    os.write(log, ("%s\\t%s\\n" % said).encode("utf-8", "replace"))

if os.environ.get("SDRL_TEST_AUDIT"):
    log = os.open(os.environ["SDRL_TEST_AUDIT"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    sys.addaudithook(note)
"""


@dataclass
class Watched:
    """What a run did and what could be seen of it meanwhile."""

    folder: Path
    temporary: Path
    output: str = ""
    code: int = -1
    audit: list[tuple[str, str]] = field(default_factory=list)
    seen_in: set[str] = field(default_factory=set)
    children: set[str] = field(default_factory=set)


def echoing(path: str, body: dict[str, Any]) -> tuple[int, Any]:
    """An instructor behind a careless proxy: it writes examples, and repeats the key that it was sent."""
    if "response_format" in body:
        text = body["messages"][-1]["content"]
        number = sum(text.encode()) % 50
        return 200, [json.dumps({"input": f"What is {number} plus 2?", "output": f"{KEY}\n#### {number + 2}"})]
    if sum(map(len, map(str, body["messages"]))) % 2:
        return 200, [f"Authorization: Bearer {KEY}\n#### 3"] * body.get("n", 1)
    return 200, ["#### 3"] * body.get("n", 1)


def look(watched: Watched, main: int, done: threading.Event) -> None:
    """Look for the key in every command line, and in the environment of every child that carries the mark.

    A child that the system has just copied and that has not begun its program yet is still its parent: only one that
    stays so counts.
    """
    own = Path(f"/proc/{main}/cmdline").read_bytes()
    copies: Counter[str] = Counter()
    while not done.wait(0.05):
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words, variables = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
            except OSError:
                continue
            if KEY.encode() in words:
                watched.seen_in.add(f"command line of {entry.name}")
            if f"{MARK}={watched.folder}".encode() in variables and int(entry.name) != main:
                watched.children.add(words.replace(b"\0", b" ").decode(errors="replace"))
                copies[entry.name] += words == own
                if KEY.encode() in variables and (words != own or copies[entry.name] > 100):
                    watched.seen_in.add(f"environment of a child: {words!r}")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("trust")
    shutil.copy(specs_dir() / "passages/everyday.jsonl", folder / "passages.jsonl")
    hook = tmp_path_factory.mktemp("hook")
    (hook / "sitecustomize.py").write_text(HOOK)
    temporary = tmp_path_factory.mktemp("temporary")
    watched = Watched(folder, temporary)
    audit = hook / "audit.tsv"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(hook), str(ROOT)]), "TRUST_KEY": KEY}
    env |= {MARK: str(folder), "SDRL_TEST_AUDIT": str(audit), "TMPDIR": str(temporary)}
    words = [sys.executable, "-m", "sdrl", "run", "trust.yaml", "--yes", "--until", "score"]
    with fake_openai(echoing) as url:
        (folder / "trust.yaml").write_text(SPEC.format(url=url))
        with subprocess.Popen(
            words, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            done = threading.Event()
            watcher = threading.Thread(target=look, args=(watched, process.pid, done))
            watcher.start()
            watched.output = process.communicate(timeout=600)[0]
            done.set()
            watcher.join()
    watched.code = process.returncode
    lines = (line.split("\t", 1) for line in audit.read_text().splitlines())
    watched.audit = [(kind, where) for kind, where in lines if where != str(audit)]
    yield watched


def test_the_run_came_to_its_end_and_was_watched(run: Watched) -> None:
    assert run.code == 0, run.output
    assert any("sdrl.embedded.server" in words for words in run.children)
    assert {kind for kind, _ in run.audit} == {"read", "write", "bind"}


def test_the_key_is_in_no_file_no_output_and_no_process(run: Watched) -> None:
    found = [path for path in run.folder.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert found == []
    assert KEY not in run.output
    assert run.seen_in == set()
    assert "***" in (run.folder / "runs/trust/artifacts/vote.jsonl").read_text()  # the echo was there, and masked


def outside(run: Watched, kind: str, places: list[Path]) -> set[str]:
    """What was opened in this way and lies in none of the places."""
    opened = {Path(where) for each, where in run.audit if each == kind}
    return {str(path) for path in opened if not any(path.is_relative_to(place) for place in places)}


def test_what_was_written_lies_in_the_run_folder_and_the_store(run: Watched) -> None:
    places = [run.folder / "runs", run.folder / ".sdrl", run.temporary, Path("/dev/null")]
    assert outside(run, "write", places) == set()
    assert outside(run, "write", places[1:]) != set()  # the hook sees what is written


def test_what_was_read_is_named_by_the_plan_or_part_of_the_installation(run: Watched) -> None:
    installation = [ROOT, *map(Path, (sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()))]
    system = [Path(path) for path in ("/proc", "/sys", "/dev", "/etc", "/usr", "/lib", "/opt")]
    named = [run.folder / name for name in ("runs", ".sdrl", "trust.yaml", "passages.jsonl")]
    # removing a folder opens those in it by bare names, which the hook takes for names in the working folder
    bare = [run.folder / name for name in ("prompts", "data")]
    assert not any(path.exists() for path in bare)
    places = [*installation, *system, *bare, run.temporary]
    assert outside(run, "read", [*places, *named]) == set()
    assert outside(run, "read", [*places, *named[:3]]) == {str(named[3])}


def test_servers_bind_to_loopback(run: Watched) -> None:
    bound = [where for kind, where in run.audit if kind == "bind"]
    assert bound
    assert all("127.0.0.1" in where or "'::1'" in where or where.startswith("'") for where in bound), bound


def test_run_folder_and_store_are_private(run: Watched) -> None:
    for folder in (run.folder / "runs/trust", run.folder / ".sdrl"):
        assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0, folder


def test_training_gets_no_key(tmp_path: Path) -> None:
    job = TrainingJob.model_construct(threads=1)
    made = environment(job, {"TRUST_KEY": KEY, "PATH": "/bin"}, frozenset({"TRUST_KEY"}))
    assert "TRUST_KEY" not in made and made["PATH"] == "/bin"


def test_a_well_known_key_is_not_sent_elsewhere(tmp_path: Path) -> None:
    """A stranger's plan that names OPENAI_API_KEY and his own address gets nothing."""
    shutil.copy(specs_dir() / "passages/everyday.jsonl", tmp_path / "passages.jsonl")
    spec = SPEC.format(url="https://collector.invalid/v1").replace("TRUST_KEY", "OPENAI_API_KEY")
    (tmp_path / "trust.yaml").write_text(spec)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OPENAI_API_KEY": KEY}
    words = [sys.executable, "-m", "sdrl", "run", "trust.yaml", "--yes"]
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 1
    assert "E849" in done.stderr and KEY not in done.stderr + done.stdout
    assert "OPENAI_API_KEY" in OWNERS


@pytest.mark.parametrize("word", ["trust_remote_code=True", "torch.load(", "pickle.load", "eval(", "exec("])
def test_no_module_of_ours_runs_what_others_wrote(word: str) -> None:
    """Source check: no remote code, no pickles, no evaluation. ``.eval()`` is torch's mode."""
    package = Path(sdrl.__file__).parent
    lines = [
        f"{path.relative_to(package)}:{number}: {line.strip()}"
        for path in package.rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.search(rf"(?<![\w.]){re.escape(word)}", line) and not line.lstrip().startswith(("#", '"', "`"))
    ]
    assert lines == []
