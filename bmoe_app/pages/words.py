"""What an answer's page says in plain words: the summary, what was not found, and what is to be known of the answer."""

from __future__ import annotations

from bmoe_app.answer import Answer, ModelFacts
from bmoe_app.pages.payload import thinning
from bmoe_ground.pages import escape


def clock(seconds: float) -> str:
    """Seconds as people read them.

    Example:
        >>> clock(3.25), clock(75), clock(3723.5)
        ('0:03.2', '1:15.0', '1:02:03.5')
    """
    tenths = int(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    ahead = f'{hours}:{minutes:02d}' if hours else str(minutes)
    return f'{ahead}:{rest // 10:02d}.{rest % 10}'


def count(number: int, word: str) -> str:
    """A number with its noun.

    Example:
        >>> count(1, 'event'), count(0, 'person'), count(2, 'class')
        ('1 event', 'no persons', '2 classes')
    """
    plural = f'{word}es' if word.endswith('s') else f'{word}s'
    return f'{number or "no"} {word if number == 1 else plural}'


def summary(answer: Answer) -> str:
    """The line under the page's title, as text."""
    asked = f'asked: {answer.model.checkpoint}' if answer.model else 'movement rules, no model'
    parts = (
        clock(answer.seconds),
        count(answer.tracks.num_persons, 'person'),
        count(len(answer.events), 'event'),
        asked,
    )
    return ' · '.join(parts)


def nothing(answer: Answer) -> str | None:
    """Why the list of events is empty, as text; None where it is not."""
    if answer.events:
        return None
    if not answer.tracks.num_persons or not answer.tracks.person_visible.any():
        return 'Nobody was seen in this video, so there was nobody to look at.'
    if answer.model is None:
        return 'Nothing happened that a movement rule looks for.'
    least = f'{answer.model.threshold:g} for {answer.model.min_seconds:g} s'
    return f'Nothing happened: no movement rule found anything, and no action of the model reached {least}.'


def facts(answer: Answer) -> str:
    """The sections below the curves, as HTML: what was lost, what was not looked for, who answered."""
    parts = [_section('What was lost, skipped or guessed', [*answer.notes, *_thinned(answer)])]
    lacking = [f'{rule}: {reason}' for rule, reason in answer.not_looked_for.items()]
    parts.append(_section('Not looked for', lacking))
    unavailable = [f'{name}: {reason}' for name, reason in answer.signals.unavailable.items()]
    parts.append(_section('Signals that these keypoints cannot give', unavailable))
    parts.append(_section('Who answered', _model(answer.model)))
    parts.append(_section('Read from', _tracks(answer)))
    return '\n'.join(part for part in parts if part)


def _section(title: str, sentences: list[str]) -> str:
    """A heading and a list; nothing where there is nothing to say."""
    if not sentences:
        return ''
    items = ''.join(f'<li>{escape(sentence)}</li>' for sentence in sentences)
    return f'<section><h3>{escape(title)}</h3><ul>{items}</ul></section>'


def _thinned(answer: Answer) -> list[str]:
    every = thinning(answer)
    if every == 1:
        return []
    return [f'To stay small, this page holds the keypoints and curves of one frame in {every}; the files hold all.']


def _model(model: ModelFacts | None) -> list[str]:
    rules = 'A rule’s score says how large the movement was (0.5: just large enough), not how probable the label is.'
    if model is None:
        return ['No model was asked: the events are what rules found in the movement signals.', rules]
    classes = f'{count(len(model.classes), "class")}: {", ".join(model.classes)}'
    said = [f'Model {model.checkpoint}, sha256 {model.sha256[:16]}…; {classes}.']
    if model.nothing:
        said.append(f'These mean that nothing happened, and make no event: {", ".join(model.nothing)}.')
    if model.window is None:
        said.append('It looked at the clip as a whole.')
    else:
        every = '' if model.stride is None else f', one every {model.stride:g} s'
        said.append(f'It looked through windows of {model.window:g} s{every}.')
    said.append(
        f'An event needs a smoothed probability of {model.threshold:g} and lasts at least {model.min_seconds:g} s; '
        'its score is its mean probability.'
    )
    if model.max_gap:
        said.append(
            f'Two events of one class at most {model.max_gap:g} s apart are told as one, '
            'unless another class is named between them.'
        )
    if model.nms_seconds:
        said.append(
            f'An event is left out where another class is likelier within {model.nms_seconds:g} s of its best moment.'
        )
    if model.by_rule:
        sure = f', where it gives them a probability of {model.confirm:g} or more' if model.confirm else ''
        said.append(
            f'The rules answer for {", ".join(model.by_rule)}{sure}; the model’s own events of these are left out.'
        )
    if model.by_model:
        said.append(f'The model answers for {", ".join(model.by_model)}; the rules’ events of these are left out.')
    return [*said, rules]


def _tracks(answer: Answer) -> list[str]:
    tracks = answer.tracks
    height, width = tracks.image_size
    said = [f'{count(tracks.num_frames, "frame")} of {width} x {height} pixels, keypoints {tracks.skeleton}.']
    for person, seen in enumerate(tracks.person_visible.mean(-1)):
        said.append(f'Person {person} is seen in {seen:.0%} of the frames.')
    return said
