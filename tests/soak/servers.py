# SPDX-License-Identifier: BSL-1.0
"""Real servers, each at an address of its own in the network `servers`, with files in the working directory: started, ended, stopped, cut off."""
import asyncio
import os
import pathlib
import shutil
import signal
import subprocess

PASSWORD = 'Vq8zKw3x'


def run(*command, env=None, **more):
    """Runs a command to its end, and returns what it writes."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env, **more)
    if done.returncode != 0:
        raise RuntimeError(f'{" ".join(command)}: {done.stdout}')
    return done.stdout


async def ask(*command):
    """What a client writes, or nothing where it fails or takes more than five seconds."""
    process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 5)
    except asyncio.TimeoutError:
        process.kill()
        await process.wait()
        return ''
    return output.decode() if process.returncode == 0 else ''


class Certificates:
    """An authority, and of each server the certificates that it has in turn."""

    def __init__(self, clock_library):
        self.clock_library = clock_library
        self.openssl(0, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem',
                     '-subj', '/CN=soak', '-days', '3650')

    def openssl(self, clock, *arguments):
        """The clock is set to before each fault of the clock, or certificates would not be valid yet."""
        pathlib.Path('issue_clock').write_bytes((clock - 100 * 86400).to_bytes(8, 'little', signed=True))
        run('openssl', *arguments, env={**os.environ, 'SOAK_CLOCK': 'issue_clock', 'LD_PRELOAD': self.clock_library})

    def issue(self, name, address, days):
        self.openssl(0, 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', f'{name}.key', '-out', f'{name}.csr',
                     '-subj', f'/CN={address}')
        pathlib.Path('names').write_text(f'subjectAltName={"IP" if address[0].isdigit() else "DNS"}:{address}')
        self.openssl(0, 'x509', '-req', '-in', f'{name}.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-out', f'{name}.pem',
                     '-days', str(days), '-extfile', 'names')


class Server:
    """`name` is its directory; `account` is who runs it; with `sources` begin the names of its checks, `fresh` are those that connect anew with TLS each time, and
    `reconnect` those that it makes do so when it reads its certificate. `connections` says how many it has, or which; nothing where it does not answer."""
    account, reconnect = 'root', ()

    def __init__(self, certificates):
        self.path = pathlib.Path(self.name).absolute()
        self.path.mkdir()
        self.process = None
        for which, address, days in (('good', self.address, 1000), ('expired', self.address, 50), ('wrong name', 'elsewhere.example', 1000)):
            certificates.issue(f'{self.name}/{which}', address, days)
        shutil.chown(self.path, self.account, self.account)
        self.put_certificate('good')

    def put_certificate(self, which):
        for ending in ('key', 'pem'):
            made = self.path / f'new.{ending}'
            shutil.copy(self.path / f'{which}.{ending}', made)
            shutil.chown(made, self.account)
            made.chmod(0o600)
            made.rename(self.path / f'server.{ending}')

    def as_account(self):
        return ('setpriv', f'--reuid={self.account}', f'--regid={self.account}', '--clear-groups', 'env', f'TMPDIR={self.path}')

    async def start(self):
        """Starts the server, again where it ends, since what its predecessor had may still be in use; until it answers."""
        for _ in range(1200):
            if self.process is None or self.process.poll() is not None:
                with open(self.path / 'log', 'a') as log:
                    self.process = subprocess.Popen(('nsenter', '--net=/run/netns/servers', *self.as_account(), *map(str, self.command())),
                                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            if await self.connections() is not None:
                return
            await asyncio.sleep(0.05)
        raise RuntimeError(f'{self.name} does not start, see {self.path}/log')

    def family(self):
        """The numbers of its processes, the first one first."""
        first = self.process.pid
        children = []
        for task in pathlib.Path(f'/proc/{first}/task').glob('*/children'):
            children += map(int, task.read_text().split())
        return [first, *children]

    def signal(self, which):
        for each in self.family():
            try:
                os.kill(each, which)
            except ProcessLookupError:
                pass

    async def ended(self):
        while self.process.poll() is None:
            await asyncio.sleep(0.01)
        self.process = None

    async def kill(self):
        self.signal(signal.SIGKILL)
        await self.ended()

    async def stop(self):
        """Ends it in order."""
        os.kill(self.process.pid, self.stop_signal)
        await self.ended()

    def cut(self):
        run('ip', '-n', 'servers', 'addr', 'del', f'{self.address}/32', 'dev', 'servers')

    def join(self):
        run('ip', '-n', 'servers', 'addr', 'add', f'{self.address}/32', 'dev', 'servers')

    async def swap(self, which):
        self.put_certificate(which)
        await self.reload()


class Postgres(Server):
    name, address, account, stop_signal = 'postgres', '10.9.0.11', 'postgres', signal.SIGINT
    sources, fresh = ('orders',), ('orders fresh',)
    programs = max(pathlib.Path('/usr/lib/postgresql').iterdir(), key=lambda path: int(path.name)) / 'bin'

    async def prepare(self, volume):
        data = self.path / 'data'
        await asyncio.to_thread(run, *self.as_account(), str(self.programs / 'initdb'), '-D', str(data), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync')
        (data / 'pg_hba.conf').write_text('local all all trust\nhostssl all monitor all scram-sha-256\n')
        await self.start()
        folder = volume / 'postgres'
        folder.mkdir()
        shutil.chown(folder, self.account)
        for sql in (f"CREATE ROLE monitor LOGIN PASSWORD '{PASSWORD}'", f"CREATE TABLESPACE volume LOCATION '{folder}'",
                    'GRANT CREATE ON TABLESPACE volume TO monitor', 'ALTER ROLE monitor SET temp_tablespaces = volume',
                    "ALTER ROLE monitor SET work_mem = '64kB'"):
            await asyncio.to_thread(run, 'psql', '-h', str(self.path), '-U', 'postgres', '-qc', sql)

    def command(self):
        return (self.programs / 'postgres', '-D', self.path / 'data', '-k', self.path, '-c', 'listen_addresses=*', '-c', 'fsync=off', '-c', 'ssl=on',
                '-c', f'ssl_cert_file={self.path}/server.pem', '-c', f'ssl_key_file={self.path}/server.key', '-c', 'shared_buffers=16MB')

    async def connections(self):
        found = await ask('psql', '-h', str(self.path), '-U', 'postgres', '-Atc', "SELECT count(*) FROM pg_stat_activity WHERE usename = 'monitor'")
        return int(found) if found else None

    async def reload(self):
        os.kill(self.process.pid, signal.SIGHUP)

    def environment(self):
        return {'POSTGRES_URL': f'postgresql://monitor:{PASSWORD}@{self.address}/postgres?sslmode=verify-full&sslrootcert={os.getcwd()}/ca.pem'}


class Mysql(Server):
    name, address, account, stop_signal = 'mysql', '10.9.0.12', 'mysql', signal.SIGTERM
    sources, fresh = ('shop',), ('shop fresh',)

    async def prepare(self, _):
        await asyncio.to_thread(run, *self.as_account(), 'mariadb-install-db', '--no-defaults', f'--datadir={self.path}/data', '--skip-test-db',
            '--auth-root-authentication-method=normal', '--innodb-log-file-size=8M')
        await self.start()
        await ask(*self.client(f"CREATE USER monitor IDENTIFIED BY '{PASSWORD}'"))

    def command(self):
        return ('mariadbd', '--no-defaults', f'--datadir={self.path}/data', f'--socket={self.path}/socket', '--bind-address=0.0.0.0',
                '--innodb-buffer-pool-size=8M', '--innodb-log-file-size=8M', '--innodb-flush-log-at-trx-commit=0', '--max-connect-errors=1000000',
                '--skip-name-resolve', f'--ssl-ca={os.getcwd()}/ca.pem', f'--ssl-cert={self.path}/server.pem', f'--ssl-key={self.path}/server.key')

    def client(self, sql):
        return ('mariadb', '--no-defaults', f'--socket={self.path}/socket', '-u', 'root', '-BNe', sql)

    async def connections(self):
        found = await ask(*self.client("SELECT count(*) FROM information_schema.processlist WHERE user = 'monitor'"))
        return int(found) if found else None

    async def reload(self):
        await ask(*self.client('FLUSH SSL'))

    def environment(self):
        return {'MYSQL_URL': f'mysql://monitor:{PASSWORD}@{self.address}/?ssl-mode=VERIFY_IDENTITY'}


class Redis(Server):
    name, address, stop_signal = 'redis', '10.9.0.13', signal.SIGTERM
    sources, fresh = ('cache',), ('cache fresh',)

    async def prepare(self, _):
        (self.path / 'conf').write_text(f'''bind 0.0.0.0
protected-mode no
port 6379
tls-port 6380
tls-auth-clients no
tls-ca-cert-file {os.getcwd()}/ca.pem
tls-cert-file {self.path}/server.pem
tls-key-file {self.path}/server.key
unixsocket {self.path}/socket
dir {self.path}
save ""
user monitor on >{PASSWORD} -@all +ping
''')
        await self.start()

    def command(self):
        return ('redis-server', self.path / 'conf')

    def client(self, *command):
        return ('redis-cli', '-s', str(self.path / 'socket'), *command)

    async def connections(self):
        found = await ask(*self.client('CLIENT', 'LIST'))
        return sum(' user=monitor ' in line for line in found.splitlines()) if found else None

    async def reload(self):
        await ask(*self.client('CONFIG', 'SET', 'tls-cert-file', str(self.path / 'server.pem'), 'tls-key-file', str(self.path / 'server.key')))

    def environment(self):
        return {'REDIS_URL': f'redis://monitor:{PASSWORD}@{self.address}', 'REDIS_TLS_URL': f'rediss://monitor:{PASSWORD}@{self.address}:6380'}


class Nginx(Server):
    name, address, stop_signal = 'nginx', '10.9.0.14', signal.SIGTERM
    sources, fresh, reconnect = ('site', 'gate'), ('site fresh',), ('site tls',)

    async def prepare(self, _):
        (self.path / 'conf').write_text('''user root; daemon off; worker_processes 1; worker_shutdown_timeout 1s; pid pid; error_log log;
events { worker_connections 1000; }
http {
    access_log off; keepalive_requests 1000000; client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
    server {
        listen 80; listen 443 ssl; listen unix:%s/socket; ssl_certificate server.pem; ssl_certificate_key server.key;
        location / { return 204; }
        location = /status { stub_status; }
    }
}
''' % self.path)
        await self.start()

    def command(self):
        (self.path / 'socket').unlink(missing_ok=True)  # which a killed one has left
        return ('nginx', '-p', self.path, '-c', 'conf', '-e', 'log')

    async def connections(self):
        found = await ask('curl', '-s', '--unix-socket', str(self.path / 'socket'), 'http://nginx/status')
        return int(found.split()[2]) - 1 if found.startswith('Active') else None

    async def reload(self):
        os.kill(self.process.pid, signal.SIGHUP)

    def environment(self):
        return {'HTTP_URL': f'http://{self.address}/', 'HTTPS_URL': f'https://{self.address}/', 'TCP_ADDRESS': f'{self.address}:80'}


class Mosquitto(Server):
    name, address, stop_signal = 'mosquitto', '10.9.0.15', signal.SIGTERM
    sources, fresh = ('hub',), ('hub fresh',)

    async def prepare(self, _):
        (self.path / 'users').touch(0o600)
        run('mosquitto_passwd', '-b', str(self.path / 'users'), 'monitor', PASSWORD)
        (self.path / 'rights').write_text('user monitor\ntopic readwrite echo\ntopic read $SYS/broker/version\n')
        (self.path / 'conf').write_text(f'''user root
persistence false
connection_messages false
set_tcp_nodelay true
per_listener_settings true
listener 0 {self.path}/socket
allow_anonymous true
listener 1883 0.0.0.0
password_file {self.path}/users
acl_file {self.path}/rights
listener 8883 0.0.0.0
password_file {self.path}/users
acl_file {self.path}/rights
cafile {os.getcwd()}/ca.pem
certfile {self.path}/server.pem
keyfile {self.path}/server.key
''')
        await self.start()

    def command(self):
        (self.path / 'socket').unlink(missing_ok=True)  # which a killed one has left
        return ('mosquitto', '-c', self.path / 'conf')

    async def connections(self):
        """The other ends of those that it has not ended, by its network: what it tells itself is some seconds old."""
        if not await ask('mosquitto_sub', '--unix', str(self.path / 'socket'), '-C', '1', '-t', '$SYS/broker/version'):
            return None
        lines = pathlib.Path(f'/proc/{self.process.pid}/net/tcp').read_text().splitlines()[1:]
        fields = (line.split() for line in lines)
        return {remote for _, local, remote, state, *_ in fields if local.endswith((':075B', ':22B3')) and state in ('01', '08')}

    async def reload(self):
        os.kill(self.process.pid, signal.SIGHUP)

    def environment(self):
        return {'MQTT_URL': f'mqtt://monitor:{PASSWORD}@{self.address}', 'MQTT_TLS_URL': f'mqtts://monitor:{PASSWORD}@{self.address}'}
