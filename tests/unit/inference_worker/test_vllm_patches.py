"""vLLM is asked for nothing that the list does not name, and its client is forgotten quietly."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from inference_worker.engine.vllm.patches import VLLM, end_quietly

PACKAGE = Path(__file__).resolve().parents[3] / "inference_worker"


def test_every_module_of_vllm_that_the_extensions_import_from_is_in_the_list() -> None:
    # What is only asked for public things, or is part of a listed one.
    plain = {"vllm", "vllm.platforms", "vllm.scalar_type", "vllm.exceptions", "vllm.sampling_params", "vllm.config"}
    plain |= {
        "vllm.v1.engine.exceptions",
        "vllm.model_executor.layers",
        "vllm.model_executor.layers.quantization.utils",
    }
    plain |= {"vllm.distributed.device_communicators", "vllm.v1.engine", "vllm.v1.executor"}
    text = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    used = set(re.findall(r"^\s*from (vllm[\w.]*) import", text, re.MULTILINE))
    assert used - plain - {name.module for name in VLLM.names} == set()


class Client:
    shut_down = 0

    def shutdown(self) -> None:
        type(self).shut_down += 1


def test_an_engine_is_shut_down_when_it_is_forgotten() -> None:
    end_quietly(Client)
    client = Client()
    del client
    assert Client.shut_down == 1


def test_a_program_that_holds_an_engine_ends_without_an_error() -> None:
    # `shutdown` uses a function of its module, which is gone when the program ends, as in vLLM.
    program = """
import sys
from inference_worker.engine.vllm.patches import end_quietly
def help_to_shut_down(): pass
class Client:
    def shutdown(self): help_to_shut_down()
end_quietly(Client)
class Holder: pass
holder = Holder()
holder.itself, holder.client = holder, Client()
sys.modules["kept"] = holder
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, cwd=PACKAGE.parent, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")
