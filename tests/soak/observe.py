# SPDX-License-Identifier: BSL-1.0
"""What is seen of the program under test, and of the machine that it runs on."""
import asyncio
import bisect
import json
import os
import ssl
import subprocess
import sys
import time

VIEWS = ('/healthz/sources', '/healthz/page', '/metrics', '/livez', '/readyz', '/startupz', '/healthz')
PLAIN, TLS = 8080, 8443


def trusting():
    """For clients of the TLS port."""
    return ssl.create_default_context(cafile='ca.pem')


def certificate(path):
    """The bytes of one."""
    with open(path) as file:
        return ssl.PEM_cert_to_DER_cert(file.read())


async def shown_certificate():
    """That of the TLS port, to a new client."""
    _, writer = await asyncio.open_connection('127.0.0.1', TLS, ssl=trusting())
    shown = writer.get_extra_info('ssl_object').getpeercert(binary_form=True)
    writer.close()
    return shown


class Client:
    """A client of the endpoint with a kept connection, which opens another one where that was closed."""

    def __init__(self, tls=None):
        self.tls, self.link = tls, None

    async def get(self, target):
        """The status, and the body."""
        if self.link is None:
            self.link = await asyncio.open_connection('127.0.0.1', TLS if self.tls else PLAIN, ssl=self.tls, limit=1 << 20)
        reader, writer = self.link
        try:
            writer.write(f'GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode())
            head = (await reader.readuntil(b'\r\n\r\n')).decode().lower()
            size = int(head.split('content-length:')[1].split('\r\n')[0])
            body = await reader.readexactly(size)
        except BaseException:
            self.close()
            raise
        if 'connection: close' in head:
            self.close()
        return int(head.split()[1]), body.decode()

    def close(self):
        if self.link is not None:
            self.link[1].close()
        self.link = None


class Lateness:
    """How late a process of its own is that sleeps and works in turn, which tells what the machine makes of any other: one that only sleeps is woken at once where one
    that works waits for its turn. Times are of the steady clock."""
    PROGRAM = '''
import time
while True:
    begin, worked = time.monotonic(), time.thread_time()
    time.sleep(0.025)
    while time.thread_time() - worked < 0.004: pass
    end = time.monotonic()
    print(end, end - begin - 0.025 - (time.thread_time() - worked), flush=True)
'''

    def __init__(self):
        self.seen = {'machine': [(0.0, 0.0, 0.0)], 'judge': [(0.0, 0.0, 0.0)]}  # when, how late, and all until then
        self.known = dict.fromkeys(self.seen, 0.0)  # until when there is nothing more to be seen

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(sys.executable, '-c', self.PROGRAM, stdout=subprocess.PIPE)
        self.tasks = [asyncio.create_task(self.listen()), asyncio.create_task(self.of_the_judge())]

    async def listen(self):
        while line := await self.process.stdout.readline():
            self.add('machine', *map(float, line.split()), 0.001)

    async def of_the_judge(self):
        """This process, too, may be late in seeing what has been said."""
        while True:
            due = time.monotonic() + 0.005
            await asyncio.sleep(0.005)
            now = time.monotonic()
            self.add('judge', now, now - due, 0.005)

    def add(self, whose, at, late, least):
        if late > least:
            self.seen[whose].append((at, late, self.seen[whose][-1][2] + late))
        self.known[whose] = at

    async def until(self, at):
        """Waits until lateness before `at` is known, but for a tenth of a second: that of a machine that stands still is when it goes on, and others may be
        heard of before it is."""
        while min(self.known.values()) < at - 0.1:
            await asyncio.sleep(0.005)

    def within(self, whose, begin, end):
        all_seen = self.seen[whose]
        first, last = bisect.bisect_left(all_seen, (begin,)), bisect.bisect_right(all_seen, (end + 0.1,))
        if last < len(all_seen) and all_seen[last][0] - all_seen[last][1] < end:
            last += 1  # it had begun by then
        return all_seen[max(first, 1):last], all_seen[max(first, 1) - 1][2]

    def between(self, begin, end):
        """All lateness of that time, in seconds: of the machine, or of the judge if that is more."""
        found = (self.within(whose, begin, end) for whose in self.seen)
        return max(seen[-1][2] - before if seen else 0.0 for seen, before in found)

    def longest(self, begin, end):
        """The longest time in it that the machine stood still."""
        return max((late for _, late, _ in self.within('machine', begin, end)[0]), default=0.0)

    def total(self):
        return self.seen['machine'][-1][2]


def worst_cases(metrics):
    """By the declaration, in seconds."""
    prefix = 'healthz_source_worst_case_detection_seconds{source_name="'
    lines = (line[len(prefix):].split('"} ') for line in metrics.splitlines() if line.startswith(prefix))
    return {name: float(value) for name, value in lines}


def total(metrics, name):
    return sum(float(line.split()[-1]) for line in metrics.splitlines() if line.startswith(name + '{'))


def process_figures(pid):
    """Resident memory in KiB, descriptors, threads."""
    with open(f'/proc/{pid}/status') as file:
        status = dict(line.split(':', 1) for line in file)
    return {'RSS, KiB': int(status['VmRSS'].split()[0]), 'descriptors': len(os.listdir(f'/proc/{pid}/fd')), 'threads': int(status['Threads'])}


def lost_beginnings():
    """How often a connection of this network has begun once more, since its first packet was not answered for a second."""
    with open('/proc/net/netstat') as file:
        names, values = [line.split() for line in file if line.startswith('TcpExt:')]
    return int(values[names.index('TCPSynRetrans')])


def open_descriptors(pid):
    """Each with what it leads to, so that another one of the same number is another."""
    found = set()
    for each in os.listdir(f'/proc/{pid}/fd'):
        try:
            found.add((each, os.readlink(f'/proc/{pid}/fd/{each}')))
        except FileNotFoundError:  # closed meanwhile
            pass
    return found


def parse_document(text, names):
    """The verdicts by name; raises where it is not JSON, or the sources are not all there, in their order."""
    document = json.loads(text, object_pairs_hook=lambda pairs: pairs)  # of which a name that stands twice is two
    if [name for name, _ in document] != names:
        raise ValueError(f'the document has other sources: {text[:200]}')
    return {name: dict(verdict) for name, verdict in document}
