"""The reranker: multilingual-e5-small reads a question and a sentence together, through a small adapter of our own.

The adapter (LoRA, Hu et al., ICLR 2022) is merged into the base's six linear maps of each layer when it is loaded. A linear
head over the first token's vector and the mean of all gives two logits. The encoder is computed here rather than by
transformers' `BertModel`: pairs stand in one row after the other without padding, which saves a third of the time.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference_worker.engine.contract import MAX_PAIR_TOKENS, MAX_QUESTION_TOKENS, EngineError, PairScore
from inference_worker.engine.query_first import QueryFirstLock
from inference_worker.engine.weights.e5 import LAYER_MATRICES
from inference_worker.engine.weights.packaged import read_manifest

PACKAGED_WEIGHTS = Path(__file__).parent / "weights" / "relevance.safetensors"
# <s> question </s></s> text </s>
SPECIAL_TOKENS = 4
# So many pairs are computed while others wait.
BATCH_SIZE = 16
# Processors that multiply bfloat16 themselves; on others it is slower than float32.
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
TRIAL_PAIRS, TRIAL_TOKENS = 12, 32


@dataclass(frozen=True, slots=True)
class CrossEncoderSettings:
    """What to load: `base` is the folder of the packaged embedding model, `weights` the adapter's file.

    `threads` bounds the processor cores of one call. On a GPU (`device` cuda) the encoder takes about 50 MB.
    """

    base: str
    weights: Path = PACKAGED_WEIGHTS
    threads: int = 1
    device: str = "cpu"


class CrossEncoder:
    """Two logits for each pair. Safe to call from several threads; calls take turns."""

    def __init__(
        self, settings: CrossEncoderSettings, *, fold: Callable[[str], str], tokenizer: Any | None = None
    ) -> None:
        """Load base and adapter (a second or two, about 0.1 GB and the words of the base that are used).

        `fold` gives each text the spelling in which the model reads it. `tokenizer` is one of the base's that is loaded
        already: its vocabulary is then held once (0.12 GB less). Raises EngineError when the file cannot be read or was
        made for another base.
        """
        import torch

        if settings.device == "cuda" and not torch.cuda.is_available():
            message = "GLASSDESK_EMBEDDING_DEVICE is cuda, but PyTorch finds no GPU here: set it to cpu."
            raise EngineError(message, retryable=False)
        self.settings = settings
        self._fold = fold
        self._torch = torch
        self._turns = QueryFirstLock()
        torch.set_num_threads(settings.threads)
        adapter, self._about = _read_adapter(settings.weights)
        _check_base(settings, self._about)
        folder = Path(settings.base)
        self._tokenizer = _tokenizer(folder) if tokenizer is None else with_same_vocabulary(tokenizer)
        self._begin, self._end = (int(self._tokenizer.token_to_id(token)) for token in ("<s>", "</s>"))
        self._encoder = _fastest_encoder(folder, adapter, device=settings.device)

    def score(self, question: str, texts: Sequence[str], *, is_urgent: bool = True) -> list[PairScore]:
        """The scores of each text, in the order given; they do not depend on what else is scored."""
        turn = self._turns.query if is_urgent else self._turns.background
        asked = self._token_ids(question)[-MAX_QUESTION_TOKENS:]
        pairs = [self._pair(asked, self._token_ids(text)) for text in texts]
        by_length = sorted(range(len(pairs)), key=lambda i: len(pairs[i]))
        scores: dict[int, PairScore] = {}
        for start in range(0, len(by_length), BATCH_SIZE):
            batch = by_length[start : start + BATCH_SIZE]
            with turn():
                logits = self._encoder.logits([pairs[i] for i in batch])
            scores |= {i: PairScore(*row) for i, row in zip(batch, logits, strict=True)}
        return [scores[i] for i in range(len(pairs))]

    def info(self) -> dict[str, str]:
        """Name, version with checksum, base, number type and library versions."""
        return {
            "model": self.settings.weights.stem,
            "revision": f"{self._about.get('version', '')} sha256:{self._about['sha256'][:16]}".strip(),
            "base": self._about.get("base", ""),
            "precision": str(self._encoder.number_type).removeprefix("torch."),
            "torch": str(self._torch.__version__),
        }

    def _token_ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(self._fold(text), add_special_tokens=False).ids
        return ids

    def _pair(self, question: list[int], text: list[int]) -> list[int]:
        """Of the question its end (a follow-up stands behind the question before it), of the text what there is room for."""
        room = MAX_PAIR_TOKENS - len(question) - SPECIAL_TOKENS
        return [self._begin, *question, self._end, self._end, *text[:room], self._end]


class _Encoder:
    """BERT (Devlin et al., NAACL 2019) with merged weights, and the head. Linear maps are computed in `number_type`.

    `weights` have the base's names. The embeddings stay float32 where their file is mapped into memory: of 384 MB only the
    rows that are used are read.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        weights: Mapping[str, Any],
        head: tuple[Any, Any],
        number_type: Any,
        device: str,
    ) -> None:
        import torch

        self._torch, self._device, self.number_type = torch, device, number_type
        self._heads, self._epsilon = int(config["num_attention_heads"]), float(config["layer_norm_eps"])
        self._embeddings = _under("embeddings.", weights)
        layers = (_under(f"encoder.layer.{layer}.", weights) for layer in range(int(config["num_hidden_layers"])))
        self._layers = [{name: value.to(device, number_type) for name, value in layer.items()} for layer in layers]
        self._head = tuple(part.float().to(device) for part in head)

    def logits(self, pairs: Sequence[Sequence[int]]) -> list[list[float]]:
        """Two logits for each sequence of token ids."""
        torch, lengths = self._torch, [len(pair) for pair in pairs]
        with torch.inference_mode():
            states = self._embedded(pairs).to(self._device, self.number_type)
            for layer in self._layers:
                states = self._through(layer, states, lengths)
            rows = states.float().split(lengths)
            pooled = torch.stack([torch.cat([row[0], row.mean(0)]) for row in rows])
            weight, bias = self._head
            found: list[list[float]] = torch.nn.functional.linear(pooled, weight, bias).tolist()
        return found

    def _embedded(self, pairs: Sequence[Sequence[int]]) -> Any:
        """Token, position and type (there is one only) of all pairs, one row after the other."""
        torch, own = self._torch, self._embeddings
        ids = torch.tensor([token for pair in pairs for token in pair])
        positions = torch.cat([torch.arange(len(pair)) for pair in pairs])
        states = own["word_embeddings.weight"][ids] + own["position_embeddings.weight"][positions]
        return self._normalised(own, "LayerNorm", states + own["token_type_embeddings.weight"][0])

    def _through(self, layer: Mapping[str, Any], states: Any, lengths: list[int]) -> Any:
        attended = self._linear(layer, "attention.output.dense", self._attended(layer, states, lengths))
        states = self._normalised(layer, "attention.output.LayerNorm", states + attended)
        inner = self._torch.nn.functional.gelu(self._linear(layer, "intermediate.dense", states))
        return self._normalised(layer, "output.LayerNorm", states + self._linear(layer, "output.dense", inner))

    def _attended(self, layer: Mapping[str, Any], states: Any, lengths: list[int]) -> Any:
        """Attention within each pair."""
        parts = [
            self._linear(layer, f"attention.self.{name}", states).split(lengths) for name in ("query", "key", "value")
        ]
        return self._torch.cat([self._attention(*pair) for pair in zip(*parts, strict=True)])

    def _attention(self, query: Any, key: Any, value: Any) -> Any:
        by_head = [part.view(1, len(part), self._heads, -1).transpose(1, 2) for part in (query, key, value)]
        found = self._torch.nn.functional.scaled_dot_product_attention(*by_head)
        return found.transpose(1, 2).reshape(len(query), -1)

    def _linear(self, layer: Mapping[str, Any], name: str, states: Any) -> Any:
        return self._torch.nn.functional.linear(states, layer[f"{name}.weight"], layer[f"{name}.bias"])

    def _normalised(self, layer: Mapping[str, Any], name: str, states: Any) -> Any:
        weight, bias = layer[f"{name}.weight"], layer[f"{name}.bias"]
        return self._torch.nn.functional.layer_norm(states, weight.shape, weight, bias, self._epsilon)


