"""Probes: a few fixed inputs a question, on which known mistakes behave differently. See `autograder.probing`."""
