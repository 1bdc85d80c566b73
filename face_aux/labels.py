"""Label maps of the public face sets, as data: the class order here is the order of every score vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bmoe_ground.errors import UserError

IGNORE = -1
"""Ground truth of a sample that has no label for a task; the losses and metrics leave it out."""

UNKNOWN = '(unknown)'
"""Group of a sample that names none."""
MISSING = frozenset(('', 'nan', 'na', 'n/a', '<na>', 'none', 'null', 'unknown', UNKNOWN))
"""How tables write a group that is not known, in small letters."""


@dataclass(frozen=True)
class Task:
    """What one head predicts.

    Args:
        classes: Class names in index order; attribute names where ``multi_label``.
        multi_label: Whether each entry of ``classes`` is an independent yes or no.
    """

    classes: tuple[str, ...]
    multi_label: bool = False

    def index(self, name: str, where: str) -> int:
        """The index of class ``name``.

        Raises:
            UserError: The class is unknown; ``where`` (file and line) opens the message.
        """
        try:
            return self.classes.index(name)
        except ValueError:
            raise UserError(f'{where}: unknown label {name!r}; known labels: {", ".join(self.classes)}') from None

    def to_dict(self) -> dict:
        """The task as plain data for ``metainfo``, configs and checkpoints."""
        return {'classes': list(self.classes), 'multi_label': self.multi_label}


GENDER = ('male', 'female')
FAKE = ('real', 'fake')

FAIRFACE_RACE = (
    'White',
    'Black',
    'Latino_Hispanic',
    'East Asian',
    'Southeast Asian',
    'Indian',
    'Middle Eastern',
)
FAIRFACE_AGE = ('0-2', '3-9', '10-19', '20-29', '30-39', '40-49', '50-59', '60-69', '70+')
# The published CSV says 'more than 70' where the authors' predict.py says '70+'; a spreadsheet turns 3-9 and
# 10-19 into dates.
FAIRFACE_AGE_ALIASES = {
    'more than 70': '70+',
    **dict.fromkeys(('3-Sep', '03-Sep', 'Sep-3', 'Sep-03', '9-Mar', '09-Mar', 'Mar-9', 'Mar-09', '03-09'), '3-9'),
    **dict.fromkeys(('Oct-19', '19-Oct'), '10-19'),
}

UTKFACE_RACE = ('White', 'Black', 'Asian', 'Indian', 'Others')

CELEBA_ATTRIBUTES = (
    '5_o_Clock_Shadow', 'Arched_Eyebrows', 'Attractive', 'Bags_Under_Eyes', 'Bald', 'Bangs', 'Big_Lips', 'Big_Nose',
    'Black_Hair', 'Blond_Hair', 'Blurry', 'Brown_Hair', 'Bushy_Eyebrows', 'Chubby', 'Double_Chin', 'Eyeglasses',
    'Goatee', 'Gray_Hair', 'Heavy_Makeup', 'High_Cheekbones', 'Male', 'Mouth_Slightly_Open', 'Mustache',
    'Narrow_Eyes', 'No_Beard', 'Oval_Face', 'Pale_Skin', 'Pointy_Nose', 'Receding_Hairline', 'Rosy_Cheeks',
    'Sideburns', 'Smiling', 'Straight_Hair', 'Wavy_Hair', 'Wearing_Earrings', 'Wearing_Hat', 'Wearing_Lipstick',
    'Wearing_Necklace', 'Wearing_Necktie', 'Young',
)  # fmt: skip

FER2013_EMOTION = ('angry', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral')
FERPLUS_EMOTION = ('neutral', 'happiness', 'surprise', 'sadness', 'anger', 'disgust', 'fear', 'contempt')
AFFECTNET_EMOTION = ('Neutral', 'Happy', 'Sad', 'Surprise', 'Fear', 'Disgust', 'Anger', 'Contempt')
AFFECTNET_NOT_EMOTION = {8: 'None', 9: 'Uncertain', 10: 'Non-face'}
RAFDB_EMOTION = ('Surprise', 'Fear', 'Disgust', 'Happiness', 'Sadness', 'Anger', 'Neutral')
RAFDB_GENDER = ('male', 'female', 'unsure')
RAFDB_RACE = ('Caucasian', 'African-American', 'Asian')
RAFDB_AGE = ('0-3', '4-19', '20-39', '40-69', '70+')

FF_METHODS = ('Deepfakes', 'Face2Face', 'FaceSwap', 'NeuralTextures', 'FaceShifter')


def bin_label(value: float, edges: Sequence[float]) -> str:
    """Name the bin of ``value``: edges (0, 18, 30) give '0-17', '18-29' and '30+'.

    Args:
        value: At least ``edges[0]``.
        edges: Ascending lower bounds of the bins, whole numbers.

    Raises:
        ValueError: ``value`` lies below the first edge.
    """
    below = [i for i, edge in enumerate(edges) if value >= edge]
    if not below:
        raise ValueError(f'{value} lies below the first bin edge {edges[0]}')
    return bin_names(edges)[below[-1]]


def bin_names(edges: Sequence[float]) -> list[str]:
    """The names of the bins that ``edges`` make, in order."""
    inner = [f'{low:g}-{high - 1:g}' for low, high in zip(edges, edges[1:], strict=False)]
    return [*inner, f'{edges[-1]:g}+']


def check_label_map(expected: Mapping[str, Sequence[str]], found: Mapping[str, Sequence[str]], where: str) -> None:
    """Refuse a model whose tasks or class names differ from the data's.

    Args:
        expected: Task name to class names, as the data or the user has them.
        found: The same, as the checkpoint has them.
        where: Opens the message, usually the checkpoint's path.

    Raises:
        UserError: A task is absent, or its class names or their order differ; the message shows both.
    """
    for task, classes in expected.items():
        if task not in found:
            raise UserError(f'{where}: has no task {task!r}; its tasks are {sorted(found)}')
        if list(classes) != list(found[task]):
            raise UserError(
                f'{where}: task {task!r} was trained with the classes {list(found[task])}, '
                f'but {list(classes)} are asked for; use a checkpoint with the same label map'
            )
