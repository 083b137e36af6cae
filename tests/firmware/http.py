#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Usage: http.py PORT SECRET SERIAL REQUESTS BAD

Asks the board at 127.0.0.1:PORT for REQUESTS answers, then sends it BAD connections of the worst kind, and looks whether it is at rest again. SERIAL is
the socket of its serial line, on which d ends what the watchdog requires.
"""
import asyncio
import json
import random
import socket
import struct
import sys
import time

port, secret, serial = int(sys.argv[1]), sys.argv[2], sys.argv[3]
requests, bad = int(sys.argv[4]), int(sys.argv[5])
passed, failed = 0, []
random.seed(1)


def check(what, holds, found=''):
    global passed
    if holds:
        passed += 1
    else:
        failed.append(f'{what}: {found}')


def request(target, *fields, method='GET'):
    return '\r\n'.join([f'{method} {target} HTTP/1.1', 'Host: board', *fields]).encode() + b'\r\n\r\n'


key = f'X-Hasura-Admin-Secret: {secret}'
asked = [  # a request, and the status of its answer
    (request('/healthz'), 200), (request('/livez'), 200), (request('/readyz?verbose'), 200), (request('/startupz'), 200), (request('/board'), 200),
    (request('/healthz/sources', key), 200), (request('/healthz/sources?strict=true', key), 503), (request('/healthz/sources?verbose=true', key), 200),
    (request('/healthz/sources/imu', key), 200), (request('/healthz/sources/sd%20card?strict=true', key), 503), (request('/healthz/sources/none', key), 404),
    (request('/healthz/page', key), 200), (request('/healthz/page', key, 'Accept: text/html'), 200), (request('/metrics', key), 200),
    (request('/metrics', key, 'Accept: application/openmetrics-text;version=1.0.0'), 200), (request('/metrics'), 401),
    (request('/healthz/sources', 'X-Hasura-Admin-Secret: wrong'), 401), (request('/healthz/sources', key, 'X-Hasura-Role: user'), 400),
    (request('/nothing'), 404), (request('/livez', method='POST'), 405), (request('/metrics', key, method='HEAD'), 200),
]


opening = asyncio.Lock()


async def connect():
    """QEMU's user network lets one connection wait for it, and the system tries others again a second later."""
    async with opening:
        connection = await asyncio.open_connection('127.0.0.1', port)
        await asyncio.sleep(0.003)
        return connection


async def answer(reader, is_head):
    """The status of an answer and its body, all of which has come."""
    head = await reader.readuntil(b'\r\n\r\n')
    lines = head.decode().split('\r\n')
    fields = dict(line.lower().split(': ', 1) for line in lines[1:] if line)
    size = 0 if is_head else int(fields['content-length'])
    return int(lines[0].split(' ')[1]), await reader.readexactly(size)


async def ask(target, *fields):
    """The status and body of one request on a connection of its own, which is asked again where another one took its place."""
    for _ in range(100):
        try:
            reader, writer = await connect()
            writer.write(request(target, *fields, 'Connection: close'))
            found = await asyncio.wait_for(answer(reader, False), 30)
            writer.close()
            return found
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
            await asyncio.sleep(0.05)
    return 0, b''


async def board():
    """What the board says of itself."""
    _, body = await ask('/board')
    return {name: int(value) for name, value in (line.split() for line in body.decode().splitlines())}


async def many(count):
    """Asks so often on one connection, which is kept."""
    wrong, reader, writer = [], None, None
    for _ in range(count):
        what, expected = random.choice(asked)
        for attempt in range(20):
            try:
                if writer is None:
                    reader, writer = await connect()
                writer.write(what)
                found, _ = await asyncio.wait_for(answer(reader, what.startswith(b'HEAD')), 60)
                break
            except (OSError, asyncio.IncompleteReadError):  # another connection was given the place
                writer, found = None, 0
        if found != expected:
            wrong.append((what, found))
    if writer:
        writer.close()
    return wrong


