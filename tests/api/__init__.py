"""The API as it is used: who may call what, and what the documents promise."""
