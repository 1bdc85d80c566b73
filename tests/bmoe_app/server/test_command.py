"""bmoe app from the command line: what it refuses, what it keeps, and a second start beside a first."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

pytest.importorskip('starlette', reason="needs the extra 'app'")
pytest.importorskip('uvicorn', reason="needs the extra 'app'")
from app_server import FakeWorker  # noqa: E402

from bmoe_app.server import command  # noqa: E402
from bmoe_app.server.command import main  # noqa: E402
from bmoe_app.server.routes import App  # noqa: E402
from bmoe_app.server.store import Store  # noqa: E402
from bmoe_ground.errors import UserError  # noqa: E402

Capture = pytest.CaptureFixture[str]


class Ready(FakeWorker):
    def __init__(self, task: command.AnswerTask) -> None:
        super().__init__(task.items)

    def wait_ready(self) -> None:
        return


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[App, str, str | None]]:
    """What would have been served; nothing is, and no model is loaded."""
    calls: list[tuple[App, str, str | None]] = []
    monkeypatch.setattr(command, 'AnswerProcess', Ready)
    monkeypatch.setattr(command, '_serve', lambda app, token, listening, address: calls.append((app, token, address)))
    monkeypatch.setattr(command.webbrowser, 'open', lambda address: pytest.fail(f'opened {address}'))
    return calls


def test_it_is_served_to_this_computer_with_a_token_that_stays(
    tmp_path: Path, served: list[tuple[App, str, str | None]], capsys: Capture
) -> None:
    (tmp_path / 'films').mkdir()
    (tmp_path / 'films' / 'a.mp4').write_bytes(b'a film')
    words = ['--out', str(tmp_path / 'out'), '--port', '0', '--folder', str(tmp_path / 'films'), '--max-file', '0.5']
    assert main([*words, '--no-browser']) == 0
    assert main(words) == 0
    (first, token, none), (again, same, address) = served
    assert token == same and len(token) >= 32 and none is None
    assert address is not None and address.startswith('http://127.0.0.1:') and address.endswith(f'/?token={token}')
    for name in (command.TOKEN, command.ADDRESS):
        assert (tmp_path / 'out' / name).stat().st_mode & 0o077 == 0
    assert list(first.store.offered) == ['a.mp4'] and first.store.limits.file == 2**29
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith('The page: http://127.0.0.1:') and shown[3] == 'ended'
    assert again.asked == 'everyday.pth and movement rules'


@pytest.mark.usefixtures('served')
def test_what_is_wrong_is_said_before_anything_is_loaded(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for words, message in (
            (['--port', port], f'--port {port}: another program uses it'),
            (['--port', '70000'], '--port: must be within'),
            (['--max-file', '0'], '--max-file: must be above 0'),
            (['--folder', str(tmp_path / 'none')], 'no such folder'),
            (['--stream', 'file:///etc/passwd'], 'streams begin with'),
            (['--threshold', '2', '--checkpoint', 'best.pth'], 'threshold: must be within'),
        ):
            with pytest.raises(UserError, match=message):
                main(['--out', str(tmp_path / 'out'), '--no-browser', *words])


@pytest.mark.usefixtures('served')
def test_a_second_start_shows_the_first(tmp_path: Path, capsys: Capture) -> None:
    running = Store(tmp_path)
    try:
        with pytest.raises(UserError, match='just starting'):
            main(['--out', str(tmp_path), '--no-browser'])
        (tmp_path / command.ADDRESS).write_text('http://127.0.0.1:1/?token=x')
        assert main(['--out', str(tmp_path), '--no-browser']) == 0
        assert capsys.readouterr().out == 'It is running already. The page: http://127.0.0.1:1/?token=x\n'
    finally:
        running.close()
