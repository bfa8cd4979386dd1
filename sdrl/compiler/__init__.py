"""The compiler: a spec becomes a plan, or diagnostics.

``compile`` is the way through; ``plan`` holds the frozen types, ``plan_file`` their folder on disk, ``graph`` what each
stage's hash is made of, ``resources`` what is read from disk or the hub, ``prompts`` and ``replies`` what is sent and
what comes back, ``self_test`` the proof that the verifier reads the spec's own examples, ``estimate`` what a run will
ask for (``schedule`` how it asks, ``sizes`` and ``tokens`` how long, ``typical`` what models usually do), ``diff`` what
would re-run. Nothing here calls a model.
"""
