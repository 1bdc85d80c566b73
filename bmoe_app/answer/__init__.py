"""The answer to a video: who did what, when, seen by which part of the body, and what that was read from.

Example:
    >>> from bmoe_app.answer import Event
    >>> Event(1.2, 1.8, 0, 'nod', 0.7, 'head', source='rule').label
    'nod'
"""

from bmoe_app.answer.answer import Answer, ModelFacts, Windows
from bmoe_app.answer.events import SOURCES, Event
from bmoe_app.answer.infer import answer_tracks, answer_video
from bmoe_app.answer.settings import ModelSettings

__all__ = ['SOURCES', 'Answer', 'Event', 'ModelFacts', 'ModelSettings', 'Windows', 'answer_tracks', 'answer_video']
