"""Hooks of the face trainer."""

from face_aux.hooks.fairness_report import FairnessReportHook
from face_aux.hooks.fit_descriptor import FitDescriptorHook
from face_aux.hooks.held_back import HeldBackHook
from face_aux.hooks.loss_weight import LossWeightHook
from face_aux.hooks.reconstruction import ReconstructionHook

__all__ = ['FairnessReportHook', 'FitDescriptorHook', 'HeldBackHook', 'LossWeightHook', 'ReconstructionHook']
