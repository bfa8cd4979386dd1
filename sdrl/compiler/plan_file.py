"""The plan folder: plan.json, verifier.json, prompts/, data/ and a README for people.

Writes and reads that folder. Reading trusts nothing: every file is hashed, every stage is derived again from the
frozen values, and a value that was changed by hand is named by its path (E602, exit 3). ``location.json`` (only where
the plan does not lie beside its spec) says where the spec's relative paths start; it is no part of the plan.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sdrl.compiler.canonical import digest_bytes, digest_text, flatten, json_line, pretty_json
from sdrl.compiler.changes import changed_files, changed_values, line_digests, same_layout
from sdrl.compiler.graph import build_stages
from sdrl.compiler.plan import SCHEMA, Plan, plan_hash
from sdrl.compiler.plan_json import DEMOS_FILE, decode_plan, encode_plan
from sdrl.compiler.plan_names import strange_names
from sdrl.compiler.seals import seal_sections
from sdrl.compiler.values import VALUES_FILE, values_file
from sdrl.spec.diagnostics import Exit, SdrlError

PLAN_FILE = "plan.json"
VERIFIER_FILE = "verifier.json"
LOCATION_FILE = "location.json"
README_FILE = "README.md"
OWN_NAMES = (PLAN_FILE, VERIFIER_FILE, LOCATION_FILE, README_FILE, "prompts", "data", "launch")
MAX_SHOWN = 5  # changed values named in one message
# what reading a document of another form can raise (pydantic's errors are ValueErrors)
MALFORMED = (AttributeError, LookupError, RecursionError, TypeError, ValueError)


def plan_files(plan: Plan, data: Mapping[str, bytes], readme: str) -> dict[str, bytes]:
    """The bytes of every file of the plan folder by relative path; ``data``: what is made elsewhere."""
    files: dict[str, bytes] = {f"prompts/{name}.jinja": text.encode() for name, text in plan.templates.items()}
    files[VERIFIER_FILE] = pretty_json(plan.verifier)
    demos = b"".join(json_line({"part": part.name, **demo.to_dict()}) for part in plan.parts for demo in part.demos)
    if demos:
        files[DEMOS_FILE] = demos
    files.update(data)
    files[README_FILE] = readme.encode()
    document = encode_plan(plan)
    files[VALUES_FILE] = values_file(document)
    document["files"] = {name: digest_bytes(content) for name, content in sorted(files.items())}
    document["lines"] = line_digests(files)
    document["seals"] = seal_sections(document)
    files[PLAN_FILE] = pretty_json(document)
    return files


def write_files(files: Mapping[str, bytes], folder: Path, base_dir: Path | None) -> None:
    """Write a plan folder; files of an older plan in it that the new one lacks are removed.

    Raises:
        SdrlError: E608, the folder holds other things than a plan.
    """
    _refuse_foreign(folder)
    known = set(files)
    if base_dir is not None:
        where = os.path.relpath(base_dir.resolve(), folder.resolve())
        if where != os.pardir:
            files = {**files, LOCATION_FILE: pretty_json({"spec_folder": where, "sha256": digest_text(where)})}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and path.relative_to(folder).as_posix() not in known:
            path.unlink()
    # plan.json last: until it is there, a reader finds files that its hashes do not vouch for, and says so
    for name in sorted(files, key=lambda name: (name == PLAN_FILE, name)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        beside.write_bytes(files[name])
        os.replace(beside, path)


def _refuse_foreign(folder: Path) -> None:
    """Refuse a folder that is neither empty nor a plan: writing a plan removes what it does not know in its folders."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise SdrlError("E608", f"{folder} is a file, not a folder", help="name another folder with -o")
    found = sorted(entry.name for entry in folder.iterdir() if not entry.name.endswith(".tmp"))
    foreign = [name for name in found if name not in OWN_NAMES]
    if foreign or (found and PLAN_FILE not in found):
        raise SdrlError(
            "E608",
            f"{folder} holds other things than a plan ({', '.join((foreign or found)[:3])})",
            help="name an empty or a new folder with -o",
        )


def copy_plan(plan: Plan, folder: Path) -> None:
    """Write a plan that was read from a folder into another one, so that its relative paths still hold."""
    if plan.folder is None:
        raise ValueError("only a plan that was read from a folder can be copied")
    names = [name for name in _listed_files(plan.folder) if (plan.folder / name).is_file()]
    write_files({name: (plan.folder / name).read_bytes() for name in names}, folder, plan.base_dir)


def _listed_files(folder: Path) -> list[str]:
    document = json.loads((folder / PLAN_FILE).read_bytes())
    return [PLAN_FILE, *document["files"]]


def read_plan(folder: Path | str) -> Plan:
    """Read a plan and check every byte of it.

    Raises:
        SdrlError: E601 no plan there, E604 made by another version, E602 changed after it was compiled; exit 3.
    """
    folder = Path(folder)
    raw, document = _read_document(folder)
    if document.get("schema") != SCHEMA:
        raise SdrlError(
            "E604",
            f"{folder / PLAN_FILE} has plan version {document.get('schema')!r}; this sdrl reads version {SCHEMA}",
            help="compile the spec again with this version",
            exit=Exit.STALE,
        )
    try:
        contents, missing = _read_listed(folder, document)
        changed = [*changed_values(document, contents), *missing]
        changed += changed_files(document, contents)
    except RecursionError:
        changed = [f"{PLAN_FILE} (nested too deeply)"]
    if not changed and not same_layout(document, raw):
        changed = [f"the layout of {PLAN_FILE} (it must be exactly as compiled)"]
    if changed:
        raise _changed(folder, changed)
    plan = _decode(folder, document, contents)
    _refuse_strange(folder, plan, document)
    _check_stages(folder, plan)
    return replace(plan, folder=folder, base_dir=_base_dir(folder))


