"""Learning curves: what each target of the auxiliary task brings where few faces are labelled and many are not."""
