"""The check of a data set as text, as JSON, and as a sheet of examples."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.files import atomic_write
from bmoe_skel.check.checks import LEVELS, CheckReport
from bmoe_skel.datasets.base import PoseDataset
from pose_extract.skeletons import REGIONS, get_skeleton, region_hex


def as_dict(report: CheckReport) -> dict[str, Any]:
    """Sum a report up in JSON types.

    Args:
        report: The report.
    """
    splits = {}
    for split, facts in report.facts.items():
        dataset = report.datasets[split]
        splits[split] = {
            'clips': len(facts.names),
            'without_people': len(getattr(dataset, 'unseen', [])),
            'frames': [int(value) for value in np.percentile(facts.frames, (0, 50, 100))],
            'keypoints_seen': float(np.mean(facts.seen)),
            'mean_score': None if np.isnan(facts.score).all() else float(np.nanmean(facts.score)),
            'subjects': len(facts.subjects),
            'class_counts': dict(zip(dataset.metainfo['classes'], dataset.metainfo['class_counts'], strict=True))
            if 'class_counts' in dataset.metainfo
            else None,
        }
    findings = [{'level': f.level, 'split': f.split, 'text': f.text} for f in report.findings]
    return {'failed': report.failed, 'splits': splits, 'findings': findings}


def as_text(report: CheckReport) -> str:
    """Write a report as lines to read.

    Args:
        report: The report.
    """
    facts = as_dict(report)
    lines = [
        f'{"split":<6} {"clips":>6} {"nobody":>6} {"frames min/median/max":>22} {"seen":>6} {"score":>6} {"people":>6}'
    ]
    for split, row in facts['splits'].items():
        score = '-' if row['mean_score'] is None else f'{row["mean_score"]:.2f}'
        lines.append(
            f'{split:<6} {row["clips"]:>6} {row["without_people"]:>6} {"/".join(map(str, row["frames"])):>22} '
            f'{row["keypoints_seen"]:>6.1%} {score:>6} {row["subjects"]:>6}'
        )
    counted = {split: row['class_counts'] for split, row in facts['splits'].items() if row['class_counts']}
    if counted:
        names = list(next(iter(counted.values())))
        width = max(map(len, names))
        lines += ['', f'{"class":<{width}} ' + ' '.join(f'{split:>6}' for split in counted)]
        lines += [f'{n:<{width}} ' + ' '.join(f'{c.get(n, 0):>6}' for c in counted.values()) for n in names]
    lines.append('')
    for level in LEVELS:
        lines += [f'{f.level}: {f.split}: {f.text}' for f in report.findings if f.level == level]
    return '\n'.join(lines)


def draw_examples(path: Path, datasets: dict[str, PoseDataset], columns: int = 6, rows: int = 5) -> None:
    """Draw clips of as many classes as fit, each by its first, middle and last frame on top of one another.

    Args:
        path: The PNG file to write.
        datasets: Of each split; the first that there is gives the clips.
        columns: Pictures in a row.
        rows: Rows.
    """
    from matplotlib.figure import Figure  # drawing only

    dataset = next(iter(datasets.values()))
    classes, skeleton = dataset.metainfo['classes'], get_skeleton(dataset.metainfo['skeleton'])
    region = {joint: name for name in REGIONS for joint in skeleton.regions[name]}
    picture = Figure(figsize=(2.4 * columns, 2.7 * rows), layout='constrained')
    for k, index in enumerate(_examples(dataset, columns * rows)):
        clip = dataset.get_data_info(index)
        axes = picture.add_subplot(rows, columns, k + 1)
        axes.set_axis_off()
        axes.set_aspect('equal')
        axes.invert_yaxis()
        label = clip['label']
        shown = (
            [classes[c] for c in np.flatnonzero(label)] if np.ndim(label) else [classes[label]] if label >= 0 else ['?']
        )
        axes.set_title(f'{", ".join(shown)}\n{str(clip.get("frame_dir", ""))[-28:]}', fontsize=7)
        keypoint, score = clip['keypoint'], clip.get('keypoint_score')
        frames = keypoint.shape[1]
        for t, opacity in ((0, 0.3), (frames // 2, 0.6), (frames - 1, 1.0)):
            for person in range(len(keypoint)):
                points = keypoint[person, t]
                there = np.isfinite(points).all(-1) & (score is None or score[person, t] > 0)
                for parent, child in skeleton.edges:
                    if there[parent] and there[child]:
                        ends = points[[parent, child]]
                        axes.plot(*ends.T, color=region_hex(region[child]), alpha=opacity, linewidth=1)
    buffer = io.BytesIO()
    picture.savefig(buffer, format='png', dpi=110)
    with atomic_write(path) as file:
        file.write(buffer.getvalue())


def _examples(dataset: PoseDataset, count: int) -> list[int]:
    """One clip a class, evenly over the classes, and further clips where there are few classes."""
    by_class: dict[str, list[int]] = {}
    for i in range(len(dataset)):
        by_class.setdefault(str(dataset.get_data_info(i)['label']), []).append(i)
    turns = [members[k] for k in range(count) for members in by_class.values() if k < len(members)]
    if len(by_class) <= count:
        return sorted(turns[:count])
    chosen = np.linspace(0, len(by_class) - 1, count).round().astype(int)
    return sorted(members[0] for members in (list(by_class.values())[c] for c in chosen))