def merged_weights(base: Mapping[str, Any], adapter: Mapping[str, Any], *, layers: int) -> dict[str, Any]:
    """The linear maps with the adapter in them, by the base's names: W + scale * b @ a, in float32.

    Raises EngineError when the adapter has no part for one of them, or one of another shape.
    """
    merged = {}
    for layer in range(layers):
        for short, part in LAYER_MATRICES.items():
            name = f"encoder.layer.{layer}.{part}.weight"
            try:
                down, up = (adapter[f"layer.{layer}.{short}.{side}"].float() for side in ("a", "b"))
                merged[name] = base[name].float() + float(adapter["scale"]) * (up @ down)
            except (KeyError, RuntimeError) as error:
                message = f"The reranker's weights do not fit the base model at {name}: build the file again, or set "
                raise EngineError(f"{message}GLASSDESK_RERANKER to packaged or off.", retryable=False) from error
    return merged


def _fastest_encoder(folder: Path, adapter: Mapping[str, Any], *, device: str) -> _Encoder:
    """In float32, or in bfloat16 on a GPU, and where the processor has products of it and a trial is faster with them."""
    import torch
    from safetensors.torch import load_file

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    base = load_file(folder / "model.safetensors")
    weights = base | merged_weights(base, adapter, layers=int(config["num_hidden_layers"]))
    head = (adapter["head.weight"], adapter["head.bias"])
    number_types = [torch.bfloat16] if device == "cuda" else [torch.float32]
    if device == "cpu" and multiplies_bfloat16():
        number_types.append(torch.bfloat16)
    encoders = [_Encoder(config, weights, head, number_type, device) for number_type in number_types]
    return min(encoders, key=_trial_seconds) if len(encoders) > 1 else encoders[0]


