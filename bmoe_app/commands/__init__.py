"""The commands of ``bmoe``, one a file; none is imported before it is called."""
