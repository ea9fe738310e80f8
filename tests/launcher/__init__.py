"""The launcher on small stand-ins for the application, with real PostgreSQL and Redis."""
