from __future__ import annotations

from pathlib import Path

from page_answers import HOSTILE, made_up_answer

from bmoe_app.pages import IndexEntry, index_page, write_index


def test_a_row_a_video_and_the_failures_with_their_reasons(tmp_path: Path) -> None:
    entries = [
        IndexEntry.of_answer(made_up_answer(), 'a.html'),
        IndexEntry('still.mp4', 'still.html', 75.0, 0),
        IndexEntry(f'{HOSTILE}.mp4', reason=f'no video: {HOSTILE}'),
    ]
    write_index(tmp_path / 'index.html', entries)
    text = (tmp_path / 'index.html').read_text()
    assert '2 videos · 3 events · 1 not answered' in text
    assert '1 head, 1 body, 1 unknown' in text
    assert 'nothing happened' in text and '1:15.0' in text
    assert '<img' not in text and '<script' not in text
    assert text.count('<a href=') == 2


def test_a_folder_without_answers_says_so() -> None:
    assert 'No video could be answered' in index_page([IndexEntry('a.mp4', reason='cut off')])
