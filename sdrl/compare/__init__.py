"""Comparisons on equal terms: arms × budgets × training seeds from one spec, each cell an ordinary run.

Reading order: ``suite`` (the language), ``baselines`` (arms with a name), ``shipped`` and ``extending`` (suites that
ship, and what is taken over from them), ``loading`` (YAML to a suite, or every problem it has), ``needs`` (what an arm
cannot do without), ``human`` and ``demos`` (data that people wrote), ``cells`` (suite to plans), ``running`` (plans to
runs, resumable), ``listing`` (what will run), ``significance`` (what a difference is worth), ``results`` (runs to
figures), ``page`` (figures to a table and a picture). Does no training and asks no model itself.
"""
