"""Exports: the samples, the verifier and the training of a run, for people and tools that have no sdrl.

Reads a run folder, writes one new folder per export; asks no model and changes nothing of the run. Reading order:
``source`` (what a run holds), ``samples`` (its rows), ``parts`` (what every export ships), then one module a target.
Files under ``shipped/`` are copied as they stand and never import sdrl.
"""

from __future__ import annotations

from sdrl.export.export import TARGETS, export_run

__all__ = ["TARGETS", "export_run"]
