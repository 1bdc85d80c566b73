"""The answer's page in a real browser: Debian's chromium and chromium-driver, driven by selenium."""

from __future__ import annotations

import csv
import io
import os
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from chromium import NEEDED, start_chromium
from page_answers import HOSTILE, made_up_answer

from bmoe_app.pages import write_page

pytest.importorskip('selenium.webdriver', reason='needs selenium, to drive a browser')
pytestmark = NEEDED
TEXTS = """
window.made = {};
const whole = URL.createObjectURL;
URL.createObjectURL = (blob) => { blob.text().then((text) => { window.made[blob.type] = text; }); return whole(blob); };
HTMLAnchorElement.prototype.click = () => {};
"""


@pytest.fixture(scope='module')
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('pages')
    video = cv2.VideoWriter(str(folder / 'a.webm'), cv2.VideoWriter_fourcc(*'VP80'), 30, (1280, 720))
    for i in range(120):
        video.write(np.full((720, 1280, 3), i * 2, np.uint8))
    video.release()
    (folder / 'broken.mp4').write_bytes(b'no video')
    for name, href in {'good': 'a.webm', 'none': None, 'broken': 'broken.mp4'}.items():
        write_page(folder / f'{name}.html', made_up_answer(), href)
    return folder


@pytest.fixture(scope='module')
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    driver = start_chromium(tmp_path_factory.mktemp('profile'), (1366, 768))
    yield driver
    driver.quit()


def wait(condition: Callable[[], Any]) -> Any:
    for _ in range(200):
        if found := condition():
            return found
        time.sleep(0.05)
    return pytest.fail('waited for ten seconds in vain')


def open_page(driver: Any, path: Path) -> None:
    driver.get(path.as_uri())
    wait(lambda: driver.execute_script('return document.documentElement.dataset.ready'))


@pytest.fixture
def browser(started: Any, pages: Path) -> Any:
    """The good page, without corrections of tests before."""
    open_page(started, pages / 'good.html')
    started.execute_script('localStorage.clear()')
    open_page(started, pages / 'good.html')
    wait(lambda: started.execute_script("return document.getElementById('video').readyState >= 2"))
    return started


def labels(driver: Any) -> list[str]:
    return driver.execute_script("return [...document.querySelectorAll('.event-label')].map((one) => one.textContent)")


def click(driver: Any, selector: str) -> None:
    driver.execute_script('document.querySelector(arguments[0]).click()', selector)


def write(driver: Any, field: str, value: str) -> None:
    driver.execute_script(
        'const e = document.getElementById(arguments[0]); e.value = arguments[1]; e.dispatchEvent(new Event("change"))',
        field, value,
    )  # fmt: skip


def press(driver: Any, key: str) -> None:
    driver.execute_script(
        'document.body.dispatchEvent(new KeyboardEvent("keydown", { key: arguments[0], bubbles: true }))', key
    )


def moment(driver: Any) -> float:
    return driver.execute_script("return document.getElementById('video').currentTime")


def saved(driver: Any, button: str, kind: str) -> str:
    driver.execute_script(TEXTS)
    click(driver, button)
    return wait(lambda: driver.execute_script('return window.made[arguments[0]]', kind))


def test_it_opens_without_an_error_and_runs_nothing_hostile(browser: Any) -> None:
    assert labels(browser) == ['nod', HOSTILE, 'shrug']
    assert browser.execute_script("return document.querySelectorAll('img').length") == 0
    assert [entry for entry in browser.get_log('browser') if entry['level'] == 'SEVERE'] == []


def test_keypoints_and_curves_are_drawn(browser: Any) -> None:
    assert browser.execute_script("return document.querySelectorAll('.uplot').length") == 2
    assert browser.execute_script(
        "const c = document.getElementById('overlay'); "
        "return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((value) => value > 0)"
    )


def test_a_click_and_the_keys_go_to_the_moment(browser: Any) -> None:
    click(browser, '.event[data-id="2"]')
    wait(lambda: abs(moment(browser) - 2.0) < 0.02)
    press(browser, 'p')
    wait(lambda: abs(moment(browser) - 1.0) < 0.02)
    press(browser, 'ArrowRight')
    wait(lambda: 'frame 31' in browser.find_element('id', 'clock').text)


