from __future__ import annotations

from collections.abc import Callable

import pytest

from mm_runtime import cli, doors


@pytest.mark.parametrize(
    ('door', 'behind', 'words'),
    [(doors.train, 'train_main', ['a.py', '--resume']), (doors.test, 'test_main', ['a.py', 'b.pth'])],
)
def test_right_words_go_through_and_wrong_ones_do_not(
    monkeypatch: pytest.MonkeyPatch, door: Callable[..., int], behind: str, words: list[str]
) -> None:
    called = []
    monkeypatch.setattr(cli, behind, lambda *given: called.append(given) or 7)
    assert door(words, 'bmoe x') == 7
    for wrong in ([], [*words, '--no-such-option']):
        with pytest.raises(SystemExit) as ended:
            door(wrong, 'bmoe x')
        assert ended.value.code == 2
    assert called == [(words, 'bmoe x')]
