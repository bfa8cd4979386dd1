# SPDX-License-Identifier: Apache-2.0
"""The training of the plan in plain TRL: the exported rows, the plan's settings, the shipped verifier as the reward.

    python train.py --model BASE -o trained
    accelerate launch train.py --model BASE -o trained

Needs requirements.txt. Departs from the run that made the data, numbered: (1) no looks at the validation split, so no
early stop and no choice of a checkpoint; the last step is saved. (2) after a stop string the rest of a completion is
padding, whose first token (the end token) counts as sampled. (3) groups without variance stay in the batch.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))  # python -P and -I leave it out

import torch  # noqa: E402
import trl  # noqa: E402
import verifier  # noqa: E402
from datasets import Dataset  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer, StoppingCriteria, StoppingCriteriaList  # noqa: E402


def arguments() -> argparse.Namespace:
    """The command line; everything else stands in trl.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="base model: a folder or a hub id (default: the one of the plan)")
    parser.add_argument("--revision", help="revision of a hub id")
    parser.add_argument("-o", "--output", type=Path, default=Path("trained"), help="where the model is put")
    parser.add_argument("--max-steps", type=int, help="end after so many updates")
    parser.add_argument("--cpu", action="store_true", help="train without a GPU")
    return parser.parse_args()


def rows(name: str) -> list[dict[str, Any]]:
    """The rows of data/NAME.jsonl."""
    return [json.loads(line) for line in (HERE / "data" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def verifier_reward(
    completions: list[str], gold: list[str], options: list[str], completion_ids: list[list[int]], **_: Any
) -> list[float | None]:
    """TRL's interface. None leaves a completion out of its group: the verifier failed on it."""
    items = [(text, right, json.loads(choice)) for text, right, choice in zip(completions, gold, options, strict=True)]
    verdicts = [found["verdict"] for found in verifier.judge_many(items)]
    return [
        verifier.weigh(verdict, truncated=len(ids) >= LIMIT and verifier.before_stop(text) == text)
        for verdict, ids, text in zip(verdicts, completion_ids, completions, strict=True)
    ]


PLAN: dict[str, Any] = json.loads((HERE / "trl.json").read_text(encoding="utf-8"))
LIMIT: int = PLAN["config"]["max_completion_length"]


def bind_stop_strings(model: Any, tokenizer: Any) -> None:
    """End every completion whose new text holds a stop string; the library's own would look into the prompt too."""
    stop, generate = verifier.settings()["stop"], model.generate
    if not stop:
        return

    class HoldsStopString(StoppingCriteria):
        """True for the rows that are over."""

        def __init__(self, start: int) -> None:
            self.start = start

        def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
            texts = tokenizer.batch_decode(input_ids[:, self.start :], skip_special_tokens=True)
            held = [any(one in text for one in stop) for text in texts]
            return torch.tensor(held, device=input_ids.device)

    def ending(*args: Any, **named: Any) -> Any:
        start = named["input_ids"].shape[1]
        return generate(*args, **named, stopping_criteria=StoppingCriteriaList([HoldsStopString(start)]))

    model.generate = ending


def batch(config: dict[str, Any]) -> dict[str, int]:
    """The plan's update shared by all processes; as many completions in a forward pass as it has, or fewer."""
    processes, most = int(os.environ.get("WORLD_SIZE", "1")), config["per_device_train_batch_size"]
    completions = most * config["gradient_accumulation_steps"]
    if completions % processes:
        sys.exit(f"train.py: {completions} completions an update cannot be shared by {processes} processes")
    share = completions // processes
    size = max(each for each in range(1, min(most, share) + 1) if share % each == 0)
    return {"per_device_train_batch_size": size, "gradient_accumulation_steps": share // size}


def adapters() -> Any:
    """The plan's low-rank adapters, or None."""
    if not PLAN["lora"]:
        return None
    from peft import LoraConfig

    lora = PLAN["lora"]
    return LoraConfig(
        r=lora["rank"],
        lora_alpha=lora["alpha"],
        lora_dropout=lora["dropout"],
        target_modules=lora["targets"],
        task_type="CAUSAL_LM",
    )


def main() -> None:
    """Train, and save the model of the last step."""
    args = arguments()
    name, revision = args.model or PLAN["model"], args.revision or (None if args.model else PLAN["revision"])
    if not name:
        sys.exit("train.py: the plan's base model is no hub id; name it with --model FOLDER")
    tokenizer = AutoTokenizer.from_pretrained(name, revision=revision, padding_side="left")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    # fp32 whatever the file holds: an update of 1e-6 is lost in the rounding of 16-bit weights
    model = AutoModelForCausalLM.from_pretrained(name, revision=revision, dtype=torch.float32)
    ends = {tokenizer.eos_token_id, *PLAN["end_ids"]}
    model.generation_config.eos_token_id = sorted(ends)
    bind_stop_strings(model, tokenizer)
    learned = [
        {"prompt": row["prompt"], "gold": row["gold"], "options": json.dumps(row["options"])} for row in rows("train")
    ]
    own: dict[str, Any] = {"output_dir": str(args.output), **batch(PLAN["config"])}
    if args.max_steps:
        own["max_steps"] = args.max_steps
    if args.cpu or not torch.cuda.is_available():
        own |= {"use_cpu": True, "bf16": False, "gradient_checkpointing": False, "dataloader_pin_memory": False}
    config = getattr(trl, PLAN["config_class"])(**{**PLAN["config"], **own})
    trainer = getattr(trl, PLAN["trainer_class"])(
        model=model,
        reward_funcs=[verifier_reward],
        args=config,
        train_dataset=Dataset.from_list(learned),
        processing_class=tokenizer,
        peft_config=adapters(),
    )
    trainer.train()
    if PLAN["lora"]:  # merged, so that the folder serves as it stands
        trainer.accelerator.unwrap_model(trainer.model).merge_and_unload().save_pretrained(args.output)
        tokenizer.save_pretrained(args.output)
    else:
        trainer.save_model(str(args.output))
    rewards = [round(row["reward"], 4) for row in trainer.state.log_history if "reward" in row]
    print(json.dumps({"steps": trainer.state.global_step, "rewards": rewards}))


if __name__ == "__main__":
    main()
