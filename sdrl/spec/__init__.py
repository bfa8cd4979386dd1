"""The language: what a person means, as one YAML file.

Reading order: ``model`` (the key tree), ``diagnostics`` and ``codes`` (everything that can be wrong), ``source`` and
``nodes`` (bytes to positioned nodes), ``scalars`` (typing by schema), ``presets``, ``loader``, ``rules`` and ``lint``
(cross-field checks), ``schema`` (JSON Schema), ``render`` (how diagnostics look). Knows nothing of plans or models.
"""
