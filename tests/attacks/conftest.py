"""Keeps the engine's own test run out of the homework that attacks are handed in to: its checks need a grader."""

collect_ignore_glob = ["*"]
