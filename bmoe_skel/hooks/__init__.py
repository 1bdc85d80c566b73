"""Hooks of the skeleton trainer."""

from bmoe_skel.hooks.report import ReportHook

__all__ = ['ReportHook']
