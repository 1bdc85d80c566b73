"""Conversions: between keypoint layouts, and between track files and the files of other projects."""