def _read_document(folder: Path) -> tuple[bytes, dict[str, Any]]:
    path = folder / PLAN_FILE
    try:
        raw = path.read_bytes()
    except OSError as error:
        is_missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        why = f"it has no {PLAN_FILE}" if is_missing else f"its {PLAN_FILE} cannot be read ({error.strerror})"
        raise SdrlError(
            "E601", f"{folder} is no plan: {why}", help="make one: sdrl compile SPEC", exit=Exit.STALE
        ) from None
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise SdrlError(
            "E602", f"{path} is no valid JSON: {error}", help="compile the spec again", exit=Exit.STALE
        ) from None
    if not isinstance(document, dict):
        raise SdrlError("E602", f"{path} is no JSON object", help="compile the spec again", exit=Exit.STALE)
    return raw, document


def _read_listed(folder: Path, document: Mapping[str, Any]) -> tuple[dict[str, bytes], list[str]]:
    """Every file that the plan lists and that is there, and the names of those that are not."""
    listed = document.get("files")
    contents: dict[str, bytes] = {}
    missing: list[str] = []
    for name in listed if isinstance(listed, dict) else ():
        parts = Path(name).parts
        if not parts or ".." in parts or Path(name).is_absolute():
            continue  # no name of ours, so the seals tell
        try:
            if not stat.S_ISREG((folder / name).lstat().st_mode):
                missing.append(f"{name} (not a regular file)")  # a link or a device could be anything
                continue
            contents[name] = (folder / name).read_bytes()
        except (OSError, ValueError):  # ValueError: a NUL in the name
            missing.append(f"{name} (missing)")
    return contents, missing


def _decode(folder: Path, document: Mapping[str, Any], contents: Mapping[str, bytes]) -> Plan:
    try:
        return decode_plan(document, contents)
    except MALFORMED as error:
        # every seal holds, so another version of sdrl wrote this
        raise SdrlError(
            "E604",
            f"{folder / PLAN_FILE} does not have the form this version of sdrl writes: {type(error).__name__}",
            help="compile the spec again with this version",
            exit=Exit.STALE,
        ) from None


def _refuse_strange(folder: Path, plan: Plan, document: Mapping[str, Any]) -> None:
    """Refuse names that would become paths outside the plan and run folders (seals are no signature)."""
    found = list(strange_names(plan, document))
    if found:
        raise SdrlError(
            "E609",
            f"the plan in {folder} was not written by sdrl: {', '.join(found[:3])}",
            help="do not run it; compile its spec yourself",
            exit=Exit.STALE,
        )


def _check_stages(folder: Path, plan: Plan) -> None:
    """Derive every stage again: a plan whose seals were forged, or whose stages an older sdrl derived, shows here."""
    try:
        derived = build_stages(replace(plan, stages=()))
    except MALFORMED:
        derived = ()
    changed = [] if len(plan.stages) == len(derived) else ["stages"]
    for stored, fresh in zip(plan.stages, derived, strict=False):
        if stored.identity != fresh.identity:
            old, new = flatten(stored.identity), flatten(fresh.identity)
            differing = [path for path in {**old, **new} if old.get(path) != new.get(path)]
            changed += [f"stages.{stored.name}.identity.{path}" for path in differing]
        elif stored.hash != fresh.hash or stored.parents != fresh.parents:
            changed.append(f"stages.{stored.name}.hash")
    if not changed and plan.hash != plan_hash(plan.stages):
        changed.append("hash")
    if changed:
        raise SdrlError(
            "E604",
            f"the plan in {folder} was compiled by a version of sdrl that hashes otherwise ({', '.join(changed[:3])})",
            help="compile the spec again; 'sdrl diff OLD NEW' says what would re-run",
            exit=Exit.STALE,
        )


def _changed(folder: Path, paths: list[str]) -> SdrlError:
    more = f" and {len(paths) - MAX_SHOWN} more" if len(paths) > MAX_SHOWN else ""
    return SdrlError(
        "E602",
        f"the plan in {folder} was changed after it was compiled: {', '.join(paths[:MAX_SHOWN])}{more}",
        help="change the spec instead and compile it again",
        exit=Exit.STALE,
    )


def _base_dir(folder: Path) -> Path:
    """Where the spec's relative paths start: beside the plan, unless location.json says otherwise."""
    path = folder / LOCATION_FILE
    if not path.is_file():
        return folder.resolve().parent
    try:
        content = path.read_bytes()
        location = json.loads(content)
        where = str(location["spec_folder"])
        if pretty_json({"spec_folder": where, "sha256": digest_text(where)}) == content:
            return (folder.resolve() / where).resolve()
    except (OSError, *MALFORMED):
        pass
    raise _changed(folder, [LOCATION_FILE])
