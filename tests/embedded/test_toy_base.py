from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import sdrl.embedded
from sdrl.embedded.documents import INSTRUCTION, documents
from sdrl.embedded.problems import FAMILIES, HELD_OUT, INSTRUCTOR, OOD, TEMPLATES, made_up_noun, write_problem
from sdrl.embedded.problems.sets import FILES, held_back_texts, problem_set, rows

FOLDER = Path(sdrl.embedded.__file__).parent / "toy_base"
SETS = Path(__file__).parents[2] / "specs" / "data"


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(FOLDER)


@pytest.fixture(scope="module")
def model() -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval()


def texts() -> list[str]:
    rng = random.Random(3)
    problems = [
        write_problem(rng, family=FAMILIES[i % 3], n_steps=1 + i % 6, nouns=[made_up_noun(rng)]) for i in range(200)
    ]
    written = [f"{p.text}\n{INSTRUCTION}\n{p.solution()}" for p in problems]
    return [*written, "", " two  spaces\n\n tabs\t.", "naïve café — 数学 🙂", "It's 3.5 % (or £4)\r\n#### -12"]


def answers(model: Any, tokenizer: Any, prompts: list[str], **sampling: Any) -> list[str]:
    import torch

    encoded = tokenizer(prompts, return_tensors="pt", padding=True)
    with torch.no_grad():
        rows_ = model.generate(**encoded, max_new_tokens=64, **(sampling or {"do_sample": False}))
    found: list[str] = tokenizer.batch_decode(rows_[:, encoded.input_ids.shape[1] :], skip_special_tokens=True)
    return found


def test_the_tokenizer_round_trips_exactly_however_it_is_loaded(tokenizer: Any) -> None:
    from transformers import PreTrainedTokenizerFast

    other = PreTrainedTokenizerFast.from_pretrained(FOLDER)
    assert type(tokenizer).__name__ == "Qwen2Tokenizer"
    for text in texts():
        ids = tokenizer(text).input_ids
        assert ids == other(text).input_ids
        assert tokenizer.decode(ids) == text.replace("\u00a0", "\u00a0")
        assert other.decode(ids) == text


def test_a_saved_tokenizer_loads_as_the_same_one(tokenizer: Any, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_bytes((FOLDER / "config.json").read_bytes())
    again = AutoTokenizer.from_pretrained(tmp_path)
    assert [again(t).input_ids for t in texts()] == [tokenizer(t).input_ids for t in texts()]


def test_the_folder_is_a_small_qwen2_model_in_half_precision(model: Any, tokenizer: Any) -> None:
    config = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["Qwen2ForCausalLM"]
    assert config["dtype"] == "float16"
    assert (FOLDER / "model.safetensors").stat().st_size <= 4_000_000
    assert 800_000 <= sum(p.numel() for p in model.parameters()) <= 2_000_000
    assert len(tokenizer) == config["vocab_size"]
    end = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    assert tokenizer.eos_token_id == tokenizer.pad_token_id == config["eos_token_id"] == end
    generation = json.loads((FOLDER / "generation_config.json").read_text(encoding="utf-8"))
    assert generation["eos_token_id"] == end and not generation.get("do_sample", False)


def test_left_padding_does_not_change_greedy_answers(model: Any, tokenizer: Any) -> None:
    assert tokenizer.padding_side == "left"
    prompts = [f"{p.text}\n{INSTRUCTION}\n" for p in problem_set(HELD_OUT)[:6]]
    alone = [answers(model, tokenizer, [prompt])[0] for prompt in prompts]
    assert answers(model, tokenizer, prompts) == alone


def test_the_base_can_reason_and_mostly_does_not(model: Any, tokenizer: Any) -> None:
    problems = problem_set(HELD_OUT)[:180]
    found = answers(model, tokenizer, [f"{p.text}\n{INSTRUCTION}\n" for p in problems])
    slots = [re.findall(r"####\s*(-?\d+)", text) for text in found]
    right = [bool(slot) and int(slot[-1]) == p.answer for slot, p in zip(slots, problems, strict=True)]
    worked = ["=" in text for text in found]
    assert 0.60 <= sum(map(bool, slots)) / len(slots) <= 0.95
    assert 0.20 <= sum(right) / len(right) <= 0.55
    assert sum(worked) / len(worked) < 0.6
    by_working = [ok for ok, by_steps, slot in zip(right, worked, slots, strict=True) if by_steps and slot]
    assert sum(by_working) / len(by_working) > 0.75


def test_the_files_of_the_test_sets_are_what_the_command_writes() -> None:
    for family, (name, count) in FILES.items():
        written = [json.loads(line) for line in (SETS / name).read_text(encoding="utf-8").splitlines()]
        assert written == rows(family)
        assert len(written) == count == len({row["question"] for row in written})


def test_test_sets_share_no_template_with_the_instructor() -> None:
    written_by_instructor = {t.text for t in TEMPLATES if t.family == INSTRUCTOR}
    for family in (HELD_OUT, OOD):
        used = {name for problem in problem_set(family) for name in problem.template_ids}
        assert {t.family for t in TEMPLATES if t.id in used} == {family}
        assert not written_by_instructor & {t.text for t in TEMPLATES if t.id in used}


def test_pre_training_never_meets_a_test_text_or_an_unseen_sentence() -> None:
    forbidden = held_back_texts()
    for phase in (1, 2):
        for document in islice(documents(7, phase, forbidden), 4000):
            if document.problem is not None:
                assert document.problem.text not in forbidden
                assert document.problem.family != OOD


def test_a_forbidden_text_is_left_out_of_the_stream_and_nothing_else_changes() -> None:
    plain = [d for d in islice(documents(5, 1), 60) if d.problem is not None]
    unwanted = plain[7].problem
    assert unwanted is not None
    rest = islice(documents(5, 1, {unwanted.text}), 59)
    assert [d.prompt for d in rest if d.problem is not None] == [d.prompt for d in plain if d is not plain[7]]


def test_the_command_that_makes_the_weights_writes_a_model_of_the_same_form(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    options = ["--out", str(tmp_path), "--share", "0.002", "--threads", "1"]
    words = [sys.executable, "-m", "sdrl.embedded.pretrain", *options]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert made.num_parameters() == AutoModelForCausalLM.from_pretrained(FOLDER).num_parameters()
    size = [len(json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]) for folder in (tmp_path, FOLDER)]
    assert size[0] == size[1]
    assert json.loads((tmp_path / "pretrain.json").read_text())["share"] == 0.002
