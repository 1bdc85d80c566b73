"""Trained recognisers that run anywhere: :mod:`.recognizer` writes them, :mod:`.exported` runs them without torch."""
