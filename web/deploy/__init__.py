"""What production needs besides the programs: proxy, database roles, health checks."""