def test_corrections_survive_a_reload_a_save_and_a_load(browser: Any, pages: Path, tmp_path: Path) -> None:
    click(browser, '.event[data-id="0"]')
    write(browser, 'edit-label', '=deep "nod"')
    write(browser, 'edit-end', '1.25')
    press(browser, 'a')
    click(browser, '.event[data-id="2"]')
    press(browser, 'Delete')
    corrected = labels(browser)
    assert sorted(corrected) == sorted(['=deep "nod"', 'new event', HOSTILE])
    open_page(browser, pages / 'good.html')
    assert labels(browser) == corrected
    text = saved(browser, '#save-csv', 'text/csv')
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row['label'][0] for row in rows if row['label'].lstrip("'")[0] == '='] == ["'", "'"]
    mine = next(row for row in rows if 'deep' in row['label'])
    assert (mine['end'], mine['source'], mine['score'], mine['region']) == ('1.250', 'person', '1', 'head')
    click(browser, '#start-over')
    assert labels(browser) == ['nod', HOSTILE, 'shrug']
    (tmp_path / 'back.csv').write_text(text + '"' + rows[0]['video'].replace('"', '""') + '",9,1,0,x,1,,person,,,,\n')
    browser.find_element('id', 'file').send_keys(str(tmp_path / 'back.csv'))
    wait(lambda: labels(browser) == corrected)
    assert '1 rows were left out: row 5' in browser.find_element('id', 'trouble').text
    press(browser, 'u')
    assert labels(browser) == ['nod', HOSTILE, 'shrug']


def test_tiers_of_elan_hold_every_event(browser: Any) -> None:
    root = ET.fromstring(saved(browser, '#save-eaf', 'application/xml').encode())
    slots = {slot.get('TIME_SLOT_ID'): int(slot.get('TIME_VALUE') or -1) for slot in root.iter('TIME_SLOT')}
    found = {
        (tier.get('TIER_ID'), slots[one.get('TIME_SLOT_REF1')], slots[one.get('TIME_SLOT_REF2')], one[0].text)
        for tier in root.iter('TIER')
        for one in tier.iter('ALIGNABLE_ANNOTATION')
    }
    assert found == {
        ('person 0', 500, 1200, 'nod'), ('person 1', 1000, 1800, HOSTILE), ('person 0', 2000, 3100, 'shrug'),
    }  # fmt: skip


@pytest.mark.parametrize(('name', 'said'), [('none', 'without a video'), ('broken', 'cannot be shown')])
def test_without_a_video_keypoints_play_on_grey_by_the_clock(started: Any, pages: Path, name: str, said: str) -> None:
    open_page(started, pages / f'{name}.html')
    wait(lambda: said in started.find_element('id', 'trouble').text)
    press(started, ' ')
    wait(lambda: 'frame 0' not in started.find_element('id', 'clock').text)
    press(started, ' ')
    assert started.find_element('id', 'play').text == 'Play'


def test_a_phone_scrolls_down_only(browser: Any) -> None:
    size = {'width': 390, 'height': 844, 'deviceScaleFactor': 2, 'mobile': True}
    browser.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', size)
    try:
        browser.refresh()
        wait(lambda: browser.execute_script('return document.documentElement.dataset.ready'))
        assert browser.execute_script('return document.documentElement.scrollWidth') == 390
    finally:
        browser.execute_cdp_cmd('Emulation.clearDeviceMetricsOverride', {})


@pytest.mark.skipif('AXE_JS' not in os.environ, reason='needs AXE_JS, the path of axe.min.js of npm axe-core 4.14.1')
def test_axe_finds_no_serious_fault(browser: Any) -> None:
    click(browser, '.event')
    browser.execute_script(Path(os.environ['AXE_JS']).read_text())
    found = browser.execute_async_script('const done = arguments[0]; axe.run().then((all) => done(all.violations))')
    assert [one['id'] for one in found if one['impact'] in ('serious', 'critical')] == []
