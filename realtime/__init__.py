"""Who did what to what, when, and who may know: transaction, journal, relay, feed, actor, audience."""