async def worst(kind):
    """One connection that does what it should not. True: the board did with it what it should."""
    reader, writer = await connect()
    try:
        if kind == 'silent':
            await asyncio.sleep(random.random())
        elif kind == 'slow':
            for byte in request('/livez')[:20]:
                writer.write(bytes([byte]))
                await asyncio.wait_for(writer.drain(), 60)
                await asyncio.sleep(0.02)
        elif kind == 'half':
            writer.write(request('/metrics', key)[:-2])
            writer.write_eof()
            return await asyncio.wait_for(reader.read(), 60) == b''
        elif kind == 'malformed':
            writer.write(random.choice([b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', b'GET / HTTP/1.1\r\n\r\n',
                                        b'GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', b'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', random.randbytes(300) + b'\x00\r\n\r\n']))
            status, _ = await asyncio.wait_for(answer(reader, False), 60)
            return status == 400
        elif kind == 'large':
            writer.write(request('/livez', 'X-Long: ' + 'a' * 9000))
            status, _ = await asyncio.wait_for(answer(reader, False), 60)
            return status == 431
        elif kind == 'unread':
            for _ in range(10):
                writer.write(request('/metrics', key))
            await asyncio.sleep(random.random())
        elif kind == 'reset':
            writer.write(request('/metrics', key))
            await asyncio.sleep(random.random() / 20)
            writer.get_extra_info('socket').setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        elif kind == 'body':
            writer.write(b'POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n' + b'GET /livez HTTP/1.1\r\n' * 200)
            status, _ = await asyncio.wait_for(answer(reader, False), 60)
            return status == 405
        return True
    except (OSError, asyncio.IncompleteReadError):
        return True  # its place was given to another one
    finally:
        writer.close()


async def until(what, holds, patience=120):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = await board()
        if found and holds(found):
            break
        await asyncio.sleep(0.2)
    check(what, found and holds(found), found)
    return found


async def main():
    rest = await until('the board answers', lambda found: found['uptime_milliseconds'] > 1000)

    wrong = sum(await asyncio.gather(*[many(requests // 3) for _ in range(3)]), [])
    check(f'{requests} requests are answered as they should', not wrong, wrong[:3])
    loaded = await board()

    kinds = ['silent', 'slow', 'half', 'malformed', 'large', 'unread', 'reset', 'body']
    wrong, unanswered = [], 0
    for _ in range(bad // 40):
        batch = [random.choice(kinds) for _ in range(40)]
        done = await asyncio.gather(*[worst(kind) for kind in batch], ask('/healthz/sources', key))
        wrong += [kind for kind, as_it_should in zip(batch, done) if not as_it_should]
        unanswered += done[-1][0] != 200
    check(f'{bad} connections of the worst kind get what they should', not wrong, wrong[:5])
    check('an honest client beside them gets its answer', unanswered == 0, unanswered)

    at_rest = ['heap_used', 'segments_used', 'buffers_used']
    after = await until('all memory has come back', lambda found: all(found[each] <= rest[each] for each in at_rest))
    check('the board has not been started again', after['uptime_milliseconds'] > loaded['uptime_milliseconds'] > rest['uptime_milliseconds'], after)
    check('no turn of the loop took five milliseconds', after['longest_turn_microseconds'] < 5000, after)
    print('beside 10 views and 8 kinds of bad clients:', ', '.join(f'{name} {value}' for name, value in after.items()))

    line = socket.socket(socket.AF_UNIX)
    line.connect(serial)
    line.send(b'd')
    shown, end = {}, time.monotonic() + 60
    while shown.get('imu', {}).get('status') != 'TIMEOUT' and time.monotonic() < end:
        try:
            shown = json.loads((await ask('/healthz/sources', key))[1])
        except ValueError:
            break
    check('a required source that is dead is told', shown.get('imu', {}).get('status') == 'TIMEOUT', shown)


asyncio.run(main())
for each in failed:
    print(f'FAILED: {each}')
print(f'{passed} passed, {len(failed)} failed')
sys.exit(bool(failed))
