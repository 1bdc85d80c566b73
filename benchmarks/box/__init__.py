"""Generated clips of everyday micro-actions: a jointed body that moves, a camera, and an estimator that errs."""
