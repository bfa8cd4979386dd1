"""What the select stage says of a validation split that came out too small."""

from __future__ import annotations

import pytest

from sdrl.spec.model import Validate
from sdrl.stages.select import too_few


@pytest.mark.parametrize(
    ("held", "passages", "by", "said"),
    [
        (0, 5, "passage", "no samples held out for validation: no checkpoint is chosen, the last one counts "),
        (1, 5, "passage", "1 sample held out for validation: one answer is 100 points of the accuracy that "),
        (4, 5, "passage", "4 samples held out for validation: one answer is 25 points of the accuracy that "),
    ],
)
def test_a_small_split_says_what_one_answer_weighs(held: int, passages: int, by: str, said: str) -> None:
    text = too_few(held, passages, Validate.model_validate({"share": 0.1, "by": by}))
    assert text is not None and text.startswith(said)
    assert text.endswith("(validate.share 0.1 of whole passages, of which there are 5)")


def test_without_passages_the_share_is_of_samples() -> None:
    for passages, by in ((0, "passage"), (5, "sample")):
        text = too_few(3, passages, Validate.model_validate({"share": 0.2, "by": by}))
        assert text is not None and text.endswith("(validate.share 0.2 of samples)")


def test_eight_are_enough_and_none_is_asked_for_with_a_share_of_0() -> None:
    assert too_few(8, 5, Validate.model_validate({"share": 0.1})) is None
    assert too_few(0, 5, Validate.model_validate({"share": 0})) is None
