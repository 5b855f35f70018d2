"""The parts of `manage.py up` that can be looked at on their own: checks, pid file, command lines, restarts."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from helpdesk.embedded import checks, leftovers, metrics_ports, processes, readiness, secret_files
from helpdesk.embedded.children import Child, child_environment, children, engine_threads
from helpdesk.embedded.errors import CannotStart
from helpdesk.embedded.management.commands.up import plan
from helpdesk.embedded.processes import Identity
from helpdesk.embedded.progress import Steps
from helpdesk.embedded.stack import Stack
from helpdesk.embedded.supervisor import Supervisor, ending, pause_before_restart

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, subprocess, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "print('up', flush=True)\n"
    "time.sleep(60)",
)


def wait_for_line(log: Path, line: str) -> None:
    for _ in range(1000):
        if log.exists() and line in log.read_text():
            return
        signal.sigtimedwait([], 0.02)
    raise AssertionError(f"{line!r} never came")


# --- Checks --------------------------------------------------------------------------------------------------------


def test_wrong_python_is_refused() -> None:
    checks.check_python((3, 11))
    with pytest.raises(CannotStart, match=r"Python 3\.11 is needed and this is 3\.12"):
        checks.check_python((3, 12))


def test_processor_without_avx2_is_refused() -> None:
    checks.check_processor("flags\t\t: fpu avx avx2 bmi1\n")
    with pytest.raises(CannotStart, match="no AVX2"):
        checks.check_processor("flags\t\t: fpu avx avx2048 bmi1\n")


def test_full_disk_is_refused(tmp_path: Path) -> None:
    checks.check_disk(tmp_path, needed_gib=0)
    with pytest.raises(CannotStart, match=r"1000000000\.0 GiB of free disk are needed"):
        checks.check_disk(tmp_path, needed_gib=1e9)


def test_taken_port_is_refused() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} on 127.0.0.1 is taken"):
            checks.check_port(port, "127.0.0.1")
    checks.check_port(port, "127.0.0.1")


@pytest.mark.parametrize("text", ["", "0", "65536", "-1", "80a", "٨٠"])
def test_port_must_be_a_port_number(text: str) -> None:
    with pytest.raises(CannotStart, match="PORT must be a number from 1 to 65535"):
        checks.parse_port(text)


def test_unusable_data_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match=r"cannot be written .*GLASSDESK_DATA"):
        checks.check_folder(tmp_path / "file" / "data", variable="GLASSDESK_DATA")


def test_second_start_on_a_data_folder_is_refused(tmp_path: Path) -> None:
    claim = checks.claim_folder(tmp_path)
    with pytest.raises(CannotStart, match="already runs on the data folder"):
        checks.claim_folder(tmp_path)
    claim.close()
    checks.claim_folder(tmp_path).close()


# --- Secrets -------------------------------------------------------------------------------------------------------


def test_secret_is_made_once_and_private(tmp_path: Path) -> None:
    first = secret_files.secret_file(tmp_path / "key", secret_files.master_key)
    assert secret_files.secret_file(tmp_path / "key", secret_files.master_key) == first
    assert [(path.name, path.stat().st_mode & 0o777) for path in tmp_path.iterdir()] == [("key", 0o600)]


def test_secret_that_others_could_read_is_closed(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("kept\n")
    (tmp_path / "key").chmod(0o644)
    assert secret_files.secret_file(tmp_path / "key") == "kept"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


# --- Ports, processes, pid file ------------------------------------------------------------------------------------


def test_port_is_remembered_until_somebody_takes_it(tmp_path: Path) -> None:
    port = processes.remembered_port(tmp_path / "port")
    assert processes.remembered_port(tmp_path / "port") == port
    with socket.socket() as thief:
        thief.bind(("127.0.0.1", port))
        thief.listen()
        other = processes.remembered_port(tmp_path / "port")
    assert other != port
    assert processes.remembered_port(tmp_path / "port") == other


def test_stop_kills_a_stubborn_child_and_its_children(tmp_path: Path) -> None:
    child = processes.start(STUBBORN, log=tmp_path / "log")
    wait_for_line(tmp_path / "log", "up")
    family = processes.family({child.pid})
    assert len(family) == 2
    processes.stop(child, seconds=0.2)
    assert child.returncode == -signal.SIGKILL
    assert [one for one in family if processes.is_running(one)] == []


def test_leftovers_are_ended_and_strangers_are_not(tmp_path: Path) -> None:
    ours = processes.start(SLEEPER, log=tmp_path / "log")
    stranger = processes.start(SLEEPER, log=tmp_path / "log")
    identity = processes.identify(ours.pid)
    assert identity is not None
    reused_number = Identity(stranger.pid, identity.started - 1)
    leftovers.record(tmp_path / "pids", [identity, reused_number])
    assert leftovers.stop_leftovers(tmp_path / "pids") == 1
    assert (ours.wait(), stranger.poll()) == (-signal.SIGTERM, None)
    assert not (tmp_path / "pids").exists()
    processes.stop(stranger, seconds=5)


@pytest.mark.parametrize("content", ["", "nonsense", "[]", '{"boot": "x"}', '{"boot": "x", "processes": [1]}'])
def test_damaged_pid_file_is_ignored(tmp_path: Path, content: str) -> None:
    (tmp_path / "pids").write_text(content)
    assert leftovers.stop_leftovers(tmp_path / "pids") == 0


def test_pid_file_of_another_boot_is_ignored(tmp_path: Path) -> None:
    identity = processes.identify(os.getpid())
    assert identity is not None
    leftovers.record(tmp_path / "pids", [identity])
    assert leftovers.recorded(tmp_path / "pids") == [identity]
    content = json.loads((tmp_path / "pids").read_text())
    (tmp_path / "pids").write_text(json.dumps({**content, "boot": "another"}))
    assert leftovers.recorded(tmp_path / "pids") == []


# --- Children ------------------------------------------------------------------------------------------------------


def command_lines(env: dict[str, str]) -> dict[str, Child]:
    listed = children(env=env, project=Path("/p"), data=Path("/d"), host="127.0.0.1", port=8123, inference_threads=16)
    return {child.title: child for child in listed}


def test_command_lines() -> None:
    found = command_lines({})
    assert list(found) == ["inference worker", "default worker", "beat", "web server"]
    inference = " ".join(found["inference worker"].arguments)
    assert "--queues inference --pool threads --concurrency 16" in inference
    assert "--queues default --pool prefork" in " ".join(found["default worker"].arguments)
    assert "-b 127.0.0.1 -p 8123 helpdesk.asgi:application" in " ".join(found["web server"].arguments)
    assert found["web server"].log == Path("/d/logs/web.log")


def test_engine_threads_leave_a_core_of_many_unless_told_otherwise() -> None:
    assert [engine_threads(cores) for cores in (1, 2, 3, 8)] == [1, 2, 2, 7]
    assert command_lines({"OMP_NUM_THREADS": "5"})["inference worker"].env["OMP_NUM_THREADS"] == "5"
    assert "OMP_NUM_THREADS" not in command_lines({})["web server"].env


def test_every_further_model_gets_a_worker_of_its_own() -> None:
    listed = children(
        env={"GLASSDESK_MODEL_NAME": "stray"},
        project=Path("/p"),
        data=Path("/d"),
        host="127.0.0.1",
        port=8123,
        inference_threads=16,
        models={"large": "/models/large"},
        metrics_ports={"inference": 9001, "inference-large": 9002, "default": 9003},
    )
    first, large, default = listed[:3]
    assert (first.title, large.title) == ("inference worker", "inference worker of large")
    assert "--hostname inference-large@%h" in " ".join(large.arguments)
    assert "--queues inference.large --pool threads" in " ".join(large.arguments)
    assert (first.env["GLASSDESK_MODEL_NAME"], large.env["GLASSDESK_MODEL_NAME"]) == ("", "large")
    assert (large.env["GLASSDESK_CHAT_MODEL"], "GLASSDESK_CHAT_MODEL" in first.env) == ("/models/large", False)
    assert [child.env["GLASSDESK_METRICS_PORT"] for child in listed] == ["9001", "9002", "9003", "0", "0"]
    assert default.env["PROMETHEUS_MULTIPROC_DIR"] == "/d/metrics-default"
    assert "PROMETHEUS_MULTIPROC_DIR" not in first.env
    assert (large.log, first.log) == (Path("/d/logs/inference-large.log"), Path("/d/logs/inference.log"))


def test_metrics_ports_are_kept_and_written_down_for_prometheus(tmp_path: Path) -> None:
    ports = metrics_ports.choose(tmp_path, ["large"])
    assert list(ports) == ["inference", "inference-large", "default"]
    assert len(set(ports.values())) == 3
    assert metrics_ports.choose(tmp_path, ["large"]) == ports
    targets = json.loads(metrics_ports.write_targets(tmp_path, web_port=8123, ports=ports).read_text())
    assert [target["labels"]["part"] for target in targets] == ["web", "inference", "inference-large", "default"]
    assert targets[0]["targets"] == ["127.0.0.1:8123"]


def test_children_never_see_the_owner_url() -> None:
    base = {"DATABASE_OWNER_URL": "postgresql://owner", "PATH": "/bin"}
    assert child_environment(base, {"DATABASE_URL": "postgresql://app"}) == {
        "PATH": "/bin",
        "DATABASE_URL": "postgresql://app",
    }


# --- Supervisor ----------------------------------------------------------------------------------------------------


def test_pauses_before_restarts_grow() -> None:
    assert [pause_before_restart(deaths) for deaths in (1, 2, 3, 4, 20)] == [0.0, 1.0, 2.0, 4.0, 30.0]
    assert (ending(1), ending(-9)) == ("exit code 1", "signal 9")


def test_supervisor_restarts_a_dead_child_with_its_whole_session(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(pid_file=tmp_path / "pids", say=said.append)
    child = Child("sleeper", STUBBORN, dict(os.environ), tmp_path / "log", tmp_path)
    supervisor.start_children([child])
    wait_for_line(tmp_path / "log", "up")
    supervisor.record()
    first = leftovers.recorded(tmp_path / "pids")
    leader = min(first, key=lambda one: one.started)
    os.kill(leader.pid, signal.SIGKILL)
    assert processes.wait_until_gone([leader], seconds=5)
    assert supervisor.look_after() == [child]
    assert said == ["The sleeper ended (signal 9); starting it again now."]
    assert [one for one in first if processes.is_running(one)] == []
    second = processes.family({running.process.pid for running in supervisor._running if running.process})
    assert second != []
    supervisor.stop()
    assert [one for one in second if processes.is_running(one)] == []
    assert not (tmp_path / "pids").exists()


def test_child_does_not_hear_the_terminal(tmp_path: Path) -> None:
    child = processes.start(SLEEPER, log=tmp_path / "log")
    assert os.getsid(child.pid) == child.pid != os.getsid(0)
    processes.stop(child, seconds=5)


# --- Readiness -----------------------------------------------------------------------------------------------------


def test_readiness_names_what_is_missing() -> None:
    report = {"components": {"database": {"ready": True}, "engine": {"ready": False}}}
    assert readiness.not_ready(json.dumps(report).encode()) == ("engine",)
    assert readiness.not_ready(b"<html>") == ()


def test_readiness_knows_which_models_are_warm() -> None:
    models = [{"alias": "", "ready": True}, {"alias": "large", "ready": False}]
    report = {"components": {"inference": {"ready": True, "models": models}}}
    assert readiness.warm_models(json.dumps(report).encode()) == {""}
    assert readiness.warm_models(b"<html>") == set()


def test_readiness_without_a_server_is_no_error() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert readiness.ask(port, host="localhost", https=False).waiting_for == ("web server",)


def test_health_is_asked_under_a_name_that_the_desk_answers_to() -> None:
    assert readiness.host_name(["localhost", "127.0.0.1"], 8000) == "127.0.0.1:8000"
    assert readiness.host_name([".desk.example"], 8000) == "desk.example"


def test_start_ends_when_the_desk_can_answer_whatever_waits_to_be_indexed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the commands that a start runs to their end, none waits for vectors: thousands of passages may wait for hours."""
    ran: list[str] = []
    monkeypatch.setattr(Stack, "_manage", lambda stack, *arguments, env=None: ran.append(arguments[0]))
    for step in ("_check", "_make_secrets", "_prepare_checkpoints", "_start_services"):
        monkeypatch.setattr(Stack, step, lambda stack: None)
    monkeypatch.setattr(Supervisor, "start_children", lambda supervisor, children: ran.append("children"))
    monkeypatch.setattr("helpdesk.embedded.readiness.ask", lambda *_, **__: readiness.Readiness(ready=True))
    written = io.StringIO()
    Stack(plan({"GLASSDESK_DATA": str(tmp_path)}), Steps(Console(file=written))).start()
    assert ran == ["migrate", "children", "load_demo"]
    assert "Metrics: http" in written.getvalue()


def test_start_refuses_in_one_sentence_without_the_owner_url(tmp_path: Path) -> None:
    program = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=Path(__file__).resolve().parents[3],
        env={
            **os.environ,
            "GLASSDESK_DATA": str(tmp_path),
            "GLASSDESK_ENGINE": "scripted",
            "DATABASE_URL": "postgresql://app@127.0.0.1:1/glassdesk",
            "DATABASE_OWNER_URL": "",
            "PORT": str(processes.remembered_port(tmp_path / "port")),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert program.returncode == 1
    assert "✗ DATABASE_URL is set and DATABASE_OWNER_URL is not" in program.stdout
