"""Debian's chromium, driven by selenium: where it is there, and how every test starts it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

CHROMIUM, DRIVER = (shutil.which(name) for name in ('chromium', 'chromedriver'))
NEEDED = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason='needs chromium and chromedriver (Debian: chromium-driver)'),
]
"""Marks of a module whose tests drive it."""
FLAGS = (
    '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking '
    '--disable-component-update --disable-sync --hide-scrollbars'
)


def start_chromium(profile: Path, size: tuple[int, int], **preferences: str) -> Any:
    """A browser with an empty profile, whose console can be read.

    Args:
        profile: An empty folder.
        size: Width and height of its window.
        **preferences: Of the browser; ``__`` stands for a dot.
    """
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in [*FLAGS.split(), f'--user-data-dir={profile}']:
        options.add_argument(flag)
    options.binary_location = CHROMIUM
    if preferences:
        options.add_experimental_option('prefs', {key.replace('__', '.'): value for key, value in preferences.items()})
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    driver.set_window_size(*size)
    return driver
