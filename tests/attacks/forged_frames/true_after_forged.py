"""Answers with a frame of its own that bears the request's nonce, and lets the true reply follow.

Wants: harm
Works: none
"""

import json

from autograder import wire, worker

original = worker.Runtime.answer


def answer(self, header, body):
    true = original(self, header, body)
    forged = wire.encode([json.loads(header)[0][0], None, 0, [], [], [], None])
    return [*forged, *true]


worker.Runtime.answer = answer


def square(x):
    return x + 1
