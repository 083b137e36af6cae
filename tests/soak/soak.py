# SPDX-License-Identifier: BSL-1.0
"""Makes the faults and judges what is said of them: `soak.py MINUTES SERVER CLOCK SEED NETEM`, in the namespaces of run.sh."""
import asyncio
import datetime
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import time

import observe
import servers

# What may be more after it than before. The first faults and clients of each kind leave something in the heap, which is there after two minutes and then
# stays; a worker thread ends once it was idle for ten seconds, and how many are needed at once depends on the machine.
SPREAD = {'RSS, KiB': 16384, 'threads': 4}
SEEING = 0.15  # seconds between what is said and what is seen of it here, beside the lateness that is measured


class Clock:
    """Of the program under test: seconds that are added to the system's."""

    def __init__(self):
        self.file = pathlib.Path('clock')
        self.shifts = []  # (until when, what to add to the steady clock to have the program's clock)
        self.ahead = 0
        self.file.write_bytes(bytes(8))

    def set(self, ahead):
        self.note()
        with open(self.file, 'r+b') as file:  # in its place: the program has it mapped
            file.write(ahead.to_bytes(8, 'little', signed=True))
        self.ahead = ahead
        self.note()

    def note(self):
        """To be called often: the system's clock may be set by others, too."""
        now = time.monotonic()
        shift = time.time() - now + self.ahead
        if self.shifts and abs(self.shifts[-1][1] - shift) < 0.01:
            self.shifts[-1] = now, self.shifts[-1][1]
        else:
            self.shifts.append((now, shift))

    def ages(self, timestamp, window, now):
        """What the age of a time of day may be, by all clocks that there were in the seconds before `now`."""
        at = datetime.datetime.fromisoformat(timestamp).timestamp()
        return [now + shift - at for until, shift in self.shifts if until >= now - window]


