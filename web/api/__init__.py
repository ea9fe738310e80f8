"""The REST API: bodies in, one verb called, ids or boards out."""
