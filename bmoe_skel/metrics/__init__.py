"""Scores, as plain functions and as mmengine metrics."""

from bmoe_skel.metrics.classification import ActionMetric, classification_scores, top_k_accuracy

__all__ = ['ActionMetric', 'classification_scores', 'top_k_accuracy']
