"""How many samples each class of a face set has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from face_aux.datasets.records import Record
from face_aux.labels import IGNORE, Task


def count_classes(records: Sequence[Record], tasks: Mapping[str, Task]) -> dict[str, dict[str, int]]:
    """Count the samples of each class by task; an attribute of a multi-label task counts as a task of its own.

    Samples without a label for a task do not count, as in the losses.

    Args:
        records: Labelled samples.
        tasks: The tasks to count.

    Returns:
        Task to class name to count; an attribute is called ``<task>:<attribute>``, as in the reports.

    Example:
        >>> records = [Record('1.jpg', {'look': [1, 0]}), Record('2.jpg', {'look': [0, -1]})]
        >>> count_classes(records, {'look': Task(('Bald', 'Smiling'), multi_label=True)})
        {'look:Bald': {'not Bald': 1, 'Bald': 1}, 'look:Smiling': {'not Smiling': 1, 'Smiling': 0}}
    """
    counts: dict[str, dict[str, int]] = {}
    for name, task in tasks.items():
        labels = [record.gt[name] for record in records if name in record.gt]
        if task.multi_label:
            for i, attribute in enumerate(task.classes):
                column = [label[i] for label in labels if isinstance(label, Sequence)]
                counts[f'{name}:{attribute}'] = _count(column, (f'not {attribute}', attribute))
        else:
            counts[name] = _count(labels, task.classes)
    return counts


def _count(labels: Sequence[int], classes: Sequence[str]) -> dict[str, int]:
    found = Counter(int(label) for label in labels if label != IGNORE)
    return {name: found[index] for index, name in enumerate(classes)}