class Judge:
    def __init__(self, program, clock, lateness):
        self.program, self.clock, self.lateness = program, clock, lateness
        self.problems, self.excused, self.judging = [], [], []
        self.status, self.expected, self.until = {}, {}, {}
        self.told = self.recovered = self.readings = self.changes = 0
        self.slowest = (0, '')
        self.lost = []  # (when, how many beginnings of connections had been lost by then)
        self.news = asyncio.Event()
        self.ended = False

    def problem(self, text):
        if len(self.problems) < 20:
            print(f'FAILED  at {datetime.datetime.now():%H:%M:%S.%f}: {text}', flush=True)
        self.problems.append(text)

    async def begin(self):
        """The names, in their order, and how long each may take; once each source is OK."""
        client = observe.Client()
        end = time.monotonic() + 60
        while True:
            try:
                status, text = await client.get('/readyz')
                if status == 200:
                    break
            except OSError:
                pass
            if time.monotonic() > end:
                raise RuntimeError(f'the sources are not OK: {(await client.get("/readyz?verbose"))[1]}')
            await asyncio.sleep(0.05)
        self.worst = observe.worst_cases((await client.get('/metrics'))[1])
        self.names = list(json.loads((await client.get('/healthz/sources'))[1]))
        if sorted(self.names) != sorted(self.worst) or len(self.names) < 40:
            raise RuntimeError(f'{len(self.names)} names, {len(self.worst)} with a worst case')
        self.status = dict.fromkeys(self.names, 'OK')
        self.expected = dict.fromkeys(self.names, 0)
        self.until = dict.fromkeys(self.names, time.monotonic() + 1)
        client.close()

    async def listen(self):
        """The log: each change of a status, the moment it is told."""
        while line := await self.program.stdout.readline():
            if not line.startswith(b'{'):
                continue
            at, detail = time.monotonic(), json.loads(line)['detail']
            name, status = detail['source_name'], detail['status']
            if name in self.expected and status != 'OK' and not self.expected[name] and at > self.until[name]:
                self.judging.append(asyncio.create_task(self.unexpected(name, at, f'{status} {json.dumps(detail["error"])[:200]}')))
            self.status[name] = status
            self.changes += 1
            self.news.set()

    async def unexpected(self, name, at, status):
        await self.lateness.until(at)
        late, longest = self.lateness.between(at - 3, at), self.lateness.longest(at - 3, at)
        lost = [count for when, count in self.lost if when > at - 3] or [0]
        what = f'{name} is {status} where nothing was done to it; lateness {late:.3f} s, {longest:.3f} s at once, {lost[-1] - lost[0]} lost beginnings'
        # A new connection is many turns of several processes, a question over a kept one is few.
        if longest > 0.25 or (name.startswith('hub') or name.endswith(('fresh', 'sort', 'tls'))) and late > 1:
            self.excused.append(what)
        else:
            self.problem(what)

    async def read(self):
        """The document, again and again: whole, and no verdict older than its worst case."""
        client, tls = observe.Client(), observe.Client(observe.trusting())
        while not self.ended:
            each = client if self.readings % 8 else tls
            begin = time.monotonic()
            try:
                self.clock.note()
                status, text = await asyncio.wait_for(each.get('/healthz/sources'), 60)
                self.clock.note()
                if status != 200:
                    raise ValueError(f'status {status}')
                document = observe.parse_document(text, self.names)
                now = time.monotonic()
                self.lost = [*self.lost[-200:], (now, observe.lost_beginnings())]
                await self.lateness.until(now)
                for name, verdict in document.items():
                    late = self.lateness.between(begin - self.worst[name], now)
                    ages = self.clock.ages(verdict['timestamp'], self.worst[name] + late + now - begin, now)
                    if min(ages) > self.worst[name] + now - begin + late + SEEING:
                        self.problem(f'{name}: a verdict is {min(ages):.3f} s old, lateness {late:.3f} s')
                    if max(ages) < -SEEING:
                        self.problem(f'{name}: a verdict is from the future, by {-max(ages):.3f} s')
                    if (verdict['status'] in ('OK', 'TIMEOUT')) != (verdict['error'] is None) or verdict['status'] not in ('OK', 'TIMEOUT', 'ERROR'):
                        self.problem(f'{name}: {verdict}')
                if now - begin > 1 + late:
                    self.problem(f'the document: an answer after {now - begin:.3f} s, lateness {late:.3f} s')
                self.latest = document
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, ValueError) as e:
                self.problem(f'the document: {e!r}')
                each.close()
            self.readings += 1
            await asyncio.sleep(0.025)

    async def wait(self, what, bound):
        """Until `what()` holds, for at most so many seconds and the lateness within them; returns the seconds, or nothing."""
        begin = time.monotonic()
        while not what():
            self.news.clear()
            now = time.monotonic()
            if now - begin > bound + SEEING:
                await self.lateness.until(now)
                if now - begin > bound + SEEING + self.lateness.between(begin, now) and not what():
                    return None
            try:
                await asyncio.wait_for(self.news.wait(), 0.05)
            except asyncio.TimeoutError:
                pass
        return time.monotonic() - begin

    def of(self, beginnings):
        return [name for name in self.names if name.startswith(beginnings)]

    async def all(self, names, is_ok, what):
        """Each of them is told within its bound."""
        async def one(name):
            begin = time.monotonic()
            took = await self.wait(lambda: (self.status[name] == 'OK') == is_ok, self.worst[name])
            if took is None:
                self.problem(f'{name}: {what} is not told within {self.worst[name]} s, but {self.status[name]}')
            else:
                late = self.lateness.between(begin, begin + took)
                text = f'{name}, {what}: {took:.3f} s of {self.worst[name]:.3f} s, beside a lateness of {late:.3f} s'
                self.slowest = max(self.slowest, ((took - late) / self.worst[name], text))
        await asyncio.gather(*map(one, names))

    async def fault(self, what, must, may, do, undo, hold):
        """One fault: who must tell it does, who may may, nobody else does; and all are OK again after it."""
        for name in (*must, *may):
            self.expected[name] += 1
        await do()
        await self.all(must, False, what)
        shown = [name for name in must if self.latest[name]['status'] == 'OK' and self.status[name] != 'OK']
        if shown and await self.wait(lambda: all(self.latest[n]['status'] != 'OK' or self.status[n] == 'OK' for n in shown), 1) is None:
            self.problem(f'{shown[0]}: {what} is in the log, and not in the document')
        self.told += bool(must)
        await asyncio.sleep(hold)
        await undo()
        end = time.monotonic()
        await self.all((*must, *may), True, f'the end of: {what}')
        self.recovered += 1
        for name in (*must, *may):
            self.expected[name] -= 1
            self.until[name] = max(self.until[name], end + self.worst[name])


