"""What the global stream may look at: the skeleton, precomputed features, or RGB crops."""
