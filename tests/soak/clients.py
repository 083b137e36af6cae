# SPDX-License-Identifier: BSL-1.0
"""Clients of the endpoint, until this is ended: honest ones, who read every view at both ports, and others, who do their worst. Writes a line of JSON for each
answer that is not as it should be, and one with what was done each second."""
import asyncio
import json
import math
import random
import socket
import ssl
import struct
import sys
import time

from observe import PLAIN, TLS, VIEWS, Client, trusting

done = {}


def say(**what):
    print(json.dumps({'at': time.monotonic(), **what}), flush=True)


def complain(problem, since, unless=math.inf, before=0):
    """Unless the machine was late by so much from `before` that time on, in seconds."""
    say(problem=problem, since=since, unless=unless, before=before)


def count(what):
    done[what] = done.get(what, 0) + 1


async def honest(tls):
    client, where = Client(tls), 'TLS' if tls else 'plain'
    while True:
        for view in VIEWS:
            begin = time.monotonic()
            try:
                status, body = await asyncio.wait_for(client.get(view), 60)
                took = time.monotonic() - begin
                if view in ('/livez', '/healthz') and status == 503:  # the loop stood still
                    complain(f'{view} at the {where} port: 503', begin, unless=0.4, before=3)
                elif status != 200 and not (view == '/readyz' and status == 503) or not body:
                    complain(f'{view} at the {where} port: {status} {body[:60]}', begin)
                if took > 1:
                    complain(f'{view} at the {where} port: answered', begin, unless=took - 1)
                count(f'{where} answers')
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, ValueError) as e:
                complain(f'{view} at the {where} port: {e!r}', begin)
                client.close()
                await asyncio.sleep(0.1)
            await asyncio.sleep(0.02)


async def connected(port=PLAIN, buffer=None):
    """A socket to write to, with a receive buffer of so many bytes."""
    loop = asyncio.get_running_loop()
    one = socket.socket()
    if buffer:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    one.setblocking(False)
    await loop.sock_connect(one, ('127.0.0.1', port))
    return one


async def trickle(one, text, pause=0.05):
    for byte in text:
        await asyncio.get_running_loop().sock_sendall(one, bytes([byte]))
        await asyncio.sleep(pause)


async def slow_head(dice):
    one = await connected(dice.choice((PLAIN, TLS)))
    with one:
        await trickle(one, b'GET /healthz/sources HTTP/1.1\r\nX-Long: ' + b'x' * dice.randrange(100))


async def slow_body(dice):
    with await connected() as one:
        await asyncio.get_running_loop().sock_sendall(one, b'POST /healthz/sources HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n')
        await trickle(one, b'x' * dice.randrange(100))


async def slow_read(dice):
    with await connected(buffer=1024) as one:
        for _ in range(dice.randrange(1, 200)):
            await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(one, b'GET /healthz/page HTTP/1.1\r\nHost: a\r\n\r\n'), 3)
        for _ in range(50):
            if not await asyncio.wait_for(asyncio.get_running_loop().sock_recv(one, 64), 3):
                return
            await asyncio.sleep(0.05)


async def reset(dice):
    with await connected(dice.choice((PLAIN, TLS))) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        if dice.random() < 0.5:
            await asyncio.get_running_loop().sock_sendall(one, b'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n' * dice.randrange(1, 50))


async def garbage(dice):
    with await connected(dice.choice((PLAIN, TLS))) as one:
        await asyncio.get_running_loop().sock_sendall(one, dice.randbytes(dice.randrange(1, 20000)))
        await asyncio.wait_for(asyncio.get_running_loop().sock_recv(one, 4096), 3)


async def half_handshake(dice):
    """The first flight of TLS, of which the rest comes late or never."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = trusting().wrap_bio(incoming, outgoing, server_hostname='127.0.0.1')
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        hello = outgoing.read()
    with await connected(TLS) as one:
        await asyncio.get_running_loop().sock_sendall(one, hello[:dice.randrange(1, len(hello) + 1)])
        await asyncio.sleep(dice.random() * 3)


async def worst(dice):
    while True:
        kind = dice.choice((slow_head, slow_body, slow_read, reset, garbage, half_handshake))
        try:
            await kind(dice)
        except (OSError, asyncio.TimeoutError):
            pass
        count(kind.__name__)
        await asyncio.sleep(0.05)


async def main(seed):
    tasks = [asyncio.create_task(honest(tls)) for tls in (None, trusting())]
    tasks += [asyncio.create_task(worst(random.Random(f'{seed} {i}'))) for i in range(40)]
    while True:
        await asyncio.wait(tasks, timeout=1, return_when=asyncio.FIRST_COMPLETED)
        for each in tasks:
            if each.done():
                each.result()
        say(done=done)


asyncio.run(main(sys.argv[1]))
