"""The page of a test run: one HTML file that shows what was confused, how surely, and which region was trusted."""

from bmoe_skel.report_page.page import report_html
from bmoe_skel.report_page.run import TestRun

__all__ = ['TestRun', 'report_html']
