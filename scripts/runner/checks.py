"""Health checks: a command as in compose.yaml, or what a local part offers."""

import asyncio
import contextlib
import socket
from collections.abc import Mapping
from pathlib import Path

from scripts.runner.launch import Check

PATIENCE = 4.0


async def checked(check: Check, seconds: float) -> str | None:
    """What a check says; `wait_for` might swallow a cancellation, and who watches would never end."""
    try:
        async with asyncio.timeout(seconds):
            return await check()
    except TimeoutError:
        return f"no answer in {seconds:.0f} s"
    except OSError as error:
        return str(error)


def command(words: tuple[str, ...], environment: Mapping[str, str], folder: Path) -> Check:
    argv = ("sh", "-c", *words[1:]) if words[0] == "CMD-SHELL" else words[1:]

    async def check() -> str | None:
        process = await asyncio.create_subprocess_exec(
            *argv,
            env=dict(environment),
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await process.communicate()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        return None if process.returncode == 0 else output.decode(errors="replace").strip()[-500:] or "no answer"

    return check


def tcp(port: int) -> Check:
    async def check() -> str | None:
        return None if is_open(port) else f"nothing listens on port {port}"

    return check


def http(port: int, path: str) -> Check:
    async def check() -> str | None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError as error:
            return str(error)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            status = (await reader.readline()).decode(errors="replace").strip()
        finally:
            writer.close()
        return None if " 200" in status else status or "no answer"

    return check


def answers(port: int, path: str) -> Check:
    """As `python -m services.chassis.health` asks: 200 is healthy, and anything else tells what is wrong."""

    async def check() -> str | None:
        try:
            async with asyncio.timeout(PATIENCE):
                head, _, body = (await reply(port, path)).partition("\r\n\r\n")
        except TimeoutError:
            return "timed out"
        return None if head.split()[1:2] == ["200"] else body.strip()[-500:] or "no answer"

    return check


async def reply(port: int, path: str) -> str:
    """All that it says."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        return (await reader.read()).decode(errors="replace")
    finally:
        writer.close()


def is_open(port: int) -> bool:
    """Loopback answers at once, so this is no waiting."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
