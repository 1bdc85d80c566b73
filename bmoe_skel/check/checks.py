"""Going through a config's data before any training: what would fail, and what would mislead."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mmengine.config import Config

from bmoe_ground.errors import UserError
from bmoe_skel.datasets.base import PoseDataset
from bmoe_skel.registry import DATASETS
from pose_extract.skeletons import Skeleton, get_skeleton

SPLITS = ('train', 'val', 'test')
LEVELS = ('error', 'warning', 'note')
_FEW_FRAMES = 4
_RARE, _STEEP = 20, 50
_NAMED = 3


@dataclass(frozen=True)
class Finding:
    """Something to know before training.

    Attributes:
        level: 'error' where training would fail or its scores would mislead, 'warning' where they might, 'note' else.
        split: Which split; 'all' for what is between them.
        text: What, naming files, clips or classes.
    """

    level: str
    split: str
    text: str


@dataclass
class SplitFacts:
    """What one split holds, one entry a clip.

    Attributes:
        names: Clip names.
        labels: (N,) ints, or (N, C) for several labels; empty where they are hidden.
        frames: (N,) frames.
        seen: (N,) share of the keypoints that are there.
        score: (N,) mean score of those; NaN where the data has no scores.
        upright: (N,) 1 where the head is above the hips in the picture, 0 where below, NaN where it cannot be told.
        mirrored: (N,) 1 where the left shoulder is to the picture's left, likewise.
        moving: (N,) whether any keypoint moves.
        subjects: Who is seen, where the data says.
        digests: Of the keypoints.
    """

    names: list[str] = field(default_factory=list)
    labels: list[Any] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    seen: list[float] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    upright: list[float] = field(default_factory=list)
    mirrored: list[float] = field(default_factory=list)
    moving: list[bool] = field(default_factory=list)
    subjects: set[str] = field(default_factory=set)
    digests: dict[str, str] = field(default_factory=dict)


@dataclass
class CheckReport:
    """Everything that the check found.

    Attributes:
        findings: In order of splits.
        facts: Of each split that could be read.
        datasets: Likewise.
    """

    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, SplitFacts] = field(default_factory=dict)
    datasets: dict[str, PoseDataset] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether there is an error among the findings."""
        return any(finding.level == 'error' for finding in self.findings)

    def add(self, level: str, split: str, text: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(level, split, text))


def check_config(cfg: Config, samples: int = 200) -> CheckReport:
    """Check the data of a config's loaders.

    Args:
        cfg: The config, its shared ``dataset`` already given to the loaders.
        samples: Clips of each split that go through the whole pipeline.

    Returns:
        The report.
    """
    report = CheckReport()
    for split in SPLITS:
        loader = cfg.get(f'{split}_dataloader')
        if not loader:
            report.add('note', split, 'the config has no such data')
            continue
        try:
            once = {key: value for key, value in loader['dataset'].items() if key != 'epoch_clips'}
            dataset = DATASETS.build(once)
            report.facts[split] = collect(dataset)
        except (UserError, TypeError, KeyError) as error:
            report.add('error', split, f'cannot be read: {error}')
            continue
        report.datasets[split] = dataset
        _check_split(report, split, samples)
    _check_classes(report, cfg)
    _check_between(report)
    return report


def collect(dataset: PoseDataset) -> SplitFacts:
    """Go through all clips of a dataset.

    Args:
        dataset: The dataset.

    Returns:
        Its facts.
    """
    facts = SplitFacts()
    skeleton = get_skeleton(dataset.metainfo['skeleton'])
    for i in range(len(dataset)):
        clip = dataset.get_data_info(i)
        keypoint, score = clip['keypoint'], clip.get('keypoint_score')
        visible = np.isfinite(keypoint).all(-1)
        if score is not None:
            visible &= score > 0
        facts.names.append(str(clip.get('frame_dir', i)))
        if not dataset.labels_hidden:
            facts.labels.append(clip['label'])
        facts.frames.append(keypoint.shape[1])
        facts.seen.append(float(visible.mean()))
        facts.score.append(float(score[visible].mean()) if score is not None and visible.any() else np.nan)
        upright, mirrored = stance(keypoint[0], visible[0], skeleton)
        facts.upright.append(upright)
        facts.mirrored.append(mirrored)
        both = visible[:, 1:] & visible[:, :-1]
        facts.moving.append(bool((np.diff(keypoint, axis=1)[both] != 0).any()))
        if clip.get('subject') not in (None, ''):
            facts.subjects.add(str(clip['subject']))
        facts.digests.setdefault(hashlib.sha1(np.nan_to_num(keypoint).tobytes()).hexdigest(), facts.names[-1])
    return facts


def stance(points: np.ndarray, visible: np.ndarray, skeleton: Skeleton) -> tuple[float, float]:
    """Tell how a person is placed in the picture, from medians over the clip.

    Args:
        points: (T, K, C).
        visible: (T, K) bool.
        skeleton: The layout.

    Returns:
        Whether the head is above the hips (y points down), and whether the left shoulder is to the left of the right
        one in the picture: 1, 0, or NaN where it cannot be told or the data is 3D.
    """

    def median(joints: Sequence[int], axis: int) -> float:
        values = points[:, list(joints), axis][visible[:, list(joints)]]
        return float(np.median(values)) if len(values) else np.nan

    if points.shape[-1] != 2:
        return np.nan, np.nan
    height = median(skeleton.hips, 1) - median(skeleton.regions['head'], 1)
    width = median(skeleton.shoulders[:1], 0) - median(skeleton.shoulders[1:], 0)
    return (
        np.nan if np.isnan(height) or height == 0 else float(height > 0),
        np.nan if np.isnan(width) or width == 0 else float(width < 0),
    )


