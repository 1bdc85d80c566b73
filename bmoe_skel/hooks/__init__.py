"""Hooks of the skeleton trainer."""

from bmoe_skel.hooks.init_experts import InitExpertsHook
from bmoe_skel.hooks.report import ReportHook

__all__ = ['InitExpertsHook', 'ReportHook']
