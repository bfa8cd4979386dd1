"""A well-known variable's key goes to its provider and to nobody else, whatever a spec or plan says."""

from __future__ import annotations

import pytest

from sdrl.models.key_owners import OWNERS, refuse_other_owner
from sdrl.spec.diagnostics import SdrlError


@pytest.mark.parametrize(
    ("variable", "address"),
    [
        ("OPENAI_API_KEY", "https://api.openai.com/v1"),
        ("OPENAI_API_KEY", "https://mine.openai.azure.com/openai/v1"),
        ("OPENAI_API_KEY", "https://API.OPENAI.COM./v1"),
        ("TOGETHER_API_KEY", "https://api.together.xyz/v1"),
        ("MY_PROXY_KEY", "https://anything.example/v1"),
    ],
)
def test_a_key_goes_to_its_owner(variable: str, address: str) -> None:
    refuse_other_owner(variable, "instructor", address)


@pytest.mark.parametrize(
    ("variable", "address"),
    [
        ("OPENAI_API_KEY", "https://evil.example/v1"),
        ("OPENAI_API_KEY", "https://api.openai.com.evil.example/v1"),
        ("OPENAI_API_KEY", "https://notopenai.com/v1"),
        ("OPENAI_API_KEY", "https://api.openai.com@evil.example/v1"),
        ("AWS_SECRET_ACCESS_KEY", "https://api.openai.com/v1"),
    ],
)
def test_and_to_nobody_else(variable: str, address: str) -> None:
    with pytest.raises(SdrlError, match="it was not sent") as refused:
        refuse_other_owner(variable, "instructor", address)
    assert refused.value.code == "E849"


def test_owners_are_bare_domains() -> None:
    domains = [domain for owners in OWNERS.values() for domain in owners]
    assert domains and all(domain == domain.lower().strip(".") and "/" not in domain for domain in domains)
