from __future__ import annotations

from page_answers import made_up_answer

from bmoe_app.pages.words import nothing, summary


def test_the_summary_counts() -> None:
    assert summary(made_up_answer()) == '0:04.0 · 2 persons · 3 events · asked: demo.pth'


def test_an_empty_answer_says_what_was_looked_for() -> None:
    answer = made_up_answer()
    assert nothing(answer) is None
    answer.events.clear()
    assert 'no action of the model reached 0.5 for 0.2 s' in (nothing(answer) or '')
    answer.model = None
    assert nothing(answer) == 'Nothing happened that a movement rule looks for.'
