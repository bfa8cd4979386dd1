"""Algorithm 1 of the paper, one module a step, in order:

keywords, retrieve, pattern, generate, vote, probe, adapt, score, select, train, evaluate.

``context`` says what a stage is given; ``asking`` holds the two ways of asking a model that several stages share.
"""
