# SPDX-License-Identifier: BSL-1.0
"""Holds 1,500 slow connections, of three kinds, against the endpoint, plain and then TLS, while an honest client asks: `slow_clients.py SERVER CLOCK`, in
the namespaces of run.sh, after soak.py. Then as many where the program has 64 descriptors left. With --honest it is that client."""
import asyncio
import json
import os
import resource
import socket
import ssl
import subprocess
import sys
import time

import observe

COUNT, KINDS = 1500, 3
BUDGET, MEMORY = 0.050, 16  # seconds; KiB a connection


def p99(values):
    return sorted(values)[int(len(values) * 0.99)]


async def honest(tls, seconds):
    """With a connection each, as a probe does; and in turn, how late one is that sleeps and works for as long as a request or a handshake takes. From what
    takes long, all lateness of the machine meanwhile is taken away."""
    took, late, failed = [], [], 0
    lateness = observe.Lateness()
    await lateness.start()
    context = observe.trusting() if tls else None
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.monotonic()
        try:
            client = observe.Client(context)
            status, _ = await asyncio.wait_for(client.get('/healthz/sources'), 20)
            client.close()
            failed += status != 200
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as e:
            print(repr(e), file=sys.stderr)
            failed += 1
        ended = time.monotonic()
        took.append(ended - begin)
        if took[-1] > BUDGET:
            await lateness.until(ended)
            took[-1] = max(0.0, took[-1] - lateness.between(begin, ended))
        begin, worked = time.monotonic(), time.thread_time()
        time.sleep(0.005)
        while time.thread_time() - worked < (0.004 if tls else 0.001):
            pass
        late.append(time.monotonic() - begin - 0.005 - (time.thread_time() - worked))
    lateness.process.kill()
    print(json.dumps({'p99': p99(took), 'p50': sorted(took)[len(took) // 2], 'late': p99(late), 'asked': len(took), 'failed': failed}))


async def ask_honest(tls, seconds=3):
    process = await asyncio.create_subprocess_exec(sys.executable, __file__, '--honest', 'tls' if tls else 'plain', str(seconds), stdout=subprocess.PIPE)
    return json.loads((await process.communicate())[0])


class Slow:
    """One slow client, who opens another connection where his is closed."""
    requests = (b'GET /healthz/sources HTTP/1.1\r\nHost: a\r\nX-Slow: ',  # and then never a whole header
                b'POST /healthz/sources HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n',
                b'GET /healthz/page HTTP/1.1\r\nHost: a\r\n\r\n' * 60)  # which are not read

    def __init__(self, number, tls):
        self.kind, self.tls = number % KINDS, tls
        self.opened = 0

    async def open(self):
        loop = asyncio.get_running_loop()
        self.socket = socket.socket()
        if self.kind == 2:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.socket.setblocking(False)
        await loop.sock_connect(self.socket, ('127.0.0.1', observe.TLS if self.tls else observe.PLAIN))
        self.session = None
        if self.tls:
            self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            self.session = self.tls.wrap_bio(self.incoming, self.outgoing, server_hostname='127.0.0.1')
            while True:
                try:
                    self.session.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    await loop.sock_sendall(self.socket, self.outgoing.read())
                    self.incoming.write(await loop.sock_recv(self.socket, 16384))
        self.opened += 1
        await self.send(self.requests[self.kind])

    async def send(self, text):
        if self.session:
            self.session.write(text)
            text = self.outgoing.read()
        await asyncio.get_running_loop().sock_sendall(self.socket, text)

    async def hold(self, ready):
        while True:
            try:
                await self.open()
                ready()
                while True:
                    await asyncio.sleep(0.5)
                    if self.kind != 2:
                        await self.send(b'x')
            except OSError:
                pass
            finally:
                self.socket.close()
            await asyncio.sleep(10 if self.tls else 0.2)  # handshakes are another attack: they cost the server a millisecond each


async def attacked(program, tls, count, settle):
    """Holds so many clients, and asks beside them: what the honest one says, and the figures of the process while they are held."""
    opened = set()
    tasks = [asyncio.create_task(Slow(i, observe.trusting() if tls and i == 0 else tls).hold(lambda i=i: opened.add(i))) for i in range(count)]
    end = time.monotonic() + 60
    while settle and len(opened) < count and time.monotonic() < end:
        await asyncio.sleep(0.05)
    if not settle:
        await asyncio.sleep(2)
    said = await ask_honest(bool(tls))
    figures = observe.process_figures(program.pid)
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return said, figures


async def start(path, clock_library):
    """The soaked program again; its servers have ended, and its sources are not what is looked at here."""
    here = os.getcwd()
    environment = {**os.environ, 'CA': f'{here}/ca.pem', 'SQLITE_PATH': f'{here}/stock.db', 'VOLUME': here, 'TLS_CERTIFICATE': f'{here}/endpoint.pem',
                   'TLS_KEY': f'{here}/endpoint.key', 'POSTGRES_URL': 'postgresql://127.0.0.1:9/', 'MYSQL_URL': 'mysql://127.0.0.1:9',
                   'REDIS_URL': 'redis://127.0.0.1:9', 'REDIS_TLS_URL': 'rediss://127.0.0.1:9', 'HTTP_URL': 'http://127.0.0.1:9',
                   'HTTPS_URL': 'https://127.0.0.1:9', 'TCP_ADDRESS': '127.0.0.1:9', 'MQTT_URL': 'mqtt://127.0.0.1:9',
                   'MQTT_TLS_URL': 'mqtts://127.0.0.1:9'}
    program = subprocess.Popen([path], env=environment, stdout=subprocess.DEVNULL)
    client = observe.Client()
    for _ in range(1200):
        try:
            if (await client.get('/startupz'))[0] == 200:
                break
        except OSError:
            pass
        await asyncio.sleep(0.05)
    client.close()
    return program


async def main(path, clock_library):
    resource.setrlimit(resource.RLIMIT_NOFILE, (16384, 16384))  # as root it may be more than it was
    passed, failed = 0, 0

    def check(what, holds):
        nonlocal passed, failed
        passed, failed = passed + holds, failed + (not holds)
        print(f'{"ok     " if holds else "FAILED "} {what}', flush=True)

    for tls in (None, observe.trusting()):
        where = 'TLS' if tls else 'plain'
        program = await start(path, clock_library)
        rest = await ask_honest(bool(tls), 1.5)
        before = observe.process_figures(program.pid)
        said, during = await attacked(program, tls, COUNT, True)
        held = during['descriptors'] - before['descriptors']
        # A slow body is not waited for: its request is answered, and a second later the connection is closed. Of the others some are just being closed.
        check(f'{where}: {held} of {COUNT} slow connections are held', held > COUNT * (KINDS - 1) / KINDS * 0.8)
        allowed = BUDGET + max(said['late'] * (8 if tls else 4), rest['p99'])  # by as many turns as client and server take
        check(f'{where}: of {said["asked"]} honest requests {said["failed"]} fail, p50 {said["p50"] * 1000:.1f} ms, p99 {said["p99"] * 1000:.1f} ms; at rest '
              f'{rest["p99"] * 1000:.1f} ms; a bare timer is late by {said["late"] * 1000:.1f} ms', not said['failed'] and said['p99'] < allowed)
        memory = (during['RSS, KiB'] - before['RSS, KiB']) / max(held, 1)
        check(f'{where}: memory grows by {memory:.1f} KiB a connection', tls is not None or memory <= MEMORY)
        program.terminate()
        program.wait()

    program = await start(path, clock_library)
    in_use = observe.process_figures(program.pid)['descriptors']
    resource.prlimit(program.pid, resource.RLIMIT_NOFILE, (in_use + 64, in_use + 64))
    said, during = await attacked(program, None, COUNT, False)
    # So many that an honest one, too, may be closed for the next before a busy machine has read what it asks.
    check(f'64 descriptors left, {COUNT} slow clients: {during["descriptors"] - in_use} connections, of {said["asked"]} honest requests '
          f'{said["failed"]} fail, p50 {said["p50"] * 1000:.1f} ms, p99 {said["p99"] * 1000:.1f} ms', said['failed'] <= said['asked'] * 0.05)
    end = time.monotonic() + 60
    while (after := observe.process_figures(program.pid)['descriptors']) > in_use + 4 and time.monotonic() < end:
        await asyncio.sleep(0.1)
    said = await ask_honest(False, 1)
    check(f'it recovers by itself: {in_use} descriptors before, {after} after; p99 {said["p99"] * 1000:.1f} ms', after <= in_use + 4 and not said['failed'])
    program.terminate()
    program.wait()
    print(f'{passed} passed, {failed} failed')
    sys.exit(failed > 0)


if sys.argv[1] == '--honest':
    asyncio.run(honest(sys.argv[2] == 'tls', float(sys.argv[3])))
else:
    asyncio.run(main(*sys.argv[1:]))
