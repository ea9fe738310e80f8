"""Past hours."""
