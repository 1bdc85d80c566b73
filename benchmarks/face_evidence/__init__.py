"""What the auxiliary task brings: the same transformer trained with and without it, and the tables of the outcome."""
