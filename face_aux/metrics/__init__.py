"""Metrics of faces: classification, real or fake by frame and video, and for whom it works."""

from face_aux.metrics.classification import ClassificationMetric, DeepfakeMetric
from face_aux.metrics.fairness import report
from face_aux.metrics.fairness_metric import FairnessMetric
from face_aux.metrics.fairness_types import FairnessReport, Settings

__all__ = ['ClassificationMetric', 'DeepfakeMetric', 'FairnessMetric', 'FairnessReport', 'Settings', 'report']
