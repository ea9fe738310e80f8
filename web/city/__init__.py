"""A real city from open data, and what is handed out of it."""
