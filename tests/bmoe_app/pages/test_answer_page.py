from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from page_answers import HOSTILE, made_up_answer

from bmoe_app.answer import Answer
from bmoe_app.pages import write_page
from bmoe_app.pages.answer_page import answer_page
from bmoe_app.signals import compute_signals
from pose_extract.tracks import PoseTracks


def nobody() -> Answer:
    tracks = PoseTracks(np.zeros((0, 1, 17, 2)), np.zeros((0, 1, 17)), np.zeros((0, 1, 4)), [0.0], (90, 160), 'coco17')
    return Answer('empty.mp4', [], tracks, compute_signals(tracks))


def test_names_and_labels_make_no_element(tmp_path: Path) -> None:
    write_page(tmp_path / 'deep' / 'a.html', made_up_answer(), 'a.mp4')
    text = (tmp_path / 'deep' / 'a.html').read_text()
    assert '<img' not in text
    assert HOSTILE not in text
    assert text.count('<script') == text.count('</script>') == 3


def test_nothing_on_the_page_is_fetched() -> None:
    text = answer_page(made_up_answer(), 'a.mp4')
    markup = re.sub(r'<(script|style)\b.*?</\1>', '', text, flags=re.DOTALL)
    assert re.findall(r'(?:src|href|action|data)="[^"]*"', markup) == []
    assert not re.findall(r'url\((?!#)|@import', ''.join(re.findall(r'<style>(.*?)</style>', text, re.DOTALL)))


def test_what_was_lost_and_who_answered_is_said() -> None:
    text = answer_page(made_up_answer(), None)
    wanted = ['3 frames could not be decoded', 'tilt: no ears', 'demo.pth', 'windows of 1 s, one every 0.5 s']
    for said in [*wanted, 'at most 0.4 s apart are told as one', 'likelier within 0.6 s of its best moment']:
        assert said in text


def test_a_video_of_nobody_has_a_page() -> None:
    assert 'Nobody was seen in this video' in answer_page(nobody(), None)


@pytest.mark.slow
def test_ten_minutes_of_two_people_stay_small() -> None:
    """The keypoints jitter by 0.7 pixels, which compresses worse than a real estimator's."""
    assert len(answer_page(made_up_answer(frames=18_000), 'a.mp4')) < 15e6
