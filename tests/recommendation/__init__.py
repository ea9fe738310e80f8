"""Whom to send, what it leaves, and who could stand elsewhere."""
