"""Answers calls by AGI(agi:async) over panoramisk's Manager: `python -m bench.ivr.agi_async`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from panoramisk import Manager
from panoramisk.actions import Command
from panoramisk.message import Message

from bench.ivr.agi import Answer, HungUp, Script, script
from bench.ivr.files import ACCOUNT
from bench.ivr.serving import Service, serve
from bench.ivr.way import HOST


class Calls:
    """A task for each call that Asterisk has given away."""

    def __init__(self, manager: Manager, steps: Script) -> None:
        self._manager = manager
        self._steps = steps
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._asked: dict[str, asyncio.Future[Message]] = {}
        manager.register_event("AsyncAGIStart", self._begun)
        manager.register_event("AsyncAGIExec", self._done)
        manager.register_event("AsyncAGIEnd", self._over)

    def _begun(self, _: Manager, event: Message) -> None:
        channel = event["Channel"]
        self._tasks[channel] = asyncio.create_task(self._answer(channel))

    def _done(self, _: Manager, event: Message) -> None:
        asked = self._asked.get(event["CommandID"])
        if asked is not None and not asked.done():
            asked.set_result(event)

    def _over(self, _: Manager, event: Message) -> None:
        if task := self._tasks.pop(event["Channel"], None):
            task.cancel()

    async def _answer(self, channel: str) -> None:
        async def ask(command: str) -> Answer:
            return await self._ask(channel, command)

        with suppress(HungUp):
            await self._steps.run(ask)
            self._send(channel, "ASYNCAGI BREAK")

    async def _ask(self, channel: str, text: str) -> Answer:
        """panoramisk's own future is done when the command is queued; the answer is an event of its own."""
        command, queued = self._send(channel, text)
        asked: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._asked[command.id] = asked
        try:
            response = await queued
            if not response.success:
                raise HungUp(response.message)
            answer: Answer = (await asked).parsed_result()
        finally:
            del self._asked[command.id]
        return answer

    def _send(self, channel: str, text: str) -> "tuple[Command, asyncio.Future[Message]]":
        command = Command({"Action": "AGI", "Channel": channel, "Command": text})
        return command, self._manager.send_action(command, as_list=False)


@asynccontextmanager
async def serving(service: Service) -> AsyncIterator[None]:
    logged_in = asyncio.Event()
    manager = Manager(
        host=HOST,
        port=service.port,
        username=ACCOUNT,
        secret=service.secret,
        loop=asyncio.get_running_loop(),
        on_login=lambda _: logged_in.set(),
    )
    Calls(manager, script(service.sounds))
    connecting = manager.connect()
    await logged_in.wait()
    await connecting
    try:
        yield
    finally:
        manager.close()


if __name__ == "__main__":
    serve(serving)
