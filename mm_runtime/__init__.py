"""What the trainers of this project share: safe checkpoints, import cures and the command line."""
