"""Plan to run: the executor and what it keeps on disk.

Reading order: ``folder`` (what lies where), ``artifacts`` (rows and seals), ``events``, ``lock``, ``pool`` (models a
stage may ask), ``executor``, ``result``. Reads a plan and never a spec.
"""
