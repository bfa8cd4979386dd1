"""``python -m tests.bench.early_stop``: what stopping a vote early saves, over made-up distributions of agreement.

Each row's share of votes for its usual answer is drawn from a beta distribution, wrong votes go to four rivals. The
stop is the real one; only the votes are made up. Prompts and completions are as long as the plan of specs/gsm8k.yaml
expects them, priced as that spec prices them. Prints a Markdown table.
"""

from __future__ import annotations

import random

from sdrl.compiler.compile import compile_spec
from sdrl.compiler.schedule import calls_for, vote_wave
from sdrl.spec.locate import specs_dir
from sdrl.stages.ballot import Rules, draws_to_settle
from sdrl.verifier import Verifier

ROWS = 3000
# name -> parameters of the beta distribution of a row's agreement
AGREEMENT = {
    "nearly always one answer (mean 0.97)": (9.7, 0.3),
    "strong on grade-school maths (mean 0.90)": (2.7, 0.3),
    "middling (mean 0.75)": (2.25, 0.75),
    "weak (mean 0.50)": (1.5, 1.5),
}


def course(verifier: Verifier, said: list[str], rules: Rules) -> tuple[int, int]:
    """Draws made and calls sent until the vote is settled."""
    drawn = waves = calls = 0
    while needed := draws_to_settle(verifier, said[:drawn], [], None, left=len(said) - drawn, rules=rules):
        wave = vote_wave(waves, needed, len(said) - drawn)
        drawn, waves, calls = drawn + wave, waves + 1, calls + calls_for(wave)
    return drawn, calls


def main() -> None:
    """Print the table."""
    plan = compile_spec(specs_dir() / "gsm8k.yaml").plan
    assert plan is not None
    assert plan.settings.models is not None
    price = plan.settings.models.instructor.price
    assert price is not None
    solve = next(entry for entry in plan.estimate["stages"] if entry["stage"] == "vote")["expected"]
    prompt, completion = solve["prompt_tokens"] / solve["requests"], solve["completion_tokens"] / solve["draws"]
    verifier, rules = Verifier.from_program(plan.verifier), Rules("drop", 0.5)
    print(f"prompt {prompt:.0f} and completion {completion:.0f} tokens, 16 draws, {ROWS} rows\n")
    print("| agreement | draws of 16 | calls | output tokens | cost |\n|---|---|---|---|---|")
    full = prompt * price.input + 16 * completion * price.output
    for name, (a, b) in AGREEMENT.items():
        luck = random.Random(name)
        draws = calls = 0
        for _ in range(ROWS):
            share = luck.betavariate(a, b)
            said = [f"#### {1 if luck.random() < share else luck.randint(2, 5)}" for _ in range(16)]
            made = course(verifier, said, rules)
            draws, calls = draws + made[0], calls + made[1]
        cost = (calls / ROWS * prompt * price.input + draws / ROWS * completion * price.output) / full
        print(f"| {name} | {draws / ROWS:.1f} | {calls / ROWS:.2f} | {draws / ROWS / 16 - 1:+.0%} | {cost - 1:+.0%} |")


if __name__ == "__main__":
    main()
