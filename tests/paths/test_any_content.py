"""Every reader of a file that a stranger may have written, with whatever Hypothesis puts in the place of what it reads.

A reader gives what it promises, or a UserError of one line; it writes nothing. ``tests/helpers/readers.py`` says what
is read; ``EXAMPLES=500 pytest tests/paths/test_any_content.py`` tries as many of each.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from brightness import checkpoint
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import hold, places
from readers import TEXTS, TREES, VALUES
from skeleton_clips import write_checkpoint

from bmoe_app.answer import Event
from bmoe_ground.errors import UserError
from bmoe_ground.tables import Label
from bmoe_skel.checkpoint import load_trained
from bmoe_skel.datasets.event_tables import LabelledEvent
from bmoe_skel.datasets.ma52.lists import Entry
from bmoe_skel.datasets.social_gesture import Gesture
from bmoe_skel.metrics.localization import Segment
from face_aux.checkpoint import load_face_model
from face_aux.datasets.emotion import FerPlus
from face_aux.predictions import rows_of_csv
from mm_runtime.checkpoint import load_checkpoint
from pose_extract.boxes import VideoBoxes
from pose_extract.estimators.checkpoints import load_weights
from pose_extract.shards import ShardManifest
from pose_extract.skeleton import Skeleton

EXAMPLES = int(os.environ.get('EXAMPLES', '25'))
many = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=EXAMPLES < 100,
    suppress_health_check=list(HealthCheck),
)
few = settings(many, max_examples=max(EXAMPLES // 3, 1))  # where each reads a folder, or builds a model

# numbers and words that some reader, somewhere, takes for something else
WORDS = st.sampled_from(
    ['', '0', '-1', '1e999', 'nan', '-inf', '٣', '²', '1_0', '0x10', '1,5', '9' * 30, '9' * 5000, '"', "'", '/', '..',
     '.', '../../x', 'x' * 300, 'é' * 200, '=1+1', '{0}', '{rec_no.x}', '%s', '\ufeff', 'null', 'true', "!!int ''",
     '!!bool x', '!!timestamp x', '&a [*a]', '[' * 200, '- ' * 2000, '<!DOCTYPE x>', '&lt;', '&x;', '\x85', '\u2028',
     '\x1b[2J']
)  # fmt: skip
TEXT = WORDS | st.text(max_size=8)
NUMBERS = st.integers() | st.floats() | st.sampled_from([2**31, 2**63, -(2**64), 10**400, 1e308, 1e-320, -0.0])
SCALARS = st.none() | st.booleans() | NUMBERS | TEXT
KEYS = st.sampled_from(['name', 'start', 'label', 'type', 'x1']) | st.text(max_size=4)
ANY = st.recursive(
    SCALARS, lambda inside: st.lists(inside, max_size=4) | st.dictionaries(KEYS, inside, max_size=3), max_leaves=8
)
TOKENS = re.compile(r'([^\s,;"<>=:\[\]{}]+)')


def changed(draw: st.DrawFn, content: Any, anything: st.SearchStrategy = ANY) -> Any:
    """A copy with one to three values replaced, removed or doubled."""
    content = json.loads(json.dumps(content))
    for _ in range(draw(st.integers(1, 3))):
        every = list(places(content))
        if not every or draw(st.integers(0, 19)) == 0:
            return draw(anything)
        path = every[draw(st.integers(0, len(every) - 1))]
        holder = content
        for key in path[:-1]:
            holder = holder[key]
        what = draw(st.integers(0, 9))
        if what == 0:
            del holder[path[-1]]
        elif what == 1 and isinstance(holder, list):
            holder.append(holder[path[-1]])
        elif what == 2 and isinstance(holder, dict):
            holder[draw(KEYS)] = holder.pop(path[-1])
        else:
            holder[path[-1]] = draw(anything)
    return content


def changed_text(draw: st.DrawFn, text: str) -> str:
    """Some words of a text replaced by other texts, lines doubled or removed, or the end cut off."""
    tokens = TOKENS.split(text)
    for _ in range(draw(st.integers(1, 3))):
        # a header's words are as likely as all the rest
        at = draw(st.integers(0, len(tokens) - 1) | st.integers(0, min(len(tokens) - 1, 20)))
        tokens[at] = draw(TEXT)
    lines = ''.join(tokens).split('\n')
    what, at = draw(st.integers(0, 9)), draw(st.integers(0, len(lines) - 1))
    if what == 0:
        del lines[at:]
    elif what == 1:
        lines.insert(0, lines[at])
    elif what == 2:
        del lines[at]
    return '\n'.join(lines)


def changed_bytes(draw: st.DrawFn, raw: bytes) -> bytes:
    """Some bytes changed, and perhaps the end cut off."""
    data = bytearray(raw)
    for _ in range(draw(st.integers(0, 4))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.just(len(data)) | st.integers(0, len(data)))])


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where a reader's files lie; beside it nothing must appear."""
    made = tmp_path / 'in'
    made.mkdir()
    with contextlib.chdir(made):
        yield made
    assert [path.name for path in tmp_path.iterdir()] == ['in']


