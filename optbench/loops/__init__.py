"""The compiled drivers."""
