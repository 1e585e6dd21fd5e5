# Generated from autograder/stubs.py; do not edit.
"""Says why a check failed, in the same words as grading does."""