class Chaos:
    """Faults of every kind, in an order that the seed decides for each server on its own."""

    def __init__(self, judge, clock, seed, end, calm):
        self.judge, self.clock, self.seed, self.end, self.calm = judge, clock, seed, end, calm
        self.made = {}
        self.of_postgres = asyncio.Lock()  # the disk is filled while nothing else is wrong with who writes there

    async def repeat(self, name, kinds, lock=None, last=None):
        dice, lock = random.Random(f'{self.seed} {name}'), lock or asyncio.Lock()

        async def make(kind, hold):
            must, may, do, undo = kinds[kind]
            async with lock:
                await self.judge.fault(f'{name}: {kind}', self.judge.of(must), self.judge.of(may), do, undo, hold)
            self.made[kind] = self.made.get(kind, 0) + 1

        while True:
            for kind in dice.sample(list(kinds), len(kinds)):
                hold, pause = dice.random() * 0.5, (0.2 + dice.random() * 0.5) * self.calm
                if time.monotonic() > self.end:
                    return last and await make(last, hold)
                await make(kind, hold)
                await asyncio.sleep(pause)

    def of_server(self, server):
        def later(f, *arguments):
            async def call():
                f(*arguments)
            return call

        async def restart():
            await server.stop()
            await server.start()

        async def nothing():
            pass
        kinds = {
            'killed': (server.sources, (), server.kill, server.start),
            'stopped': (server.sources, (), later(server.signal, signal.SIGSTOP), later(server.signal, signal.SIGCONT)),
            'cut off': (server.sources, (), later(server.cut), later(server.join)),
            'restarted': ((), server.sources, restart, nothing),
        }
        for which in ('expired', 'wrong name'):
            kinds[f'certificate: {which}'] = (server.fresh, server.reconnect, lambda which=which: server.swap(which), lambda: server.swap('good'))
        # At last it is cut off, since each start clears away what such a cut has left on the server.
        return self.repeat(server.name, kinds, self.of_postgres if server.name == 'postgres' else None, last='cut off')

    def of_disk(self, volume):
        filling = []

        async def keep_full():
            with open(volume / 'fill', 'wb', buffering=0) as file:
                while True:
                    try:
                        file.write(bytes(65536))
                    except OSError:
                        await asyncio.sleep(0.02)  # until somebody makes room again

        async def fill():
            filling.append(asyncio.create_task(keep_full()))

        async def empty():
            filling.pop().cancel()
            (volume / 'fill').unlink()
        return self.repeat('disk', {'full': (('volume', 'orders sort'), (), fill, empty)}, self.of_postgres)

    def of_file(self, path):
        async def remove():
            path.rename(path.with_suffix('.kept'))

        async def replace():
            (made := path.with_suffix('.bad')).write_bytes(b'no database' * 1000)
            path.rename(path.with_suffix('.kept'))
            made.rename(path)

        async def put_back():
            path.with_suffix('.kept').rename(path)
        return self.repeat('file', {'gone': (('stock',), (), remove, put_back), 'not a database': (('stock',), (), replace, put_back)})

    def of_clock(self):
        def by(seconds):
            async def call():
                self.clock.set(seconds)
            return call
        kinds = {f'set by {s} s': ((), (), by(s), by(0)) for s in (-3600, -7 * 86400, -1, 3600)}
        return self.repeat('clock', kinds)

    def of_endpoint(self):
        def renewed(which):
            async def call():
                for ending in ('key', 'pem'):
                    shutil.copy(f'{which}.{ending}', 'new')
                    os.rename('new', f'endpoint.{ending}')
                begin, late = time.monotonic(), 0
                while (shown := await observe.shown_certificate()) != observe.certificate(f'{which}.pem'):
                    await self.judge.lateness.until(time.monotonic())
                    late = self.judge.lateness.between(begin, time.monotonic())
                    if time.monotonic() - begin > 2 + SEEING + late:  # it looks once a second, and may have seen the key alone
                        return self.judge.problem(f'the certificate of the endpoint is not replaced: {len(shown)} bytes')
                    await asyncio.sleep(0.05)
            return call
        return self.repeat('endpoint', {'certificate renewed': ((), (), renewed('second'), renewed('first'))})

    def of_network(self):
        async def worsen():
            servers.run('tc', 'qdisc', 'add', 'dev', 'client', 'root', 'netem', 'delay', '20ms', '10ms', 'loss', '2%')

        async def mend():
            servers.run('tc', 'qdisc', 'del', 'dev', 'client', 'root')
        return self.repeat('network', {'loss and delay': ((), ('orders', 'shop', 'cache', 'site', 'gate', 'hub'), worsen, mend)})


