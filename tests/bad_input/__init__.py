"""Nothing that a client sends yields a 5xx, changes what it may not, or leaves something that no screen can read."""
