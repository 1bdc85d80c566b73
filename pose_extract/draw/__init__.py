"""Tracks and layouts to look at."""
