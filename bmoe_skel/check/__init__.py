"""Going through the data of a config before any training."""
