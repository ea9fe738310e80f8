"""Tests with a real browser in front of real processes."""
