"""Keeps guests and runs cases in them. See ../README.md."""
