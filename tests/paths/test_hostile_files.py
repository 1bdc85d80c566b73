"""More than 200 hostile files: none runs anything, writes beside itself, opens a connection or gets past its reader.

Checkpoints whose config names programs are tried in ``tests/bmoe_skel/test_inferencer.py`` and
``tests/mm_runtime/test_registry.py``.
"""

from __future__ import annotations

import io
import pickle
import socket
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mutations import hold, mutate_bytes

from bmoe_ground.errors import UserError
from bmoe_ground.npz import load_npz
from bmoe_ground.safe_pickle import load_pickle
from bmoe_ground.video import VideoError, open_video
from face_aux.images import read_image
from mm_runtime.checkpoint import load_checkpoint
from pose_extract.crops import load_crops
from pose_extract.tracks import load_tracks

CANARY = 'executed'
Read = Callable[[Path], object]


class Call:
    """Pickled, it asks whoever reads it for a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.how = function, arguments

    def __reduce__(self) -> Any:
        return self.how


def named(module: str, name: str, argument: str, protocol: int) -> bytes:
    """A pickle that calls ``module.name(argument)``, whether or not such a thing is here."""
    if protocol < 4:
        return f'c{module}\n{name}\n(S{argument!r}\ntR.'.encode()
    texts = b''.join(b'\x8c' + bytes([len(t)]) + t.encode() for t in (module, name))
    return b'\x80\x04' + texts + b'\x93\x8c' + bytes([len(argument)]) + argument.encode() + b'\x85R.'


def pickles() -> Iterator[tuple[str, bytes]]:
    command, code = f'touch {CANARY}', f'open({CANARY!r}, "w")'
    calls = [
        ('os', 'system', command), ('posix', 'system', command), ('subprocess', 'getoutput', command),
        ('subprocess', 'Popen', command), ('builtins', 'eval', code), ('builtins', 'exec', code),
        ('__builtin__', 'eval', code), ('builtins', '__import__', 'antigravity'), ('runpy', 'run_path', CANARY),
        ('importlib', 'import_module', 'antigravity'), ('builtins', 'open', CANARY), ('pathlib', 'Path.touch', CANARY),
        ('os', 'popen', command), ('pty', 'spawn', command), ('webbrowser', 'open', 'http://127.0.0.1:9'),
        ('numpy', 'load', CANARY), ('numpy', 'f2py.crackfortran.myeval', code), ('torch', 'load', CANARY),
        ('numpy.testing._private.utils', 'runstring', code), ('pickle', 'loads', 'x'), ('builtins', 'getattr', 'x'),
        ('urllib.request', 'urlopen', 'http://127.0.0.1:9'), ('shutil', 'rmtree', '.'), ('mmengine', 'Config', CANARY),
    ]  # fmt: skip
    for module, name, argument in calls:
        for protocol in (0, 4):
            yield f'{module}.{name} protocol {protocol}', named(module, name, argument, protocol)
    for depth in ({'a': None}, [None], (None,), {'annotations': [None], 'split': {}}):
        holder = pickle.dumps(depth, 0)
        yield f'inside {depth}', holder.replace(b'N', named('os', 'system', command, 0)[:-1])
    yield 'persistent id', b'Pos.system\n.'
    yield 'long text', b'\x80\x04\x8d' + struct.pack('<Q', 2**62) + b'x.'
    yield 'deep', b'(' * 10**6 + b'.'


def checkpoints() -> Iterator[tuple[str, bytes]]:
    for name, raw in pickles():
        yield f'bare {name}', raw
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, 'w') as archive:
            archive.writestr('archive/data.pkl', raw)
            archive.writestr('archive/version', '3\n')
            archive.writestr('archive/byteorder', 'little')
        yield f'zip {name}', buffer.getvalue()
    buffer = io.BytesIO()
    torch.save({'state_dict': {}, 'meta': Call(eval, f'open({CANARY!r}, "w")')}, buffer)
    yield 'saved by torch', buffer.getvalue()


def npy(array: Any = None, header: str | None = None, body: bytes = b'') -> bytes:
    buffer = io.BytesIO()
    if header is None:
        np.save(buffer, array, allow_pickle=True)
        return buffer.getvalue()
    text = header.encode() + b'\n'
    return b'\x93NUMPY\x01\x00' + struct.pack('<H', len(text)) + text + body


def archives() -> Iterator[tuple[str, bytes]]:
    hostile = np.array([Call(eval, f'open({CANARY!r}, "w")')], dtype=object)
    members: dict[str, dict[str, bytes]] = {
        'objects': {'keypoints.npy': npy(hostile)},
        'objects in the layout': {'skeleton.npy': npy(hostile)},
        'no array': {'keypoints.npy': pickle.dumps(Call(eval, f'open({CANARY!r}, "w")'))},
        'huge shape': {'keypoints.npy': npy(header="{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999,)}")},
        'negative': {'keypoints.npy': npy(header="{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 4)}")},
        'code in a header': {'keypoints.npy': npy(header=f"open({CANARY!r}, 'w')")},
        'call in a header': {'keypoints.npy': npy(header="{'descr': __import__('os'), 'shape': ()}")},
        'deep header': {'keypoints.npy': npy(header='(' * 5000)},
        'nothing': {},
    }
    for name in ('../x.npy', '/tmp/x.npy', '..\\x.npy', 'a/../../x.npy', '\x1b[2Jx.npy', '=cmd.npy', '\u202ex.npy'):
        members[f'name {name!r}'] = {name: npy(np.zeros(3))}
    for name, content in members.items():
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_DEFLATED) as archive:
            for member, raw in content.items():
                archive.writestr(member, raw)
        yield name, buffer.getvalue()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_DEFLATED) as archive, archive.open('keypoints.npy', 'w') as file:
        file.write(npy(header="{'descr': '<f4', 'fortran_order': False, 'shape': (1, 10, 17, 2)}"))
        for _ in range(64):
            file.write(bytes(2**20))
    yield 'bomb', buffer.getvalue()


def texts() -> Iterator[tuple[str, bytes]]:
    """What makes a program of the system do something: for readers of pictures and of videos."""
    yield 'EPS', f'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n({CANARY}) (w) file closefile\n'.encode()
    yield 'PDF', b'%PDF-1.4\n1 0 obj<</OpenAction<</S/Launch/F(touch executed)>>>>endobj\n'
    yield 'SVG', b'<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1:9/x"/></svg>'
    yield 'entities', b'<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>'
    yield 'MVG', b'push graphic-context\nfill \'url(http://127.0.0.1:9/"|touch executed")\'\n'
    yield 'HLS', b'#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n'
    yield 'HLS by http', b'#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x\n#EXT-X-ENDLIST\n'
    yield 'concat', b"ffconcat version 1.0\nfile '/etc/passwd'\n"
    yield 'address', b'http://127.0.0.1:9/x.mp4\n'
    yield 'RTSP', b'RTSPtext\nrtsp://127.0.0.1:9/x\n'
    yield 'SDP', b'v=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n'
    yield 'script', f'#!/bin/sh\ntouch {CANARY}\n'.encode()
    yield 'PNG bomb', b'\x89PNG\r\n\x1a\n\0\0\0\rIHDR' + struct.pack('>II', 2**31 - 1, 2**31 - 1) + bytes(9)
    yield 'empty', b''
    yield 'zeros', bytes(4096)


PICTURES = [f'x{suffix}' for suffix in ('.jpg', '.png')] + ['=cmd.jpg', '\u202egpj.jpg', '\x1b[2J<b>.jpg', 'http:x.jpg']
VIDEOS = [
    'x.mp4',
    'x.avi',
    'x.m3u8',
    '\u202e4pm.mp4',
    '<img src=x>.mp4',
    '|touch executed.mp4',
    'concat:x.mp4',
    '%d.avi',
]


def files() -> Iterator[tuple[str, str, bytes, Read]]:
    """Kind, name, content and reader of every hostile file."""
    for kind, raw in pickles():
        yield f'pickle {kind}', 'x.pkl', raw, load_pickle
    for kind, raw in checkpoints():
        yield f'checkpoint {kind}', 'x.pth', raw, load_checkpoint
    for kind, raw in archives():
        yield f'track {kind}', 'x.npz', raw, load_tracks
        yield f'crops {kind}', 'x.rgb', raw, load_crops
        if 'name' not in kind and kind != 'nothing':  # sound arrays under odd names, harmless, and read as such
            yield f'npz {kind}', 'x.npz', raw, load_npz
    for kind, raw in texts():
        for name in PICTURES:
            yield f'picture {kind} {name!r}', name, raw, read_image
        for name in VIDEOS:
            yield f'video {kind} {name!r}', name, raw, open_video


def test_two_hundred_hostile_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / 'in'
    folder.mkdir()
    monkeypatch.chdir(folder)

    def no_network(*_: object, **__: object) -> None:
        raise AssertionError('a connection was tried')

    monkeypatch.setattr(socket.socket, 'connect', no_network)
    wrong, kinds = [], set()
    for kind, name, raw, read in files():
        path = folder / name
        path.write_bytes(raw)
        try:
            read(path)
            wrong.append(f'{kind}: read')
        except (UserError, VideoError):
            pass
        except Exception as error:
            wrong.append(f'{kind}: {type(error).__name__}: {error!s:.100}')
        path.unlink()
        left = [found.name for found in tmp_path.rglob('*') if found != folder]
        if left:
            wrong.append(f'{kind}: left {left}')
            break
        kinds.add(kind)
    assert wrong == []
    assert len(kinds) >= 200
    print(f'{len(kinds)} hostile files, none did anything')


@pytest.mark.parametrize('zipped', [True, False])
def test_the_bytes_of_checkpoints(tmp_path: Path, zipped: bool) -> None:
    buffer, rng, path = io.BytesIO(), np.random.default_rng(8), tmp_path / 'x.pth'
    content = {'state_dict': {'a.weight': torch.ones(2, 3)}, 'meta': {'classes': ['a', 'b'], 'epoch': 3}}
    torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
    for number in range(300):
        path.write_bytes(mutate_bytes(buffer.getvalue(), rng))
        hold(lambda: load_checkpoint(path), UserError, f'zipped {zipped} {number}')
