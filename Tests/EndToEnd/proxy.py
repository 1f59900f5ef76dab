"""A wire that a test can cut: TCP from a port of its own to a server's."""

import asyncio
import contextlib
import threading

from gateway import free_port


class Proxy:
    """Passes bytes on both ways until it is told otherwise.

    `cut`: connections end, new ones are refused, as where the server's process is gone. `stall`: nothing gets
    through and nobody is told, as where a cable is pulled; new connections are accepted, and stay silent. `delay`:
    everything arrives so much later. `heal` ends each of them; what was stalled then arrives.
    """

    def __init__(self, target):
        self.target = target
        self.port = free_port()
        self.seconds = 0.0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True, name="proxy")
        self.listener = None
        self.wires = set()
        self.tasks = set()

    # Life

    def __enter__(self):
        self.thread.start()
        self._ask(self._begin())
        return self

    def __exit__(self, *_):
        self._ask(self._end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    # What befalls the wire

    def cut(self):
        self._ask(self._cut())
        return self

    def stall(self):
        self._ask(self._set(passes=False))
        return self

    def delay(self, seconds):
        self._ask(self._set(seconds=seconds))
        return self

    def heal(self):
        self._ask(self._set(seconds=0.0, passes=True))
        self._ask(self._listen())
        return self

    @property
    def connections(self):
        """How many pass through it now."""
        return len(self.wires) // 2

    # On its own thread

    def _ask(self, what):
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(10)

    async def _begin(self):
        self.passes = asyncio.Event()
        self.passes.set()
        await self._listen()

    async def _listen(self):
        if self.listener is None:
            self.listener = await asyncio.start_server(self._accepted, "127.0.0.1", self.port)

    async def _set(self, seconds=None, passes=None):
        if seconds is not None:
            self.seconds = seconds
        if passes is not None:
            (self.passes.set if passes else self.passes.clear)()

    async def _cut(self):
        if self.listener:
            self.listener.close()
            self.listener = None
        for wire in list(self.wires):
            wire.transport.abort()

    async def _end(self):
        await self._cut()
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accepted(self, reader, writer):
        task = asyncio.current_task()
        self.tasks.add(task)
        self.wires.add(writer)
        server = None
        try:
            await self.passes.wait()
            server_reader, server = await asyncio.open_connection("127.0.0.1", self.target)
            self.wires.add(server)
            await asyncio.gather(self._pass_on(reader, server), self._pass_on(server_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for end in filter(None, (writer, server)):
                self.wires.discard(end)
                end.transport.abort()
            self.tasks.discard(task)

    async def _pass_on(self, reader, writer):
        """One direction, to its end. What waits for its time waits beside what comes after it, up to a bound."""
        waiting = asyncio.Queue(1000)

        async def deliver():
            while True:
                moment, data = await waiting.get()
                if (wait := moment - self.loop.time()) > 0:
                    await asyncio.sleep(wait)
                await self.passes.wait()
                if not data:
                    with contextlib.suppress(OSError):
                        writer.write_eof()
                    return
                writer.write(data)
                await writer.drain()

        delivery = asyncio.ensure_future(deliver())
        try:
            data = b"-"
            while data:
                data = await reader.read(65536)
                await waiting.put((self.loop.time() + self.seconds, data))
            await delivery
        finally:
            delivery.cancel()
