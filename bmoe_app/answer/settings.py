"""How a trained model is asked about a video."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bmoe_ground.errors import UserError

DEFAULT_WINDOW = 2.0
"""Seconds of a window where a checkpoint does not say how long its training clips were."""
STRIDES = 4
"""Windows begin this many times within the length of one, where no stride is given."""
MIN_SEEN = 0.5
"""Share of a window's frames in which a person must be seen for the model to be asked."""
NOTHING = frozenset(
    ('nothing', 'none', 'null', 'no', 'noaction', 'nomicroaction', 'nogesture', 'noevent', 'nomovement', 'still')
    + ('sittingstill', 'standingstill', 'background', 'neutral', 'idle', 'rest', 'resting')
)
"""Names of classes that say that nothing happens, in small letters, letters only; they make no event."""


@dataclass(frozen=True)
class ModelSettings:
    """How a trained model is asked.

    Attributes:
        checkpoint: A checkpoint of ``bmoe train``.
        device: 'cpu', 'cuda', 'cuda:N', or 'auto' for a GPU where there is one.
        features: Folder of precomputed features, for a model that reads them.
        window: Seconds of a window; None takes the median duration of the training clips on whatever is longer than
            95 % of them, and the whole clip otherwise.
        stride: Seconds between two windows; None is a quarter of the window.
        threshold: Least smoothed probability of an event, 0..1.
        min_seconds: Shortest event that is told.
        max_gap: Longest gap between two events of one label that is closed, in seconds; None is the stride.
        nothing: Further classes that make no event, beside those named as in :data:`NOTHING`.
        by_rule: Classes for which a rule answers, where rules are asked and it can be evaluated; the model's events of
            them are left out. A class of :mod:`bmoe_skel.taxonomy` is told by the rule that is named there, another by
            the rule of its own name.
        confirm: Least probability, 0..1, that the model must give somewhere to what a rule of ``by_rule`` found; with 0
            a rule needs nobody.
        by_model: Rules that are left out, since the model answers for what they tell.
        nms_seconds: Non-maximum suppression, where classes exclude each other: an event is left out if within so many
            seconds of its best window another class has a higher score. None is half the window, 0 leaves none out.

    Raises:
        UserError: A value is outside its range.

    Example:
        >>> bmoe_app.ModelSettings(pathlib.Path('best.pth'), threshold=0.7).min_seconds
        0.2
    """

    checkpoint: Path
    device: str = 'cpu'
    features: str | None = None
    window: float | None = None
    stride: float | None = None
    threshold: float = 0.5
    min_seconds: float = 0.2
    max_gap: float | None = None
    nothing: tuple[str, ...] = ()
    by_rule: tuple[str, ...] = ()
    confirm: float = 0.0
    by_model: tuple[str, ...] = ()
    nms_seconds: float | None = None

    def __post_init__(self) -> None:
        for name in ('threshold', 'confirm'):
            if not 0 <= getattr(self, name) <= 1:
                raise UserError(f'{name}: must be within 0..1, got {getattr(self, name)}')
        for name in ('min_seconds', 'max_gap', 'nms_seconds'):
            value = getattr(self, name)
            if value is not None and not 0 <= value < float('inf'):
                raise UserError(f'{name}: must be seconds, 0 or more, got {value}')
        for name in ('window', 'stride'):
            value = getattr(self, name)
            if value is not None and not 0 < value < float('inf'):
                raise UserError(f'{name}: must be seconds above 0, got {value}')


def means_nothing(label: str) -> bool:
    """Whether a class says by its name that nothing happens.

    Example:
        >>> means_nothing('No action'), means_nothing('sitting still'), means_nothing('nod')
        (True, True, False)
    """
    return ''.join(letter for letter in label.casefold() if letter.isalpha()) in NOTHING
