"""The sign of a number, for the methods that use nothing else of it."""


def sign(value):
    """-1, 0 or 1; NaN stays NaN, so that a broken gradient shows."""
    return 1.0 if value > 0.0 else (-1.0 if value < 0.0 else value)
