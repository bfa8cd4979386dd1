"""The terminal app: draws the state of ``sdrl.authoring`` and turns keys and clicks into its events. Owns no logic.

Reading order: ``app`` (wiring), ``acting`` (keys and clicks), ``desk`` (the open spec), ``hearing`` (typing), ``jobs``
(effects as workers), ``panel_process``, ``chat``, ``prompt``, ``spec_editor`` and ``side`` (what is on the screen),
``palette``, ``paint`` (state to styled text), ``legible``, ``app.tcss``.
"""
