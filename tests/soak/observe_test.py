# SPDX-License-Identifier: BSL-1.0
"""What observe.py sees of a machine that stands still: all of it, also where it is asked before that ends."""
import asyncio
import os
import signal
import time

import observe


async def main():
    lateness = observe.Lateness()
    await lateness.start()
    await lateness.until(time.monotonic() + 0.1)
    os.kill(lateness.process.pid, signal.SIGSTOP)
    await asyncio.sleep(0.5)
    at = time.monotonic()
    asyncio.get_running_loop().call_later(0.3, os.kill, lateness.process.pid, signal.SIGCONT)
    await lateness.until(at)
    seen = lateness.longest(at - 3, at), lateness.between(at - 3, at)
    lateness.process.kill()
    if min(seen) < 0.4:
        raise SystemExit(f'0 passed, 1 failed: of half a second {seen} is seen')
    print('1 passed, 0 failed', flush=True)


asyncio.run(main())
