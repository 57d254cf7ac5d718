"""Lagrangian methods for constrained problems, one file each."""