def _trial_seconds(encoder: _Encoder) -> float:
    """Seconds for a dozen short pairs, when everything that is prepared once has been."""
    pairs = [[0] * TRIAL_TOKENS] * TRIAL_PAIRS
    encoder.logits(pairs)
    begun = time.perf_counter()
    encoder.logits(pairs)
    return time.perf_counter() - begun


def _tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    return tokenizer


def with_same_vocabulary(tokenizer: Any) -> Any:
    """A tokenizer of its own on the other one's vocabulary, which both hold once.

    Truncation and padding are states of a tokenizer, which the embedding model sets with every call: the reranker has its
    own, and may be asked at the same time.
    """
    from tokenizers import Tokenizer

    own = Tokenizer(tokenizer.model)
    own.normalizer = tokenizer.normalizer
    own.pre_tokenizer = tokenizer.pre_tokenizer
    added = tokenizer.get_added_tokens_decoder()
    own.add_special_tokens([added[number] for number in sorted(added)])
    return own


def _under(prefix: str, weights: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def multiplies_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this processor has products of bfloat16 numbers."""
    if platform.machine() not in {"x86_64", "AMD64"} or not cpuinfo.is_file():
        return False
    return not BFLOAT16_FLAGS.isdisjoint(cpuinfo.read_text().split())


def _read_adapter(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The tensors, and what the file says of itself with its checksum."""
    from safetensors import SafetensorError, safe_open

    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with safe_open(path, framework="pt") as opened:
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - it is no mapping
            about = dict(opened.metadata() or {})
    except (OSError, SafetensorError) as error:
        message = f"GLASSDESK_RERANKER names {path}, which cannot be read as weights: set it to packaged or off, or name a file."
        raise EngineError(message, retryable=False) from error
    missing = {"scale", "head.weight", "head.bias"} - tensors.keys()
    if missing:
        message = (
            f"{path} holds no weights of a reranker ({', '.join(sorted(missing))} missing): set GLASSDESK_RERANKER to "
        )
        raise EngineError(f"{message}packaged or off.", retryable=False)
    return tensors, about | {"sha256": digest}


def _check_base(settings: CrossEncoderSettings, about: Mapping[str, str]) -> None:
    manifest = read_manifest(Path(settings.base)) or {}
    if about.get("base_sha256") != manifest.get("sha256"):
        raise EngineError(
            f"The reranker's weights in {settings.weights} were trained on another base than the one in {settings.base}: "
            "train them on this one, or set GLASSDESK_RERANKER to packaged or off.",
            retryable=False,
        )
