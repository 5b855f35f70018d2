"""multilingual-e5-small with a low-rank part beside each of its linear maps, and a head that gives two logits for a pair.

LoRA: Hu et al., ICLR 2022. Reading question and text together: Nogueira and Cho, arXiv:1901.04085. Only the low-rank parts
and the head are learned. The product merges the parts into the maps (`inference_worker/engine/cross_encoder.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import BertModel

from inference_worker.engine.cross_encoder import multiplies_bfloat16
from inference_worker.engine.weights.e5 import LAYER_MATRICES

RANK, SCALE = 8, 2.0
# Rows are padded to a multiple, which the processor's products like.
PADDED_TO = 8
PADDING = "<pad>"
MOST_TOKENS = 64
_HEAD_DEVIATION = 0.02


class LowRank(nn.Module):
    """A linear map W with a part beside it: W x + scale * b a x, with a [rank, inputs] and b [outputs, rank], zero at first."""

    def __init__(self, base: Any, *, rank: int, scale: float) -> None:
        super().__init__()
        self.base, self.scale = base, scale
        self.a = nn.Parameter(torch.randn(rank, base.in_features) / math.sqrt(base.in_features))
        self.b = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, states: Any) -> Any:
        """`states` [..., inputs] to [..., outputs]."""
        down, up = self.a.to(states.dtype), self.b.to(states.dtype)
        return self.base(states) + ((states @ down.T) @ up.T) * self.scale


class CrossEncoder(nn.Module):
    """Pairs to two logits: relevance (which text to prefer) and whether it answers."""

    def __init__(self, encoder: Any, *, rank: int = RANK, scale: float = SCALE) -> None:
        """Takes the encoder over: its own weights are frozen, and its maps replaced."""
        super().__init__()
        self.encoder, self.scale = encoder.eval().requires_grad_(False), scale
        self.parts: dict[tuple[int, str], LowRank] = {}
        for number, layer in enumerate(encoder.encoder.layer):
            for short, path in LAYER_MATRICES.items():
                owner, _, name = path.rpartition(".")
                holder = layer.get_submodule(owner)
                part = LowRank(getattr(holder, name), rank=rank, scale=scale)
                setattr(holder, name, part)
                self.parts[number, short] = part
        self.head = nn.Linear(2 * encoder.config.hidden_size, 2)
        nn.init.normal_(self.head.weight, std=_HEAD_DEVIATION)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: Any, mask: Any) -> Any:
        """Token ids and mask [pairs, tokens] to logits [pairs, 2]: a head over the first token's vector and the mean of all."""
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        is_token = mask.unsqueeze(-1).float()
        mean = (states * is_token).sum(1) / is_token.sum(1)
        return self.head(torch.cat([states[:, 0], mean], dim=-1))

    def freeze_below(self, layer: int) -> None:
        """Keep the parts of the layers below this one as they are: going back through them costs time, too."""
        for (number, _short), part in self.parts.items():
            if number < layer:
                part.requires_grad_(False)

    def learned(self) -> list[Any]:
        """The parameters that training changes."""
        return [parameter for parameter in self.parameters() if parameter.requires_grad]


def load_base(folder: Path) -> Any:
    """The packaged embedding model's encoder from its checkpoint folder, in the numbers that this processor multiplies fast."""
    number_type = torch.bfloat16 if multiplies_bfloat16() else torch.float32
    return BertModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="eager").to(number_type)


def load_tokenizer(folder: Path, *, most_tokens: int = MOST_TOKENS) -> Any:
    """The base's tokenizer, cutting the longer of the two and padding."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(most_tokens, strategy="longest_first")
    tokenizer.enable_padding(pad_id=tokenizer.token_to_id(PADDING), pad_token=PADDING, pad_to_multiple_of=PADDED_TO)
    return tokenizer


def encoded(tokenizer: Any, pairs: Sequence[tuple[str, str]]) -> tuple[Any, Any]:
    """Token ids and mask [pairs, tokens] of question and text: `<s> question </s></s> text </s>`."""
    found = tokenizer.encode_batch(list(pairs))
    return torch.tensor([each.ids for each in found]), torch.tensor([each.attention_mask for each in found])