async def at_rest(program, judge, all_servers):
    """How much is there in every look of three seconds, which is longer than a check: some that connect anew are under way at any time."""
    looks, changes, end = [], judge.changes, time.monotonic() + 60
    while len(looks) < 10:
        if time.monotonic() > end:
            raise RuntimeError(f'of {[s.name for s in all_servers]}, there are no counts of connections at rest: {counts}')
        counts = await asyncio.gather(*(each.connections() for each in all_servers))
        figures = {**observe.process_figures(program.pid), 'descriptors': observe.open_descriptors(program.pid)}
        if judge.changes != changes:  # after a TIMEOUT, on a machine that is busy, a kept connection is another one
            looks, changes = [], judge.changes
        if None not in counts:  # else a server did not answer, for the same reason
            looks.append({**figures, **{f'connections of {s.name}': n for s, n in zip(all_servers, counts)}})
        await asyncio.sleep(0.3)
    found = {key: [each[key] for each in looks] for key in looks[0]}
    return {key: len(set.intersection(*seen)) if isinstance(seen[0], set) else min(seen) for key, seen in found.items()}


async def listen_to_clients(clients, judge):
    seen = {}
    while line := await clients.stdout.readline():
        said = json.loads(line)
        seen = said.get('done', seen)
        if 'problem' in said:
            await judge.lateness.until(said['at'])
            late = judge.lateness.between(said['since'] - said['before'], said['at'])
            what = f'{said["problem"]} after {said["at"] - said["since"]:.3f} s, lateness {late:.3f} s'
            if late > said['unless']:
                judge.excused.append(what)
            else:
                judge.problem(what)
    return seen


