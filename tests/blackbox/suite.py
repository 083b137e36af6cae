#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Usage: [SOURCES=A,B...] suite.py NAME BASE_URL SECRET [README]

Asks the demo's endpoint at BASE_URL, whose admin secret is SECRET, as a client that knows nothing of what serves it, and compares each answer with
what is expected of every server. SOURCES, names divided by commas of which the first is OK and some other is not, are its sources where it is not
the demo's. What the server NAME cannot do is a row of the table in README: there the answer must be the other one,
so that the table does not outlive the difference.
"""
import base64
import fnmatch
import json
import os
import re
import socket
import sys
import time
from urllib.parse import urlsplit

name, base, secret = sys.argv[1:4]
place = urlsplit(base)
readme = sys.argv[4] if len(sys.argv) > 4 else os.path.join(os.path.dirname(os.path.abspath(__file__)), 'README.md')
demo = ['inventory', 'orders', 'gateway', 'sensor']
sources = os.environ['SOURCES'].split(',') if 'SOURCES' in os.environ else demo
passed, failed, used = 0, [], set()


def table_of(path):
    """The differences of this server: a check's name, and what is found there. A star stands for any text."""
    rows = {}
    for line in open(path, encoding='utf-8'):
        cells = [each.strip() for each in line.strip().strip('|').split('|')]
        if line.startswith('|') and len(cells) == 4 and cells[0] == f'`{name}`':
            rows[cells[1].strip('`')] = cells[2].strip('`')
    return rows


differences = table_of(readme)


class Answer:
    def __init__(self, raw, method):
        head, _, self.rest = raw.partition(b'\r\n\r\n')
        lines = head.decode('latin-1').split('\r\n')
        found = re.match(r'HTTP/1\.[01] (\d{3})', lines[0])
        self.status = int(found.group(1)) if found else 0
        self.fields, self.repeated = {}, []
        for line in lines[1:]:
            key, _, value = line.partition(':')
            if key.lower() in self.fields:
                self.repeated.append(key.lower())
            self.fields[key.lower()] = value.strip()
        if self.fields.get('transfer-encoding', '').lower() == 'chunked' and method != 'HEAD':
            self.rest = unchunk(self.rest)
        self.body = self.rest

    def length(self):
        return int(self.fields.get('content-length', '-1'))


def unchunk(rest):
    body = b''
    while True:
        size, _, rest = rest.partition(b'\r\n')
        if not size or int(size, 16) == 0:
            return body
        body, rest = body + rest[:int(size, 16)], rest[int(size, 16) + 2:]


def exchange(request, method='GET', later=b''):
    """Sends bytes, and reads until all is there or the server closes. Nothing at all is an answer without a status."""
    with socket.create_connection((place.hostname, place.port), timeout=30) as connection:
        raw = b''
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(request)
            if later:
                time.sleep(0.01)
                connection.sendall(later)
            while piece := connection.recv(65536):
                raw += piece
                found = Answer(raw, 'HEAD') if b'\r\n\r\n' in raw else None
                if found and method == 'HEAD':
                    connection.settimeout(0.5)  # in which what is too much would come
                elif found and 0 <= found.length() <= len(found.rest):
                    break
        except (ConnectionResetError, BrokenPipeError, TimeoutError):
            pass
        return Answer(raw, method)


def ask(target, *fields, method='GET', body=b''):
    lines = [f'{method} {target} HTTP/1.1', f'Host: {place.netloc}', 'Connection: close']
    lines += [f'{key}: {value}' for key, value in fields]
    if body or method in ('POST', 'PUT', 'PATCH'):
        lines.append(f'Content-Length: {len(body)}')
    return exchange('\r\n'.join(lines).encode() + b'\r\n\r\n' + body, method)


def check(what, found, expected):
    global passed
    for pattern in differences:
        if fnmatch.fnmatchcase(what, pattern):
            used.add(pattern)
            found, expected = str(found), differences[pattern]
    if found == expected:
        passed += 1
    else:
        failed.append(f'{what}: expected {expected!r}, got {found!r}'[:300])


key = ('X-Hasura-Admin-Secret', secret)
admin = ('X-Hasura-Role', 'admin')
basic = base64.b64encode(b'any:' + secret.encode()).decode()

document, page, metrics = '/healthz/sources', '/healthz/page', '/metrics'
protected = [document, page, metrics]
opened = ['/healthz', '/livez', '/readyz', '/startupz']


