"""Who may ask: only who knows the token, only on this computer, only from the app's own pages.

* The token stands in the address that the start prints. It is exchanged for a cookie and the browser is sent on to the
  address without it, so that it stays in no history and no link.
* A ``Host`` other than the server's own is refused: a page elsewhere whose name is made to point here gets nothing.
* What changes something is refused from another origin.
* Every answer says that it may be framed, sniffed, cached and referred to by nobody else.
"""

from __future__ import annotations

import hmac
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bmoe_ground.pages import html_document

STRICT = "default-src 'none'; frame-ancestors 'none'"
"""Content security policy of answers that set none of their own."""
HEADERS = {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': 'no-store',
}
_CLOSED = (
    '<main><h1>This page is closed</h1><p>The app only opens by the address that it prints when it starts: it begins '
    'with <em>http://127.0.0.1</em> and ends with a long code. Look into the window in which you typed '
    '<strong>bmoe app</strong>, and open that address.</p></main>'
)
_STYLE = (
    ':root{color-scheme:light dark}'
    'body{font:17px/1.5 system-ui,sans-serif;max-width:36em;margin:3em auto;padding:0 1em}'
)


class Guard:
    """ASGI middleware that lets only the user in.

    Args:
        app: What is guarded.
        token: What the address must hold.
        port: That the server listens on.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app, self._token = app, token
        self.cookie = f'bmoe_app_{port}'  # cookies know no port: two apps must not take each other's
        self._hosts = {f'{host}:{port}' for host in ('127.0.0.1', 'localhost')}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope['type'] == 'lifespan':
            await self._app(scope, receive, send)
        elif scope['type'] == 'http':
            refusal = self._refusal(scope)
            await (refusal or self._app)(scope, receive, _with_headers(send))
        # nothing else is spoken here: a websocket is closed by the server

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get('host', '')
        if host not in self._hosts:
            return PlainTextResponse('This address is not the app.', 421)
        origin = headers.get('origin')
        if scope['method'] not in ('GET', 'HEAD') and origin is not None and origin != f'http://{host}':
            return PlainTextResponse('Only the app itself may ask for this.', 403)
        given = parse_qs(scope['query_string'].decode('latin-1')).get('token', [''])[0]
        if scope['path'] == '/' and given and self._knows(given):
            response = RedirectResponse('/', 303)
            response.set_cookie(self.cookie, self._token, httponly=True, samesite='strict', max_age=400 * 86400)
            return response
        if not self._knows(cookie_parser(headers.get('cookie', '')).get(self.cookie, '')):
            return HTMLResponse(html_document('Closed', _CLOSED, _STYLE), 403)
        return None

    def _knows(self, given: str) -> bool:
        return hmac.compare_digest(given.encode('utf-8', 'surrogateescape'), self._token.encode())


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message['type'] == 'http.response.start':
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if not headers.get('content-type', '').startswith('text/html'):
                headers.setdefault('content-security-policy', STRICT)
            else:
                headers.setdefault('content-security-policy', "frame-ancestors 'self'")
        await send(message)

    return sending
