"""Only who knows the token gets in, only by the server's own name, and only from its own pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip('starlette', reason="needs the extra 'app'")
from app_server import HOME, PORT, TOKEN, Served  # noqa: E402
from starlette.testclient import TestClient  # noqa: E402

from bmoe_app.pages.app_page import app_policy  # noqa: E402
from bmoe_app.server.routes import make_app  # noqa: E402

ADDRESSES = ('/', '/api/state', '/all.zip', '/live.mjpg', '/answers/0000000000000000/answer.html', '/nowhere')


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    one = Served(tmp_path)
    yield one
    one.kill()


@pytest.fixture
def stranger(served: Served) -> TestClient:
    return TestClient(make_app(served.app, TOKEN, PORT), base_url=HOME)


def test_the_token_is_exchanged_for_a_cookie_and_leaves_the_address(stranger: TestClient) -> None:
    answer = stranger.get('/', params={'token': TOKEN}, follow_redirects=False)
    assert (answer.status_code, answer.headers['location']) == (303, '/')
    cookie = answer.headers['set-cookie'].lower()
    assert 'httponly' in cookie and 'samesite=strict' in cookie and f'bmoe_app_{PORT}=' in cookie
    assert answer.headers['referrer-policy'] == 'no-referrer'
    assert stranger.get('/').status_code == 200


@pytest.mark.parametrize('address', ADDRESSES)
def test_strangers_learn_nothing(stranger: TestClient, address: str) -> None:
    for token in ('', TOKEN[:-1], TOKEN.lower(), 'ü'):
        answer = stranger.get(address, params={'token': token}, headers={'cookie': f'bmoe_app_{PORT}=wrong'})
        assert answer.status_code == 403
    assert stranger.post('/api/videos', params={'token': TOKEN}, content=b'x').status_code == 403


def test_another_name_for_this_computer_is_refused(served: Served) -> None:
    for host in ('evil.test', f'evil.test:{PORT}', '127.0.0.1', f'127.0.0.1:{PORT + 1}', ''):
        assert served.client.get('/', headers={'host': host}).status_code == 421, host
    assert served.client.get('/', headers={'host': f'127.0.0.1:{PORT}'}).status_code == 200


def test_other_pages_change_nothing(served: Served) -> None:
    for origin in ('http://evil.test', f'http://127.0.0.1:{PORT + 1}', 'null'):
        answer = served.client.post('/api/videos?name=a', content=b'x', headers={'origin': origin})
        assert answer.status_code == 403, origin
    assert served.store.all() == []
    assert served.client.post('/api/videos?name=a', content=b'x', headers={'origin': HOME}).status_code == 201


def test_every_answer_is_closed_to_others(served: Served) -> None:
    for address in ADDRESSES:
        headers = served.client.get(address).headers
        assert headers['x-content-type-options'] == 'nosniff'
        assert headers['cross-origin-resource-policy'] == 'same-origin'
        assert 'frame-ancestors' in headers['content-security-policy']
        assert 'access-control-allow-origin' not in headers
    page = served.client.get('/')
    assert page.headers['content-security-policy'] == f"{app_policy()}; frame-ancestors 'none'"
    assert 'unsafe-inline' not in app_policy().split('style-src')[0] and "connect-src 'self'" in app_policy()
    assert app_policy() in page.text
