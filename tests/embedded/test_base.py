from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest

from sdrl.embedded.base import BaseModel
from sdrl.embedded.protocol import ModelFolderError, Sampling
from sdrl.embedded.sampling import choose, uniforms
from sdrl.embedded.texts import Texts

PROMPT = "Tom has 3 apples and finds 4 others.\n"


def sampling(n: int = 1, temperature: float = 1.0, **more: object) -> Sampling:
    given = {"top_p": 1.0, "top_k": 0, "max_tokens": 40, "stop": (), "seed": 0, **more}
    return Sampling(n=n, temperature=temperature, **given)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def fused(tiny_model: Path) -> BaseModel:
    return BaseModel(tiny_model)


@pytest.fixture(scope="module")
def generic(tiny_model: Path) -> BaseModel:
    return BaseModel(tiny_model, generic=True)


@pytest.mark.parametrize("settings", [{}, {"top_k": 5}, {"top_p": 0.8}, {"stop": ("e",)}, {"max_tokens": 90}])
def test_the_fast_passes_draw_what_the_library_draws(
    fused: BaseModel, generic: BaseModel, settings: dict[str, object]
) -> None:
    for temperature in (0.0, 0.7, 1.0):
        asked = sampling(24, temperature, seed=3, **settings)
        assert fused.complete(PROMPT, asked) == generic.complete(PROMPT, asked)


def test_no_rows_decode_to_no_texts(tiny_model: Path) -> None:
    """A batch whose rows all end at the step at which stop strings are looked for has none left to look at."""
    texts = Texts(tiny_model)
    assert texts.decode([], []) == []
    assert texts.stopped([], texts.encode(PROMPT, special_tokens=True), ("e",)) == []


def test_a_configuration_of_an_older_library_is_read_alike(tiny_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "older"))
    settings = json.loads((folder / "config.json").read_text())
    for name in ("rope_parameters", "layer_types", "head_dim"):
        settings.pop(name, None)
    settings |= {"rope_theta": 500.0, "rope_scaling": None, "use_sliding_window": False, "sliding_window": 64}
    (folder / "config.json").write_text(json.dumps(settings))
    fast, library = BaseModel(folder), BaseModel(folder, generic=True)
    assert fast._single is not None
    for temperature in (0.0, 1.0):
        assert fast.complete(PROMPT, sampling(6, temperature)) == library.complete(PROMPT, sampling(6, temperature))


def test_the_fast_passes_give_the_librarys_logits(tiny_model: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from sdrl.embedded.decode import Qwen2Stepper, TransformersStepper
    from sdrl.embedded.single import SingleRow

    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32).eval()
    ids = torch.randint(4, 90, (1, 70), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        settings, weights = model.config.to_dict(), model.state_dict()
        reference, fast = TransformersStepper(model), Qwen2Stepper(settings, weights)
        single = SingleRow(Qwen2Stepper(settings, weights))
        expected, got = reference.prefill(ids, 3, 100), fast.prefill(ids, 3, 100)
        alone = single.start(ids, 100)
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)
        for step in range(80):
            tokens = torch.tensor([7, (5 + step) % 90, (11 * step) % 90])
            if step == 50:
                kept = torch.tensor([0, 2])
                reference.keep(kept)
                fast.keep(kept)
            tokens = tokens[[0, 2]] if step >= 50 else tokens
            expected, got, alone = reference.step(tokens), fast.step(tokens), single.step(7)
            torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)
            torch.testing.assert_close(torch.from_numpy(alone), expected[0], rtol=1e-4, atol=1e-4)


def test_every_end_token_of_the_folder_ends_a_row(fused: BaseModel) -> None:
    rows = fused.complete(PROMPT, sampling(64, 1.5, max_tokens=150)).rows
    ended = [row for row in rows if row.finish_reason == "stop"]
    assert len(ended) > 10
    assert all("<eos>" not in row.text and "<end>" not in row.text for row in rows)
    # Characters are tokens here (a padding token has no text), so an ended row counts its end token on top.
    assert all(row.tokens >= len(row.text) + 1 for row in ended)
    assert sum(row.tokens == len(row.text) + 1 for row in ended) > len(ended) / 2


def test_large_requests_are_split_without_a_trace(fused: BaseModel, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fused.complete(PROMPT, sampling(20, seed=5))
    monkeypatch.setattr("sdrl.embedded.base.ROWS_AT_ONCE", 7)
    assert fused.complete(PROMPT, sampling(20, seed=5)) == whole


def test_a_chat_template_is_applied_when_the_folder_has_one(tiny_model: Path, tmp_path: Path, fused: BaseModel) -> None:
    from sdrl.embedded.protocol import Chat, Message

    folder = Path(shutil.copytree(tiny_model, tmp_path / "chat"))
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["chat_template"] = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    request = Chat("m", (Message("user", "hi"), Message("assistant", "yes")), sampling(4), None, None)
    assert BaseModel(folder).chat(request) == fused.complete("user: hi\nassistant: yes\n", sampling(4))


def test_a_folder_without_weights_or_tokenizer_is_refused_by_name(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match=r"no readable tokenizer"):
        BaseModel(tmp_path)
    folder = Path(shutil.copytree(tiny_model, tmp_path / "half"))
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelFolderError, match=r"no causal model in safetensors"):
        BaseModel(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelFolderError, match=r"no causal model in safetensors"):
        BaseModel(folder)


def test_uniforms_belong_to_prompt_seed_and_step_alone() -> None:
    many = uniforms("p", 10, 50, 40)
    assert (many[7] == uniforms("p", 17, 1, 40)[0]).all()
    assert (many[:, :9] == uniforms("p", 10, 50, 9)).all()
    assert (many != uniforms("q", 10, 50, 40)).all()
    assert uniforms("p", -3, 1, 2).shape == (1, 2)
    assert uniforms("p", 2**80, 1, 2).shape == (1, 2)


def test_uniforms_are_uniform() -> None:
    found = uniforms("p", 0, 2000, 50).ravel()
    assert 0 <= found.min() and found.max() < 1
    assert abs(found.mean() - 0.5) < 4 * math.sqrt(1 / 12 / found.size)
    counts = [((found >= low / 20) & (found < (low + 1) / 20)).sum() for low in range(20)]
    assert max(abs(count - found.size / 20) for count in counts) < 5 * math.sqrt(found.size / 20)


def test_choices_follow_the_probabilities_and_their_limits() -> None:
    import torch

    probabilities = torch.tensor([0.1, 0.4, 0.0, 0.3, 0.2])
    uniform = torch.from_numpy(uniforms("p", 0, 20_000, 1)[:, 0].copy())
    logits = probabilities.log().expand(20_000, -1)

    def shares(temperature: float, top_k: int, top_p: float) -> list[float]:
        chosen = choose(logits, uniform, temperature, top_k, top_p)
        found: list[float] = torch.bincount(chosen, minlength=5).div(20_000).tolist()
        return found

    assert shares(1, 0, 1) == pytest.approx([0.1, 0.4, 0, 0.3, 0.2], abs=0.015)
    assert shares(1, 2, 1) == pytest.approx([0, 4 / 7, 0, 3 / 7, 0], abs=0.015)
    assert shares(1, 0, 0.6) == pytest.approx([0, 4 / 7, 0, 3 / 7, 0], abs=0.015)
    assert shares(1, 0, 0.01) == [0, 1, 0, 0, 0]
    assert shares(0.5, 0, 1) == pytest.approx([1 / 30, 16 / 30, 0, 9 / 30, 4 / 30], abs=0.015)
    assert shares(0, 0, 1) == [0, 1, 0, 0, 0]