async def main(minutes, path, clock_library, seed, netem):
    print(f'seed {seed}', flush=True)
    clock, lateness = Clock(), observe.Lateness()
    certificates = servers.Certificates(clock_library)
    for each in ('first', 'second'):
        certificates.issue(each, '127.0.0.1', 1000)
    for ending in ('key', 'pem'):
        shutil.copy(f'first.{ending}', f'endpoint.{ending}')
    volume, file = pathlib.Path('volume').absolute(), pathlib.Path('stock.db').absolute()
    all_servers = [kind(certificates) for kind in (servers.Postgres, servers.Mysql, servers.Redis, servers.Nginx, servers.Mosquitto)]
    await asyncio.gather(*(each.prepare(volume) for each in all_servers))
    with sqlite3.connect(file) as database:
        database.execute('CREATE TABLE item (name TEXT)')
    here = os.getcwd()
    environment = {**os.environ, 'CA': f'{here}/ca.pem', 'SQLITE_PATH': str(file), 'VOLUME': str(volume), 'TLS_CERTIFICATE': f'{here}/endpoint.pem',
                   'TLS_KEY': f'{here}/endpoint.key', 'SOAK_CLOCK': f'{here}/clock', 'LD_PRELOAD': clock_library,
                   'MALLOC_ARENA_MAX': '1'}  # else what grows is hidden by the fragments of an arena for each thread
    for each in all_servers:
        environment |= each.environment()
    await lateness.start()
    with open('errors.txt', 'w') as errors:
        program = await asyncio.create_subprocess_exec(path, env=environment, stdout=subprocess.PIPE, stderr=errors, limit=1 << 20)
    judge = Judge(program, clock, lateness)
    listening = asyncio.create_task(judge.listen())
    await judge.begin()
    await asyncio.sleep(2)
    reading = asyncio.create_task(judge.read())
    while judge.readings < 9 and not reading.done():  # so that both of its connections are there
        await asyncio.sleep(0.1)
    before = await at_rest(program, judge, all_servers)
    client = observe.Client()
    checks_before = observe.total((await client.get('/metrics'))[1], 'healthz_checks_total')
    client.close()

    begin = time.monotonic()
    end = begin + minutes * 60
    clients = await asyncio.create_subprocess_exec(sys.executable, f'{os.path.dirname(os.path.abspath(__file__))}/clients.py', seed,
                                                   stdout=subprocess.PIPE)
    seen = asyncio.create_task(listen_to_clients(clients, judge))
    chaos = Chaos(judge, clock, seed, end, calm=1 if minutes < 1 else 4)  # in a long run servers are well most of the time
    parts = [chaos.of_server(each) for each in all_servers] + [chaos.of_disk(volume), chaos.of_file(file), chaos.of_clock(), chaos.of_endpoint()]
    if netem == 'yes':
        parts.append(chaos.of_network())
    working = asyncio.gather(*parts)
    memory = []
    while not working.done():
        done, _ = await asyncio.wait([working, reading, listening, seen], timeout=1, return_when=asyncio.FIRST_COMPLETED)
        if done - {working}:
            raise RuntimeError(f'the program or its clients have ended, or their judge has; see {here}/errors.txt: {done}')
        memory.append((time.monotonic() - begin, observe.process_figures(program.pid)['RSS, KiB']))
    await working
    took = time.monotonic() - begin
    client = observe.Client()
    checks = observe.total((await client.get('/metrics'))[1], 'healthz_checks_total') - checks_before
    client.close()
    clients.terminate()
    seen = await seen

    patience = time.monotonic() + 60  # what servers and kernel have not noticed yet
    while True:
        after = await at_rest(program, judge, all_servers)
        grown = [key for key in before if after[key] > before[key] + SPREAD.get(key, 0)]
        if not grown or time.monotonic() > patience:
            break
        await asyncio.sleep(0.5)
    for key in grown:
        judge.problem(f'{key} at rest: {before[key]} before, {after[key]} after')
    settled = [each for each in memory if each[0] > took / 3]
    slope = statistics.linear_regression(*zip(*settled)).slope * 60 if took > 540 else None  # a shorter run has not settled
    if slope is not None and slope * took / 60 > 1024:
        judge.problem(f'memory grows by {slope:.0f} KiB a minute')
    bad = [name for name, status in judge.status.items() if status != 'OK']
    if bad:
        judge.problem(f'not OK at the end: {bad}')
    judge.ended = True
    await asyncio.gather(reading, *judge.judging)
    program.terminate()
    if await asyncio.wait_for(program.wait(), 60) != 0:
        judge.problem(f'the program ends in {program.returncode}')
    lateness.process.kill()

    print(f'{checks:.0f} checks in {took:.0f} s, {sum(chaos.made.values())} faults: {", ".join(f"{n} {kind}" for kind, n in sorted(chaos.made.items()))}')
    print(f'{judge.told} told, {judge.recovered} recoveries; slowest by its bound: {judge.slowest[1]}')
    print(f'{judge.readings} documents read; clients: {", ".join(f"{n} {what}" for what, n in sorted(seen.items()))}')
    print('at rest, before and after: ' + ', '.join(f'{key} {before[key]} and {after[key]}' for key in before))
    if slope is not None:
        print(f'slope of RSS over the last two thirds: {slope:.1f} KiB a minute')
    print(f'lateness of the machine: {lateness.total():.3f} s in all; excused by it: {len(judge.excused)} {judge.excused[:3]}')
    if judge.problems:
        print(f'0 passed, {len(judge.problems)} failed; seed {seed}')
        sys.exit(1)
    print(f'{judge.recovered} passed, 0 failed', flush=True)


arguments = sys.argv[1:]
asyncio.run(main(float(arguments[0]), *arguments[1:]))
