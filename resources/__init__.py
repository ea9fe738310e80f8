"""Who and what can act: organizations, people, units and where they are."""
