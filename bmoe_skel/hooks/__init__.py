"""Hooks of the skeleton trainer."""

from bmoe_skel.hooks.init_experts import InitExpertsHook
from bmoe_skel.hooks.report import ReportHook
from bmoe_skel.hooks.start_from import StartFromHook

__all__ = ['InitExpertsHook', 'ReportHook', 'StartFromHook']
