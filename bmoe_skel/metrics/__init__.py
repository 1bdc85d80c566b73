"""Scores, as plain functions and as mmengine metrics."""

from bmoe_skel.metrics.classification import ActionMetric, classification_scores, top_k_accuracy
from bmoe_skel.metrics.localization import LocalizationMetric, mean_average_precision
from bmoe_skel.metrics.micro_action import MicroActionMetric, f1_mean, micro_action_scores
from bmoe_skel.metrics.multi_label import MultiLabelMetric, macro_average_precision

__all__ = [
    'ActionMetric',
    'LocalizationMetric',
    'MicroActionMetric',
    'MultiLabelMetric',
    'classification_scores',
    'f1_mean',
    'macro_average_precision',
    'mean_average_precision',
    'micro_action_scores',
    'top_k_accuracy',
]