def wait_until_checked():
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            found = ask(document, key)
            if found.status == 200 and len(json.loads(found.body)) == len(sources):
                return
        except (OSError, ValueError):
            pass
        time.sleep(0.1)
    sys.exit(f'{name}: no document of {base} within a minute')


def each_view():
    for target in protected:
        found = ask(target, key)
        check(f'{target}', found.status, 200)
        check(f'{target} no-store', found.fields.get('cache-control'), 'no-store')
        check(f'{target} nosniff', found.fields.get('x-content-type-options'), 'nosniff')
        check(f'{target} fields once', found.repeated, [])
        check(f'{target} length', found.length(), len(found.body))
    for target in opened:
        found = ask(target)
        check(f'{target}', found.status in (200, 503), True)
        check(f'{target} no-store', found.fields.get('cache-control'), 'no-store')
        check(f'{target} length', found.length(), len(found.body))
    check('a date', 'there' if 'date' in ask(document, key).fields else 'none', 'there')
    shown = json.loads(ask(document, key).body)
    check('the sources', sorted(shown), sorted(sources))
    for each in sources:
        check(f'keys of {each}', sorted(shown[each]), ['error', 'status', 'timestamp'])
        check(f'timestamp of {each}', bool(re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z', shown[each]['timestamp'])), True)
    check('a source that is OK', shown[sources[0]]['status'], 'OK')
    if sources == demo:
        check('a variable that is not set', shown['orders']['error'], "environment variable 'ORDERS_URL' not set")
        check('a port without a listener', shown['gateway']['error']['message'], 'connection error')
    check('document type', ask(document, key).fields.get('content-type'), 'application/json')
    check('page type', ask(page, key).fields.get('content-type', '').startswith('text/plain'), True)
    html = ask(page, key, ('Accept', 'text/html'))
    check('page type for a browser', html.fields.get('content-type', '').startswith('text/html'), True)
    for each in sources:
        check(f'page shows {each}', each.encode() in html.body, True)
    check('page has a policy', 'content-security-policy' in html.fields, True)
    text = ask(metrics, key)
    check('metrics type', text.fields.get('content-type', '').startswith('text/plain'), True)
    for each in sources:
        check(f'metrics show {each}', f'source_name="{each}"'.encode() in text.body, True)
    other = ask(metrics, key, ('Accept', 'application/openmetrics-text;version=1.0.0'))
    check('OpenMetrics type', other.fields.get('content-type', '').startswith('application/openmetrics-text'), True)
    check('OpenMetrics end', other.body.endswith(b'# EOF\n'), True)
    check('/livez', ask('/livez').status, 200)
    check('/healthz', ask('/healthz').status, 200)
    check('/startupz', ask('/startupz').status, 200)


def methods():
    for target in protected + opened:
        fields = [key] if target in protected else []
        get, head = ask(target, *fields), ask(target, *fields, method='HEAD')
        check(f'HEAD {target}', head.status, get.status)
        check(f'HEAD {target} has no body', head.rest, b'')
        if target != metrics and target != page:  # whose size changes with time
            check(f'HEAD {target} length', head.length(), len(get.body))
        else:
            near = abs(head.length() - len(get.body)) < len(get.body) // 2
            check(f'HEAD {target} length', len(get.body) if near else head.length(), len(get.body))
        check(f'HEAD {target} type', head.fields.get('content-type'), get.fields.get('content-type'))
        for method in ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']:
            found = ask(target, *fields, method=method)
            check(f'{method} {target}', found.status, 405)
            check(f'{method} {target} allow', found.fields.get('allow'), 'GET, HEAD')
    found = ask(document, key, method='POST', body=b'{"a": 1}')
    check('POST with a body', found.status, 405)
    check('HEAD without a secret', ask(document, method='HEAD').status, 401)
    check('HEAD without a secret has no body', ask(document, method='HEAD').rest, b'')
    check('HEAD of nothing', ask('/nothing', method='HEAD').status, 404)


def credentials():
    cases = {
        'none': ([], 401), 'secret': ([key], 200), 'secret and role': ([admin, key], 200),
        'access key': ([('X-Hasura-Access-Key', secret)], 200), 'in lower case': ([('x-hasura-admin-secret', secret)], 200),
        'in upper case': ([('X-HASURA-ADMIN-SECRET', secret)], 200), 'wrong': ([('X-Hasura-Admin-Secret', 'wrong')], 401),
        'empty': ([('X-Hasura-Admin-Secret', '')], 401), 'too long': ([('X-Hasura-Admin-Secret', secret + 'x')], 401),
        'too short': ([('X-Hasura-Admin-Secret', secret[:-1])], 401), 'bearer': ([('Authorization', f'Bearer {secret}')], 200),
        'bearer in lower case': ([('authorization', f'bearer {secret}')], 200), 'wrong bearer': ([('Authorization', 'Bearer wrong')], 401),
        'empty bearer': ([('Authorization', 'Bearer ')], 401), 'basic': ([('Authorization', f'Basic {basic}')], 200),
        'wrong basic': ([('Authorization', 'Basic YW55Ondyb25n')], 401), 'basic without base64': ([('Authorization', 'Basic ???')], 401),
        'unknown scheme': ([('Authorization', f'Digest {secret}')], 401), 'role of a user': ([('X-Hasura-Role', 'user'), key], 400),
        'role without a secret': ([admin], 401), 'secret in a cookie': ([('Cookie', f'secret={secret}')], 401),
        'blanks around it': ([('X-Hasura-Admin-Secret', f'  {secret}  ')], 200),
        'wrong key beside the secret': ([key, ('X-Hasura-Access-Key', 'wrong')], 200),
    }
    for target in protected:
        for case, (fields, expected) in cases.items():
            found = ask(target, *fields)
            check(f'{case} for {target}', found.status, expected)
            check(f'{case} for {target} is not told', secret.encode() in found.rest, False)
        for twice in [key, admin, ('X-Hasura-Access-Key', secret), ('Authorization', f'Bearer {secret}')]:
            fields = [twice, twice] + ([key] if twice[0] == 'X-Hasura-Role' else [])
            check(f'{twice[0]} twice for {target}', ask(target, *fields).status, 400)
    found = ask(document)
    check('401 says how', found.fields.get('www-authenticate', '').split(' ')[0], 'X-Hasura-Admin-Secret')
    check('401 type', found.fields.get('content-type'), 'application/json')
    check('401 no-store', found.fields.get('cache-control'), 'no-store')
    check('401 is JSON', 'error' in json.loads(found.body), True)
    found = ask(page, ('Accept', 'text/html'))
    check('a browser is asked', found.fields.get('www-authenticate', '').split(' ')[0], 'Basic')
    check('secret in the query', ask(f'{document}?x-hasura-admin-secret={secret}').status, 401)
    for target in opened:
        check(f'{target} with a secret', ask(target, key).status in (200, 503), True)


def queries():
    check('strict', ask(f'{document}?strict=true', key).status, 503)
    check('strict is a document', sorted(json.loads(ask(f'{document}?strict=true', key).body)), sorted(sources))
    check('strict behind others', ask(f'{document}?a=b&strict=true', key).status, 503)
    for query in ['strict=false', 'strict', 'strict=TRUE', 'a=b', '', '&&&', 'a=%20%3F', 'a=b?c=d', 'xstrict=true', 'strict=true%20']:
        check(f'?{query}', ask(f'{document}?{query}', key).status, 200)
    check('verbose', ask('/readyz?verbose').status in (200, 503), True)
    check('a long query', ask(f'{document}?a=' + 'b' * 1500, key).status, 200)
    verbose = ask('/livez?verbose')
    check('verbose livez', verbose.status, 200)
    check('verbose livez has lines', verbose.body.count(b'\n') >= 1, True)


def conditional():
    fields = [('If-None-Match', '*'), ('If-None-Match', '"a"'), ('If-Modified-Since', 'Sat, 01 Jan 2050 00:00:00 GMT'),
              ('If-Match', '"a"'), ('If-Unmodified-Since', 'Sat, 01 Jan 2000 00:00:00 GMT')]
    for each in fields:
        for target in [document, page, metrics]:
            check(f'{each[0]} {each[1]} for {target}', ask(target, key, each).status, 200)
    check('no ETag', 'etag' in ask(document, key).fields, False)
    check('Accept of something else', ask(document, key, ('Accept', 'image/png')).status, 200)
    check('Accept-Encoding', ask(document, key, ('Accept-Encoding', 'gzip')).fields.get('content-encoding', 'none'), 'none')


def odd():
    for target in ['/', '/nothing', document + '/', document + '/none', '//healthz/sources', '/healthz//sources', '/healthz/sources.json',
                   '/HEALTHZ/SOURCES', '/healthz%2Fsources', '/healthz/%73ources', '/healthz/sources%00', '/livez%20', '/healthz/../healthz/sources',
                   '/./livez', '/%2e/livez', '/livez;a=b', '/' + 'a' * 1000]:
        check(f'{target[:40]}', ask(target, key).status, 404)
    check('404 is JSON', 'error' in json.loads(ask('/nothing', key).body), True)
    check('404 type', ask('/nothing').fields.get('content-type'), 'application/json')
    check('absolute target', ask(f'{base}{document}', key).status, 200)
    check('absolute target with a query', ask(f'{base}{document}?strict=true', key).status, 503)
    check('20 fields', ask(document, *[(f'X-Field-{i}', 'a') for i in range(20)], key).status, 200)
    check('100 fields', ask(document, *[(f'X-Field-{i}', 'a') for i in range(100)], key).status, 200)
    check('a field of 2000 bytes', ask(document, ('X-Long', 'a' * 2000), key).status, 200)
    check('a secret of 2000 bytes', ask(document, ('X-Hasura-Admin-Secret', 'a' * 2000)).status, 401)
    check('a field without a value', ask(document, ('X-Empty', ''), key).status, 200)
    check('bytes above ASCII', ask(document, ('X-Name', 'Zo\u00eb'), key).status, 200)
    check('an old client', exchange(f'GET /livez HTTP/1.0\r\n\r\n'.encode()).status, 200)
    request = f'GET /livez HTTP/1.1\r\nHost: {place.netloc}\r\n'.encode()
    check('five on one connection', following(request, 5), [200] * 5)
    for method in ['GET', 'POST', 'PUT']:
        body = f'GET /nothing HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n'  # which must not be taken for a request
        first = f'{method} /livez HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {len(body)}\r\n\r\n{body}'.encode()
        chunked = (f'{method} /livez HTTP/1.1\r\nHost: {place.netloc}\r\nTransfer-Encoding: chunked\r\n\r\n'
                   f'{len(body):x}\r\n{body}\r\n0\r\n\r\n').encode()
        for what, each in [('a body', first), ('chunks', chunked)]:
            for when in ['at once'] if method == 'GET' else ['at once', 'later']:  # cpp-httplib reads none of a GET
                statuses = after(each, when == 'later', request + b'\r\n')
                check(f'a {method} with {what} {when} is no request besides', statuses in ([200], []), True)
    for piece in range(1, len(request), 9):
        check(f'in parts, {piece} bytes first', exchange(request[:piece], 'GET', request[piece:] + b'Connection: close\r\n\r\n').status, 200)


class Kept:
    """A connection that stays open."""

    def __init__(self):
        self.connection = socket.create_connection((place.hostname, place.port), timeout=30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def ask(self, request):
        """The status of an answer; nothing where the server has closed."""
        raw = b''
        try:
            self.connection.sendall(request)
            while b'\r\n\r\n' not in raw or len(Answer(raw, 'GET').rest) < Answer(raw, 'GET').length():
                piece = self.connection.recv(65536)
                if not piece:
                    return None
                raw += piece
        except (ConnectionResetError, BrokenPipeError):
            return None
        return Answer(raw, 'GET').status


def following(request, count):
    """The statuses of requests on one connection."""
    with Kept() as connection:
        return [connection.ask(request + b'\r\n') for _ in range(count)]


def after(first, is_late, second):
    """The statuses of all that is answered behind the first request, whose body may come late: none where the server closes."""
    with Kept() as connection:
        if is_late:
            head, _, body = first.partition(b'\r\n\r\n')
            connection.connection.sendall(head + b'\r\n\r\n')
            time.sleep(0.05)
            first = body
        connection.ask(first)
        statuses = [connection.ask(second)]
        connection.connection.settimeout(0.3)
        try:
            while connection.connection.recv(65536):
                statuses.append('more')
        except (TimeoutError, ConnectionResetError):
            pass
        return [each for each in statuses if each is not None]


wait_until_checked()
for group in [each_view, methods, credentials, queries, conditional, odd]:
    group()
for unused in sorted(set(differences) - used):
    failed.append(f'the table of {readme} has a row for what is not checked: {unused}')
for each in failed:
    print(f'{name}: FAILED: {each}')
print(f'{passed} passed, {len(failed)} failed')
sys.exit(bool(failed))
