"""The models that ship with sdrl: a scripted instructor and a toy base model, reached like any other endpoint.

This package imports nothing else of sdrl; the rest of sdrl reaches it over HTTP or as a subprocess.
"""
