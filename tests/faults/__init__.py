"""Servers die, hang and come back; nothing acknowledged is lost and every screen is true again."""
