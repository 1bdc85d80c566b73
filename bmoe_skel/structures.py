"""What travels with a clip through the model: its label, and what the model says of it."""

from __future__ import annotations

from mmengine.structures import BaseDataElement
from torch import Tensor


class ActionSample(BaseDataElement):
    """One clip's label and prediction.

    Attributes:
        gt_label: () int64, or (num_classes,) float 0/1 for several labels.
        pred_scores: (num_classes,) probabilities.
        pred_body_scores: (num_body_parts,) probabilities, where the model has a body-level answer.
        routing: (4, T') weight of each region at each step, in the order of ``pose_extract.skeletons.REGIONS``,
            averaged over persons and cuts.
        part_scores: (4 or 5, num_classes) probabilities by the classifiers of each region's expert alone and, where
            there is one, of the global stream; 0 for a region that is never seen.
        name: The clip's name (metainfo), for display.
        recording: The longer video of which the clip is a window, where it is one (metainfo).
        start: Seconds into it at which the window begins, likewise.
        end: Seconds into it at which the window ends, likewise.
    """

    gt_label: Tensor
    pred_scores: Tensor
    pred_body_scores: Tensor
    routing: Tensor
    part_scores: Tensor
