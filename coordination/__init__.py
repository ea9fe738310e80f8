"""How institutions act together: what the municipality shares with whom, and until when."""
