"""Size and speed of models on the machine at hand."""
