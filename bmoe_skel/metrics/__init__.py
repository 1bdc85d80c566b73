"""Scores, as plain functions and as mmengine metrics."""

from bmoe_skel.metrics.classification import ActionMetric, top_k_accuracy
from bmoe_skel.metrics.localization import LocalizationMetric, mean_average_precision
from bmoe_skel.metrics.micro_action import MicroActionMetric, f1_mean
from bmoe_skel.metrics.multi_label import MultiLabelMetric, macro_average_precision
from bmoe_skel.metrics.ranked import ranked

__all__ = [
    'ActionMetric',
    'LocalizationMetric',
    'MicroActionMetric',
    'MultiLabelMetric',
    'f1_mean',
    'macro_average_precision',
    'mean_average_precision',
    'ranked',
    'top_k_accuracy',
]