def held(read: Callable[[], object], folder: Path, where: str, writes: bool = False) -> str:
    """Whether it was read or refused; what was read keeps its promise, and no file has come or gone."""
    before = sorted(folder.rglob('*'))
    result: list[object] = []
    end = hold(lambda: result.append(read()), UserError, where)
    for one in result:
        check(one)
    assert writes or sorted(folder.rglob('*')) == before
    return end


def check(result: Any) -> None:
    """What readers promise of each kind of thing that they give."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, list):
        for one in result:
            check(one)
    elif isinstance(result, Event | LabelledEvent):
        assert 0 <= result.start <= result.end < 1e300 or isinstance(result, Event) and result.start <= result.end
        assert result.label.strip() and (result.person is None or result.person >= 0)
    elif isinstance(result, Segment | Gesture):
        assert 0 <= result.start < result.end < 1e300
    elif isinstance(result, Entry):
        assert 0 <= result.label < 52 and result.name.endswith('.mp4') and '/' not in result.name
    elif isinstance(result, Label):
        assert result.video
    elif isinstance(result, VideoBoxes):
        for found in result.frames.values():
            assert (found.boxes[:, :2] <= found.boxes[:, 2:]).all() and (
                (found.scores >= 0) & (found.scores <= 1)
            ).all()
    elif isinstance(result, Skeleton):
        assert sorted(i for each in result.regions.values() for i in each) == list(range(result.num_keypoints))
    elif isinstance(result, float):
        assert np.isfinite(result)


@pytest.mark.parametrize('kind', TEXTS)
def test_texts(folder: Path, kind: str, only_built_in: None) -> None:
    name, text, read = TEXTS[kind]
    path = folder / name

    @many
    @given(st.data())
    def try_it(data: st.DataObject) -> None:
        path.write_bytes(changed_text(data.draw, text).encode(errors='surrogatepass'))
        held(lambda: read(path), folder, kind)

    try_it()


@pytest.mark.parametrize('kind', VALUES)
def test_values(folder: Path, kind: str, only_built_in: None) -> None:
    name, value, write, read = VALUES[kind]
    if name.endswith('.pkl'):
        value = [
            {key: item.tolist() if hasattr(item, 'tolist') else item for key, item in one.items()} for one in value
        ]
    path = folder / name

    @many
    @given(st.data())
    def try_it(data: st.DataObject) -> None:
        content = changed(data.draw, value)
        if kind == 'curve' and not isinstance(content, list):
            content = [content]
        try:
            raw = write(content)
        except ValueError:  # YAML's writer knows no halves of surrogates
            raw = b''
        path.write_bytes(raw)
        held(lambda: read(path), folder, kind, writes=kind == 'curve')

    try_it()


@pytest.mark.parametrize('kind', TREES)
def test_folders(folder: Path, kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    tree = TREES[kind]
    tree.write(folder)
    path = folder / tree.file
    raw = path.read_bytes()
    writes = kind.startswith(('state', 'journal'))
    kept = {other: other.read_bytes() for other in folder.rglob('*') if writes and other.is_file()}
    assert held(lambda: tree.read(folder), folder, kind, writes) == 'read'

    @few
    @given(st.data())
    def try_it(data: st.DataObject) -> None:
        for other, content in kept.items():
            other.write_bytes(content)
        if path.suffix == '.npy':
            path.write_bytes(changed_bytes(data.draw, raw))
        elif path.suffix in ('.json', '.working', '.done'):
            path.write_text(json.dumps(changed(data.draw, json.loads(raw))))
        elif path.suffix == '.jsonl':
            path.write_text('\n'.join(json.dumps(changed(data.draw, json.loads(raw))) for _ in range(2)))
        else:
            path.write_bytes(changed_text(data.draw, raw.decode()).encode(errors='surrogatepass'))
        held(lambda: tree.read(folder), folder, kind, writes)

    try_it()


# a network of 10**9 channels is a fault of another kind: it is what was asked for
SMALL = st.none() | st.booleans() | st.integers(-1, 3) | st.floats(-1, 2) | TEXT | st.just(float('nan'))
SMALL_ANY = st.recursive(
    SMALL, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(KEYS, inside, max_size=2), max_leaves=5
)


def saved(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize('kind', ['recogniser', 'faces'])
def test_what_a_checkpoint_says_of_itself(folder: Path, kind: str, only_built_in: None) -> None:
    path = folder / 'x.pth'
    content = torch.load((write_checkpoint if kind == 'recogniser' else checkpoint)(path), weights_only=True)
    text = content['meta']['cfg']
    facts = {key: value for key, value in content['meta'].items() if key != 'cfg'}
    read: Callable[[Path], object] = load_trained if kind == 'recogniser' else load_face_model

    @few
    @given(st.data())
    def try_it(data: st.DataObject) -> None:
        meta = {**facts, 'cfg': text}
        if data.draw(st.booleans()):
            told = changed(data.draw, facts)
            meta = {**told, 'cfg': text} if isinstance(told, dict) else told
        else:
            meta['cfg'] = changed_config(data.draw, text)
        path.write_bytes(saved({**content, 'meta': meta}))
        held(lambda: read(path), folder, kind)

    try_it()


def changed_config(draw: st.DrawFn, text: str) -> str:
    """A config's text with a word of it replaced by some value."""
    words = re.split(r"('[^']*'|\d+(?:\.\d+)?|True|False|None)", text)
    for _ in range(draw(st.integers(1, 2))):
        words[2 * draw(st.integers(0, len(words) // 2 - 1)) + 1] = repr(draw(SMALL_ANY))
    return ''.join(words)


@pytest.mark.parametrize('read', [load_checkpoint, load_weights])
def test_checkpoints_of_anything(folder: Path, read: Callable[[Path], object]) -> None:
    path = folder / 'x.pth'
    good = {'state_dict': {'a.weight': [1.0, 2.0]}, 'meta': {'classes': ['a', 'b'], 'epoch': 3}}

    def with_weights(value: Any) -> Any:
        """Lists of numbers as tensors."""
        if isinstance(value, dict):
            return {key: with_weights(item) for key, item in value.items()}
        is_weight = isinstance(value, list) and value and all(type(item) is float for item in value)
        return torch.tensor(value) if is_weight else value

    @few
    @given(st.data())
    def try_it(data: st.DataObject) -> None:
        raw = saved(with_weights(changed(data.draw, good)))
        path.write_bytes(changed_bytes(data.draw, raw) if data.draw(st.booleans()) else raw)
        held(lambda: read(path), folder, read.__name__)

    try_it()


FOUND = [
    ('queue of commands', "a: '\"x'\n"),
    ('queue of commands', "a: !!int ''\n"),
    ('queue of commands', 'a: !!timestamp x\n'),
    ('queue of commands', f'a: {"[" * 400}\n'),
    ('layout', 'name: !!bool x\n'),
    ('layout', "name: !!float ''\n"),
    ('list of MA-52', f'a.mp4 {"9" * 5000}\n'),
    ('labelled clips', 'a ²\n'),
    ('labelled clips', f'a {"9" * 5000}\n'),
    ('label map', '[' * 100_000),
    ('label map', '{"age": [1]}'),
    ('JSON of splits', '[' * 100_000),
    ('JSON of splits', '9' * 5000),
    ('FER2013', f'emotion,pixels,Usage\n0,{"9" * 30},Training\n'),
    ('votes of FER+', f'Usage,Image name,{",".join(FerPlus.VOTES)}\nTraining,a,{"9" * 400}{",0" * 9}\n'),
    ('DFDC', '{"": {"label": "FAKE"}}'),
    ('preview of DFDC', '{"..": {"label": "FAKE", "set": "train"}, "/": {"label": "REAL", "set": "train"}}'),
    ('own faces', f'path,mood,age,person,x,y,w,h,part\n{"x" * 300}/a.png,calm,30,p1,1,2,10,12,train\n'),
    ('state of a queue', '[' * 100_000),
    ('state of a queue', '{"command": "true"}'),
]


@pytest.mark.parametrize(('kind', 'content'), FOUND, ids=lambda value: f'{value:.20}')
def test_what_was_a_traceback_is_refused(folder: Path, kind: str, content: str, only_built_in: None) -> None:
    if kind in TREES:
        tree = TREES[kind]
        tree.write(folder)
        (folder / tree.file).write_text(content)
        assert held(lambda: tree.read(folder), folder, kind) == 'refused'
    else:
        name, *_, read = TEXTS[kind] if kind in TEXTS else VALUES[kind]
        (folder / name).write_text(content)
        assert held(lambda: read(folder / name), folder, kind) == 'refused'


def test_what_was_a_traceback_is_passed_over(folder: Path) -> None:
    (folder / 'x.json').write_text(f'{"[" * 100_000}\n{{"loss": 1{"0" * 400}, "epoch": 1, "iter": 3}}\n')
    assert VALUES['curve'][3](folder / 'x.json') is None
    TREES['rows of faces'].write(folder)
    whole = (folder / 'faces.csv').read_text()
    (folder / 'faces.csv').write_text(f'{whole}b.png\n')
    assert [row.file for row in rows_of_csv(folder / 'faces.csv')] == ['a.png']
    (folder / 'out/.manifest').mkdir(parents=True)
    (folder / 'out/manifest.json').write_text('[]')
    with pytest.raises(UserError, match='not a manifest'):
        ShardManifest(folder / 'out').merge_parts(['a.mp4'])


@pytest.mark.parametrize('state', [[1.0], {1: torch.ones(1)}, {'a': 'b'}, {}])
def test_weights_that_are_none(folder: Path, state: Any) -> None:
    (folder / 'x.pth').write_bytes(saved({'state_dict': state}))
    if state and isinstance(state, dict) and 1 in state:
        assert [*load_weights(folder / 'x.pth')[0]] == ['1']
    else:
        with pytest.raises(UserError, match='no weights in it'):
            load_weights(folder / 'x.pth')
