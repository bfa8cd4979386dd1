"""Whose key a well-known environment variable holds: it goes to that provider, to this machine, and nowhere else.

A plan may come from a stranger, and it names both the variable and the address. The key of a variable that is not in
the table goes where the spec says; a proxy of one's own gets its key from a variable of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from sdrl.spec.diagnostics import SdrlError

# variable -> the domains its key may be sent to; none: it is no key of a model endpoint
OWNERS: Mapping[str, tuple[str, ...]] = {
    "OPENAI_API_KEY": ("openai.com", "openai.azure.com"),
    "AZURE_OPENAI_API_KEY": ("azure.com",),
    "ANTHROPIC_API_KEY": ("anthropic.com",),
    "GEMINI_API_KEY": ("googleapis.com",),
    "GOOGLE_API_KEY": ("googleapis.com",),
    "MISTRAL_API_KEY": ("mistral.ai",),
    "GROQ_API_KEY": ("groq.com",),
    "TOGETHER_API_KEY": ("together.xyz", "together.ai"),
    "DEEPSEEK_API_KEY": ("deepseek.com",),
    "OPENROUTER_API_KEY": ("openrouter.ai",),
    "FIREWORKS_API_KEY": ("fireworks.ai",),
    "XAI_API_KEY": ("x.ai",),
    "COHERE_API_KEY": ("cohere.com", "cohere.ai"),
    "HF_TOKEN": ("huggingface.co", "hf.space", "endpoints.huggingface.cloud"),
    "WANDB_API_KEY": (),
    "AWS_ACCESS_KEY_ID": (),
    "AWS_SECRET_ACCESS_KEY": (),
    "AWS_SESSION_TOKEN": (),
    "GITHUB_TOKEN": ("github.ai", "azure.com"),
    "GH_TOKEN": (),
    "GITLAB_TOKEN": (),
    "NPM_TOKEN": (),
    "PYPI_TOKEN": (),
}


def refuse_other_owner(variable: str, role: str, address: str) -> None:
    """Raise SdrlError (E849) when ``variable`` is known to hold another provider's key than the one at ``address``."""
    owners = OWNERS.get(variable)
    host = (urlsplit(address).hostname or "").lower().rstrip(".")
    if owners is None or any(host == owner or host.endswith(f".{owner}") for owner in owners):
        return
    whose = f"the key of {owners[0]}" if owners else "no key of a model endpoint"
    raise SdrlError(
        "E849",
        f"models.{role}: {variable} holds {whose}, and the endpoint is {host}; it was not sent",
        help=f"put the key of {host} into a variable of its own and name that in key_env",
    )
