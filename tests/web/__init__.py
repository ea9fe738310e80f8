"""What people and machines reach: pages, words, doors."""
