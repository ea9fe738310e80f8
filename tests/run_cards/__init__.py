"""Run cards: their defaults, their editions, what they open, and how a change is tried."""
