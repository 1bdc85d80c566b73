"""Hooks of the face trainer."""

from face_aux.hooks.fairness_report import FairnessReportHook

__all__ = ['FairnessReportHook']
