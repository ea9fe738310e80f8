"""How people and machines reach it: HTTP, pages, front end, command line, settings, migrations."""
