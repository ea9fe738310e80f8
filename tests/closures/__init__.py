"""Closures."""