def _some(names: Sequence[str], chosen: np.ndarray) -> str:
    picked = [name for name, take in zip(names, chosen, strict=True) if take]
    more = f' and {len(picked) - _NAMED} more' if len(picked) > _NAMED else ''
    return f'{len(picked)} of {len(names)} clips ({", ".join(picked[:_NAMED])}{more})'


def _check_split(report: CheckReport, split: str, samples: int) -> None:
    dataset, facts = report.datasets[split], report.facts[split]
    for attribute, what, level in (
        ('unseen', 'nobody is seen in', 'warning'),
        ('without_poses', 'no keypoints for', 'warning'),
        ('half_precision', 'float16, in steps of half a pixel and more beyond 512:', 'warning'),
    ):
        names = getattr(dataset, attribute, [])
        if names:
            report.add(level, split, f'{what} {len(names)} clips, first {names[0]}')
    frames, seen = np.array(facts.frames), np.array(facts.seen)
    for chosen, what in (
        (frames < _FEW_FRAMES, f'fewer than {_FEW_FRAMES} frames'),
        (~np.array(facts.moving), 'nothing moves'),
        (seen < 0.3, 'less than 30 % of the keypoints are there'),
    ):
        if chosen.any():
            report.add('warning', split, f'{what} in {_some(facts.names, chosen)}')
    _check_stance(report, split)
    score = np.array(facts.score)
    if np.isnan(score).all():
        report.add('note', split, 'the keypoints have no scores')
    elif np.nanmax(score) > 1:
        report.add('warning', split, f'scores above 1 in {_some(facts.names, np.nan_to_num(score) > 1)}')
    elif np.nanstd(score) == 0:
        report.add('note', split, f'all scores are {np.nanmean(score):g}')
    if dataset.labels_hidden:
        report.add('note', split, 'labels are hidden: no score can be computed')
    _check_pipeline(report, split, samples)


def _check_stance(report: CheckReport, split: str) -> None:
    facts = report.facts[split]
    for values, what, level in (
        (facts.upright, 'the head is below the hips: another layout, or y points up?', 'error'),
        (facts.mirrored, 'left is left in the picture: seen from behind, or left and right are swapped?', 'warning'),
    ):
        known = np.array(values)[~np.isnan(values)]
        share = float(known.mean()) if len(known) else 0.0
        wrong = 1 - share if level == 'error' else share
        if len(known) and wrong > 0.5:
            report.add(level, split, f'in {wrong:.0%} of {len(known)} clips {what}')


def _check_pipeline(report: CheckReport, split: str, samples: int) -> None:
    dataset = report.datasets[split]
    count = len(dataset)
    failures: list[str] = []
    for i in np.unique(np.linspace(0, count - 1, min(samples, count)).round().astype(int)).tolist():
        try:
            dataset.prepare_data(i)
        except (ValueError, TypeError, KeyError, IndexError) as error:
            failures.append(f'{report.facts[split].names[i]}: {error}')
    if failures:
        report.add('error', split, f'{len(failures)} clips fail in the pipeline, first {failures[0]}')


def _check_classes(report: CheckReport, cfg: Config) -> None:
    counts = {split: d.metainfo['class_counts'] for split, d in report.datasets.items() if not d.labels_hidden}
    if 'train' in counts:
        classes, train = report.datasets['train'].metainfo['classes'], np.array(counts['train'])
        absent = [name for name, count in zip(classes, train, strict=True) if not count]
        if absent:
            report.add('error', 'train', f'{len(absent)} classes have no clip: {", ".join(absent)}')
        rare = [f'{name} {count}' for name, count in zip(classes, train, strict=True) if 0 < count < _RARE]
        if rare:
            report.add('warning', 'train', f'{len(rare)} classes have fewer than {_RARE} clips: {", ".join(rare)}')
        ratio = train.max() / max(train.min(), 1)
        balance = (cfg.model.get('head') or {}).get('loss') or {}
        report.add('note', 'train', f'the largest class has {ratio:.0f} times the clips of the smallest')
        if ratio > _STEEP and balance.get('balance') is None:
            report.add('warning', 'train', 'a long tail, and model.head.loss.balance is not set')
    for split, numbers in counts.items():
        empty = [n for n, c in zip(report.datasets[split].metainfo['classes'], numbers, strict=True) if not c]
        if empty and split != 'train':
            report.add(
                'warning', split, f'{len(empty)} classes have no clip and no part in its score: {", ".join(empty)}'
            )
    facts = {split: (d.metainfo['classes'], d.metainfo['skeleton']) for split, d in report.datasets.items()}
    if len({repr(value) for value in facts.values()}) > 1:
        report.add('error', 'all', 'the splits have different classes or skeletons')


def _check_between(report: CheckReport) -> None:
    splits = list(report.facts)
    for i, one in enumerate(splits):
        for two in splits[i + 1 :]:
            if report.datasets[one].source == report.datasets[two].source:
                report.add('warning', 'all', f'{one} and {two} are the same clips')
                continue
            a, b = report.facts[one], report.facts[two]
            same = sorted(set(a.names) & set(b.names))
            if same:
                report.add('error', 'all', f'{len(same)} clips are in {one} and {two}, first {same[0]}')
            copies = [(a.digests[d], b.digests[d]) for d in a.digests.keys() & b.digests.keys()]
            copies = [pair for pair in copies if pair[0] != pair[1]]
            if copies:
                first = ' = '.join(min(copies))
                report.add(
                    'error', 'all', f'{len(copies)} clips of {one} and {two} have equal keypoints, first {first}'
                )
            people = a.subjects & b.subjects
            if people:
                report.add(
                    'warning',
                    'all',
                    f'{one} and {two} share {len(people)} subjects ({len(a.subjects)} and {len(b.subjects)} in all): '
                    'the score says little about people who were not trained on',
                )
