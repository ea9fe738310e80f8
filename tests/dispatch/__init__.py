"""Dispatch: sending, undo, SOS."""
