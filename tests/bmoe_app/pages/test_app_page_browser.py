"""The app in a real browser: a video is dropped, its progress is seen, its answer opened, everything taken as a zip."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import NEEDED, start_chromium
from video_files import write_video

pytest.importorskip('selenium.webdriver', reason='needs selenium, to drive a browser')
pytest.importorskip('starlette', reason="needs the extra 'app'")
pytestmark = NEEDED
REPO = Path(__file__).resolve().parents[3]
DROP = """
const [name, text] = arguments, transfer = new DataTransfer();
const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
transfer.items.add(new File([bytes], name));
document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
"""
HOSTILE = '<img src=x onerror=window.hurt=1>.avi'


def start(out: Path, port: int = 0) -> tuple[subprocess.Popen[str], str]:
    """The app in a process of its own, with a pose backend that needs no model; and its address."""
    env = {**os.environ, 'PYTHONPATH': f'{REPO}{os.pathsep}{REPO / "tests" / "helpers"}', 'BLOCK_SECONDS': '0.05'}
    words = ['app', '--out', str(out), '--no-browser', '--port', str(port), '--backend', 'block_estimator:Slow']
    process = subprocess.Popen(
        [sys.executable, '-c', 'from bmoe_app.cli import main; main()', *words],
        env=env, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith('The page: http://127.0.0.1:')
    return process, line.split()[-1]


@pytest.fixture(scope='module')
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    out = tmp_path_factory.mktemp('app')
    process, address = start(out)
    yield process, address, out
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    assert process.wait(30) in (0, -signal.SIGKILL)


@pytest.fixture(scope='module')
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    downloads = tmp_path_factory.mktemp('downloads')
    profile = tmp_path_factory.mktemp('profile')
    driver = start_chromium(profile, (1280, 800), download__default_directory=str(downloads))
    driver.downloads = downloads
    yield driver
    driver.quit()


def wait(condition: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    return pytest.fail('waited in vain')


def said(driver: Any) -> list[str]:
    return driver.execute_script("return [...document.querySelectorAll('.video-said')].map((one) => one.textContent)")


def test_from_a_dropped_video_to_the_zip(app: tuple[Any, str, Path], browser: Any, tmp_path: Path) -> None:
    process, address, out = app
    browser.get(address)
    wait(lambda: browser.execute_script('return document.documentElement.dataset.ready'))
    assert 'token' not in browser.current_url
    bright = write_video(tmp_path / 'a.avi', 50)
    browser.execute_script(DROP, HOSTILE, base64.b64encode(bright.read_bytes()).decode())
    wait(lambda: any('%' in text for text in said(browser)))
    browser.find_element('id', 'every').click()
    browser.find_element('id', 'files').send_keys(str(tmp_path / 'a.avi'))
    (tmp_path / 'no.mp4').write_text('no video')
    browser.find_element('id', 'files').send_keys(str(tmp_path / 'no.mp4'))
    wait(lambda: '2 of 3 videos answered, 1 not' in browser.find_element('id', 'sum').text)
    assert 'not a video' in said(browser)[2] and str(out) not in ' '.join(said(browser))
    assert HOSTILE in browser.find_element('css selector', '.video-name').text
    browser.refresh()
    wait(lambda: len(said(browser)) == 3)
    browser.find_element('css selector', '.video a.main-button').click()
    browser.switch_to.frame(wait(lambda: browser.find_element('id', 'frame')))
    wait(lambda: browser.execute_script('return document.documentElement.dataset.ready'))
    assert HOSTILE in browser.find_element('css selector', 'h1').text
    browser.switch_to.default_content()
    browser.back()
    wait(lambda: browser.find_element('id', 'zip-link').is_displayed())
    browser.find_element('id', 'zip-link').click()
    path = wait(lambda: next(browser.downloads.glob('answers.zip'), None))
    names = zipfile.ZipFile(path).namelist()
    assert {'index.html', 'events.csv', 'answers.json', 'a.avi/answer.html', 'a.avi/video.avi'} <= set(names)
    notes = json.loads(zipfile.ZipFile(path).read('a.avi/answer.json'))['notes']
    assert 'of every 2 frames one was looked at: quick movements may be missed' in notes
    assert browser.execute_script('return window.hurt') is None
    severe = [entry['message'] for entry in browser.get_log('browser') if entry['level'] == 'SEVERE']
    assert [one for one in severe if 'favicon' not in one] == []


@pytest.mark.parametrize('width', [390, 1280])
def test_it_fits_a_phone_and_a_laptop(app: tuple[Any, str, Path], browser: Any, width: int) -> None:
    size = {'width': width, 'height': 844, 'deviceScaleFactor': 1, 'mobile': width < 500}
    browser.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', size)
    try:
        for place in ('#videos', '#live'):
            browser.execute_script('location.hash = arguments[0]', place)
            assert browser.execute_script('return document.documentElement.scrollWidth') == width
    finally:
        browser.execute_cdp_cmd('Emulation.clearDeviceMetricsOverride', {})


@pytest.mark.skipif('AXE_JS' not in os.environ, reason='needs AXE_JS, the path of axe.min.js of npm axe-core 4.14.1')
def test_axe_finds_no_serious_fault(app: tuple[Any, str, Path], browser: Any) -> None:
    script = Path(os.environ['AXE_JS']).read_text()
    for place in ('#videos', '#live'):
        browser.execute_script('location.hash = arguments[0]', place)
        browser.execute_script(f'window.axe || (() => {{ {script} }})()')
        found = browser.execute_async_script('const done = arguments[0]; axe.run().then((all) => done(all.violations))')
        assert [one['id'] for one in found if one['impact'] in ('serious', 'critical')] == []


def test_a_killed_server_goes_on_and_the_open_page_with_it(app: tuple[Any, str, Path], browser: Any) -> None:
    process, address, out = app
    port = int(address.split(':')[2].split('/')[0])
    done = len(said(browser))
    process.kill()
    process.wait()
    wait(lambda: 'does not answer' in browser.find_element('id', 'trouble').text)
    again, same = start(out, port)
    try:
        assert same == address
        wait(lambda: browser.find_element('id', 'trouble').text == '' and len(said(browser)) == done)
    finally:
        again.send_signal(signal.SIGINT)
        assert again.wait(30) == 0
