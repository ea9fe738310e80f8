"""The demo city: real streets, invented institutions, and a simulator that lives in it."""
