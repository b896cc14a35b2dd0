"""genieacs-sim, a device of other people's, and our ACS over real sockets.

The simulator is the npm package `genieacs-sim`; it is taken from where `NETPROV_GENIEACS_SIM` says, or from npm's global folder,
and without it these tests are skipped. It Informs with Basic credentials, sends its cookies back with their attributes,
knows neither Reboot nor FactoryReset, and dies of whatever it cannot read.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from netprov.cwmp import codec, rpc
from netprov.cwmp.device import Configured, DownloadRequested, FileTransferred, InformReceived
from netprov.cwmp.queue import TransactionEnded
from netprov.machine import Event
from netprov.runtime.operation import Asker
from tests.port import free_port
from tests.runtime.cwmp.test_service import Ran, plan, running

MAC = "001234ab45de"
SERVER = "Device.ManagementServer."
MODEL = {
    "DeviceID.Manufacturer": [False, "Cisco & <others>", "xsd:string"],
    "DeviceID.OUI": [False, "001234", "xsd:string"],
    "DeviceID.ProductClass": [False, "CP-8851-3PCC", "xsd:string"],
    "DeviceID.SerialNumber": [False, "", "xsd:string"],
    "Device.": [False],
    "Device.DeviceInfo.": [False],
    "Device.DeviceInfo.SoftwareVersion": [False, "11.3.1", "xsd:string"],
    "Device.DeviceInfo.ProvisioningCode": [True, "", "xsd:string"],
    SERVER: [False],
    f"{SERVER}ConnectionRequestURL": [False, "", "xsd:string"],
    f"{SERVER}ParameterKey": [False, "", "xsd:string"],
    f"{SERVER}PeriodicInformEnable": [True, "0", "xsd:boolean"],
    f"{SERVER}PeriodicInformInterval": [True, "20", "xsd:unsignedInt"],
    f"{SERVER}Username": [True, "sim", "xsd:string"],
    f"{SERVER}Password": [True, "secret", "xsd:string"],
    f"{SERVER}ConnectionRequestUsername": [True, "", "xsd:string"],
    f"{SERVER}ConnectionRequestPassword": [True, "", "xsd:string"],
    "Device.Services.": [False],
    "Device.Services.Line.": [True],
    "Device.Services.Line.1.": [True],
    "Device.Services.Line.1.User": [True, "", "xsd:string"],
}
START = """
const dns = require('dns'), lookup = dns.lookup;
dns.lookup = (name, ...rest) => lookup(name.endsWith('.example.com') ? '127.0.0.1' : name, ...rest);
const [simulator, model, serial, url] = process.argv.slice(1);
require(simulator + '/simulator').start(JSON.parse(model), serial, url);
"""
"""The names of the inventory are in no DNS that this machine asks."""


def simulator() -> tuple[str, str]:
    """Return node and where the simulator is; skip where there is none."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None:
        pytest.skip("node is not installed")
    place = os.environ.get("NETPROV_GENIEACS_SIM", "")
    if not place and npm is not None:
        root = subprocess.run(
            [npm, "root", "--global"], capture_output=True, text=True, timeout=60, check=False
        )
        place = f"{root.stdout.strip()}/genieacs-sim"
    if not (Path(place) / "simulator.js").is_file():
        pytest.skip("genieacs-sim is not installed (npm install --global genieacs-sim)")
    return node, place


@asynccontextmanager
async def simulated(url: str) -> AsyncIterator[Process]:
    """Run one simulated device; it is ended, and must not have ended by itself."""
    node, place = simulator()
    command = (node, "-e", START, place, json.dumps(MODEL), MAC, url)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    try:
        yield process
        assert process.returncode is None, (await process.communicate())[1].decode()
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def told(kind: type[Event]) -> Callable[[Ran], bool]:
    """Say when the ACS has told of something."""
    return lambda ran: any(isinstance(each, kind) for each in ran.events)


async def until(ran: Ran, wanted: Callable[[Ran], bool], process: Process) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(30):
        while not wanted(ran):
            assert process.returncode is None, (await process.communicate())[1].decode()
            await asyncio.sleep(0.02)


@asynccontextmanager
async def profiles(port: int) -> AsyncIterator[list[str]]:
    """Serve a profile at every path; yield the paths that were asked for."""
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        asked.append(request.path)
        return web.Response(text="<flat-profile/>")

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield asked
    finally:
        await runner.cleanup()


async def knock(ran: Ran, process: Process) -> str:
    """Have the simulator open a session, by the URL that it says it listens at; return that."""
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
    async with ran.client.get(line.split()[-1]) as reply:
        assert reply.status == 200
    return line.split()[-1]


