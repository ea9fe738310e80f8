"""What is happening: reports, triage, incidents, dispatch, the timeline."""
