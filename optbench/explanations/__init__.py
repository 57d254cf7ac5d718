"""One point of a problem explained: objective, gradient and the next steps of an optimizer with their numbers."""

from optbench.explanations.explanation import Explanation, explain

__all__ = ["Explanation", "explain"]
