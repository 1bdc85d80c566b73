"""Face analysis with a texture-reconstructing masked auto-encoder as auxiliary task."""
