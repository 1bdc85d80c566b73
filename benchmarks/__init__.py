"""What measures, compares and makes rehearsal data; in the repository only, not installed."""
