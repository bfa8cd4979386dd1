"""Comparisons on equal terms: arms × budgets × training seeds from one spec, each cell an ordinary run.

Reading order: ``suite`` (the language), ``loading`` (YAML to a suite, or every problem it has), ``baselines`` (arms
with a name), ``cells`` (suite to plans), ``running`` (plans to runs, resumable), ``listing`` (what will run),
``significance`` (what a difference is worth), ``results`` (runs to figures), ``page`` (figures to a table and a
picture). Does no training and asks no model itself.
"""
