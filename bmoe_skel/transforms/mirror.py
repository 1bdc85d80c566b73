"""Left and right: the mirror image of a clip, in training and in tests, and what it does to the label."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

import numpy as np

from bmoe_skel.clip import Clip
from bmoe_skel.registry import TRANSFORMS
from pose_extract.skeletons import get_skeleton


@TRANSFORMS.register_module()
class RandomFlip:
    """Mirror the clip left to right, swapping left and right keypoints.

    Args:
        prob: Share of clips that are mirrored.
        keep_classes: Labels whose clips are never mirrored, because the side is part of the label.
        label_map: Label to the label of the mirrored action, for classes that come in a left and a right form.
        by_name: Find both from the class names (the clip's ``classes``): the mirrored clip of a class whose name holds
            the word 'left' or 'right' belongs to the class of the other name, and is not mirrored if there is none.
    """

    def __init__(
        self,
        prob: float = 0.5,
        keep_classes: Sequence[int] = (),
        label_map: dict[int, int] | None = None,
        by_name: bool = False,
    ) -> None:
        if by_name and (keep_classes or label_map):
            raise ValueError('RandomFlip: give by_name, or keep_classes and label_map, not both')
        self.prob = prob
        self.keep_classes = frozenset(keep_classes)
        self.label_map = {int(a): int(b) for a, b in (label_map or {}).items()}
        self.by_name = by_name

    def __call__(self, clip: Clip) -> Clip:
        """Change one clip."""
        label, keep, renamed = clip.get('label'), self.keep_classes, self.label_map
        if self.by_name and label is not None:
            keep, renamed = mirrored_classes(tuple(clip['classes']))
        present = {label} if isinstance(label, int) else set() if label is None else set(np.flatnonzero(label).tolist())
        if not keep.isdisjoint(present) or clip['rng'].random() >= self.prob:
            return clip
        clip['keypoint'], clip['visible'] = mirrored(clip)
        if isinstance(label, int):
            clip['label'] = renamed.get(label, label)
        elif label is not None:
            clip['label'] = np.asarray(label)[[renamed.get(i, i) for i in range(len(label))]]
        clip['flipped'] = True
        return clip


def mirrored(clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """Mirror a clip left to right.

    Args:
        clip: With ``keypoint`` (..., V, C), ``visible`` (..., V) and ``skeleton``.

    Returns:
        Copies of both, left and right keypoints swapped and x negated.
    """
    flip = get_skeleton(clip['skeleton']).flip_indices
    keypoint = clip['keypoint'][..., flip, :]
    keypoint[..., 0] *= -1
    return keypoint, clip['visible'][..., flip]


@TRANSFORMS.register_module()
class AddMirrored:
    """Add the mirror image of every cut, for a test that averages the scores of cuts; after ``SampleFrames``.

    A set in which the side is part of a class, as :func:`mirrored_classes` tells from the names, is left alone.
    """

    def __call__(self, clip: Clip) -> Clip:
        """Double the cuts of one clip: (S, M, T, V, C) becomes (2 S, M, T, V, C)."""
        keep, renamed = mirrored_classes(tuple(clip['classes']))
        if not keep and not renamed:
            keypoint, visible = mirrored(clip)
            clip['keypoint'] = np.concatenate([clip['keypoint'], keypoint])
            clip['visible'] = np.concatenate([clip['visible'], visible])
            clip['pace'] = np.tile(clip['pace'], (2, 1))
        return clip


@functools.cache
def mirrored_classes(names: tuple[str, ...]) -> tuple[frozenset[int], dict[int, int]]:
    """Tell from their names what becomes of classes in a mirror.

    Args:
        names: Class names in label order.

    Returns:
        The labels whose name holds the word 'left' or 'right' and that have no counterpart, and label to counterpart
        for those that have one. Case, and whether words are joined by spaces, hyphens or underscores, do not matter.
    """
    plain = [re.sub(r'[\W_]+', ' ', name).strip().lower() for name in names]
    swapped = [re.sub(r'\b(left|right)\b', lambda m: {'left': 'right', 'right': 'left'}[m[0]], name) for name in plain]
    keep, renamed = set(), {}
    for label, (name, mirror) in enumerate(zip(plain, swapped, strict=True)):
        if name != mirror:
            if mirror in plain:
                renamed[label] = plain.index(mirror)
            else:
                keep.add(label)
    return frozenset(keep), renamed
