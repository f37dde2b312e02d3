"""Grading: what was handed in is taken, run in a sandbox, and judged outside it."""
