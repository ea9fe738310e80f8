"""`./vigia`: everything a bare machine needs, from the standard library alone."""
