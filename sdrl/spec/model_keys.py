"""The tables that name models and what they cost: models, server, price."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from sdrl.spec.base import Count, Table, Text


class Price(Table):
    """US dollars a million tokens."""

    input: Annotated[float, Field(ge=0)]
    """Prompt tokens."""
    output: Annotated[float, Field(ge=0)]
    """Completion tokens."""
    cached_input: Annotated[float, Field(ge=0)] | None = None
    """Prompt tokens that the provider had cached; null: as input."""


class Instructor(Table):
    """The model that writes samples and votes on their answers."""

    model: Text
    """Name at the endpoint; a dated name freezes better."""
    endpoint: Text = "https://api.openai.com/v1"
    """Base URL of an OpenAI-compatible API; embedded: the offline model that ships with sdrl; vllm: one is started."""
    key_env: str | None = None
    """Environment variable that holds the key (its name, never the key)."""
    api: Literal["chat", "completions", "responses"] = "chat"
    """Which API of the endpoint: chat, completions (messages become one text), or responses (one reply a call)."""
    structured: Literal["auto", "json_schema", "tools", "json_object", "off"] = "auto"
    """How JSON replies are asked for; auto: what the endpoint can."""
    concurrency: Count = 256
    """Requests in flight."""
    batch: bool = False
    """Use the provider's batch API: hours a step, usually cheaper; ``price`` then says the batch price."""
    price: Price | None = None
    """Price; needed where a budget in dollars is set. embedded costs nothing."""
    extra: dict[str, Any] = Field(default_factory=dict)
    """Further fields sent with each request."""
    terms: str | None = None
    """A note on the provider's terms for training on its outputs."""

    @property
    def is_embedded(self) -> bool:
        """Whether it is the offline model that ships with sdrl."""
        return self.endpoint == "embedded"


class Server(Table):
    """How the base model's server spreads over devices."""

    tensor_parallel: Count = 1
    """GPUs one copy is split over."""
    data_parallel: Count = 1
    """Copies."""


class AskedAs(Table):
    """The form in which the base model gets its prompt."""

    shorthand: ClassVar[str] = "kind"

    kind: Literal["raw", "chat"] = "raw"
    """raw: the answer prompt as it is; chat: through the model's chat template."""
    options: dict[str, Any] = Field(default_factory=dict)
    """chat: further variables of the template, as {enable_thinking: false}."""


class Base(Table):
    """The model that is trained."""

    model: Text
    """Hub model as owner/name, a folder relative to the spec, or toy-base (ships with sdrl)."""
    revision: str | None = None
    """Commit of a hub model; null: pinned by compile --pin."""
    serve: Literal["vllm", "embedded"] | Text = "vllm"
    """vllm or embedded: a server is started; or the base URL of one that runs (several share the load)."""
    prompt: AskedAs = AskedAs.model_construct()
    """raw or chat alone will do; {kind: chat, options: {…}} sets variables of the chat template."""
    system: str | None = None
    """System message of a chat prompt."""
    stop: Literal["auto"] | list[Text] = "auto"
    """Texts that end an answer; auto: the line that opens the next problem (raw). End tokens always do."""
    server: Server = Server.model_construct()
    """How the server spreads over devices."""
    concurrency: Count = 256
    """Requests in flight."""


class Embedder(Table):
    """A model that turns texts into vectors, for the filters that compare by them."""

    model: Text
    """Name at the endpoint; hashed-words is the offline stand-in, which counts words and knows no meaning."""
    endpoint: Text = "https://api.openai.com/v1"
    """Base URL of an API with OpenAI's /embeddings; embedded: the stand-in that ships with sdrl."""
    key_env: str | None = None
    """Environment variable that holds the key (its name, never the key)."""
    concurrency: Count = 64
    """Requests in flight."""

    @property
    def is_embedded(self) -> bool:
        """Whether it is the stand-in that ships with sdrl."""
        return self.endpoint == "embedded"


class Models(Table):
    """The models of a run."""

    instructor: Instructor
    """Writes samples and votes."""
    base: Base
    """Is probed, scored and trained."""
    embedder: Embedder | None = None
    """Turns texts into vectors; needed by the filters embedding and decontaminate_embedding alone."""