ALICE = Asker(1, "alice")
KEY = f"001234-CP-8851-3PCC-{MAC}"
ALL = {"device": KEY, "first": 0, "last": 0, "limit": 50}


def operation(ran: Ran, name: str, **arguments: Any) -> AsyncIterator[Mapping[str, Any]]:
    """Ask something of the ACS as an operator."""
    return ran.service.operations()[name](ALICE, arguments)


async def asks(ran: Ran, call: rpc.Rpc) -> None:
    """Have the ACS make a call of the simulator in its next session."""
    message = codec.encode(rpc.Message(call)).decode()
    more = {"devices": [KEY], "untyped": [], "lasts": 3600, "at_once": 0, "window": []}
    assert [each async for each in operation(ran, "acs.queue", call=message, **more)]


def ended(count: int) -> Callable[[Ran], bool]:
    """Say when so many calls of operators have ended."""
    return lambda ran: sum(isinstance(each, TransactionEnded) for each in ran.events) == count


def test_simulated_device_is_configured_fetches_its_profile_and_reports_it(tmp_path: Path) -> None:
    simulator()
    url, files = f"http://pr1.example.com:{free_port()}/", free_port()
    srv = f"srv: {{http: [{{target: pr1, port: {files}}}]}}\n"

    async def check() -> None:
        at = plan(url, srv=srv)
        async with running(tmp_path, at) as ran, profiles(files) as asked, simulated(url) as process:
            await until(ran, told(DownloadRequested), process)
            await knock(ran, process)
            await until(ran, told(FileTransferred), process)
            assert asked == [f"/Cisco/{MAC}.cfg"]
            codes = [each.codes for each in ran.events if isinstance(each, InformReceived)]
            assert codes == [("2 PERIODIC",), ("6 CONNECTION REQUEST",)]
            (done,) = (each for each in ran.events if isinstance(each, FileTransferred))
            assert (done.mac, done.fault_code) == ("00:12:34:ab:45:de", 0)
            assert [each.names for each in ran.events if isinstance(each, Configured)] == [
                (f"{SERVER}PeriodicInformEnable", f"{SERVER}PeriodicInformInterval")
            ]

    asyncio.run(asyncio.wait_for(check(), 60))


LINE = "Device.Services.Line."
OF_OPERATORS: list[tuple[rpc.Rpc, str, str]] = [
    (rpc.GetParameterNames("Device.", next_level=True), "done", SERVER),
    (rpc.GetParameterValues((f"{SERVER}PeriodicInformInterval",)), "done", "3600"),
    (rpc.SetParameterValues((rpc.ParameterValue(f"{LINE}1.User", "<4081> & co"),)), "done", ""),
    (rpc.GetParameterValues((f"{LINE}1.User",)), "done", "<4081> & co"),
    (rpc.AddObject(LINE), "done", "2"),
    (rpc.DeleteObject(f"{LINE}2."), "done", ""),
    (rpc.Download("", rpc.FIRMWARE, "http://pr1.example.com:{port}/fw.loads"), "done", ""),
    (rpc.GetRPCMethods(), "failed", "9000"),
    (rpc.Reboot(), "failed", "9000"),
    (rpc.FactoryReset(), "failed", "9000"),
    (rpc.GetParameterAttributes((f"{LINE}1.User",)), "failed", "9000"),
]
"""What an operator asks of the simulator, how it ends, and what its answer tells; it has four methods less than a phone."""


def test_simulated_device_does_what_operators_ask_in_their_order(tmp_path: Path) -> None:
    simulator()
    url, files = f"http://pr1.example.com:{free_port()}/", free_port()
    srv = f"srv: {{http: [{{target: pr1, port: {files}}}]}}\n"

    async def check() -> None:
        at = plan(url, srv=srv)
        async with running(tmp_path, at) as ran, profiles(files) as asked, simulated(url) as process:
            await until(ran, told(DownloadRequested), process)
            for call, _, _ in OF_OPERATORS:
                if isinstance(call, rpc.Download):
                    call = replace(call, url=call.url.format(port=files))
                await asks(ran, call)
            target = await knock(ran, process)
            await until(ran, ended(len(OF_OPERATORS) - 1), process)  # all but the Download
            async with ran.client.get(target):  # it tells in its next session
                pass
            await until(ran, ended(len(OF_OPERATORS)), process)
            assert asked == [f"/Cisco/{MAC}.cfg", "/fw.loads"]
            history = [each async for each in operation(ran, "acs.history", **ALL)]
            assert [each["state"] for each in reversed(history)] == [state for _, state, _ in OF_OPERATORS]
            for each, (call, _, says) in zip(reversed(history), OF_OPERATORS, strict=True):
                assert says in json.dumps(each, ensure_ascii=False), call

    asyncio.run(asyncio.wait_for(check(), 90))
