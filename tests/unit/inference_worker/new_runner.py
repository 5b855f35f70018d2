"""vLLM's new model runner on CPU tensors: its own request states, sampler and loader, without a model and without a GPU.

Three Triton kernels that run on GPUs only are replaced by what they compute; everything else is vLLM's own code.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from vllm.sampling_params import SamplingParams
from vllm.utils import torch_utils
from vllm.v1.worker.gpu import buffer_utils
from vllm.v1.worker.gpu.sample import sampler as sampling
from vllm.v1.worker.gpu.sample.logits_processor import build_custom_logits_processors
from vllm.v1.worker.gpu.states import RequestState

from inference_worker.engine.vllm.runner import NEW, processors

VOCABULARY = 50
LENGTH = 64


class WriteKernel:
    """Writes what was staged, as vLLM's kernel does with one thread block for each write."""

    def __getitem__(self, grid: tuple[int]) -> Any:
        def write(
            target: Tensor, stride: int, rows: Tensor, starts: Tensor, values: Tensor, ends: Tensor, *_: Any, **__: Any
        ) -> None:
            flat = target.view(-1)
            for number in range(grid[0]):
                begun = int(ends[number - 1]) if number else 0
                content = values[begun : int(ends[number])]
                at = int(rows[number]) * stride + int(starts[number])
                flat[at : at + len(content)] = content.to(flat.dtype)

        return write


class Runner:
    """Requests that come, are stepped in any order, and go. `believed` are the logits that log-probabilities were taken of."""

    def __init__(self, monkeypatch: Any, *, slots: int = 4) -> None:
        monkeypatch.setattr(buffer_utils, "is_uva_available", lambda: False)
        monkeypatch.setattr(torch_utils, "is_pin_memory_available", lambda: False)
        monkeypatch.setattr(buffer_utils, "_apply_write_kernel", WriteKernel())
        monkeypatch.setattr(sampling, "gumbel_sample", lambda logits, *_, **__: logits.argmax(dim=-1))
        monkeypatch.setattr(sampling, "compute_topk_scores", self._note)
        monkeypatch.setattr(sampling, "get_num_sampled_and_rejected", lambda ones, *_: (ones, ones * 0))
        self.device = torch.device("cpu")
        self.states = RequestState(slots, LENGTH, 256, 0, VOCABULARY, self.device)
        self.believed: list[Tensor] = []
        config: Any = SimpleNamespace(speculative_config=None, reasoning_config=None)
        custom = build_custom_logits_processors(config, self.states, False, processors(NEW))
        self.sampler = sampling.Sampler(
            config, slots, VOCABULARY, self.device, self.states, custom_logits_processors=custom
        )

    def _note(self, logits: Tensor, *_: Any, **__: Any) -> Any:
        self.believed.append(logits.clone())

    def add(self, name: str, prompt: list[int], parameters: SamplingParams, *, written: tuple[int, ...] = ()) -> None:
        """A new request, or (with `written`) one that was put off and comes back."""
        tokens = [*prompt, *written]
        self.states.add_request(name, len(prompt), tokens, 0, 32)
        self.sampler.add_request(self.states.req_id_to_index[name], parameters)
        self.states.apply_staged_writes()
        self.sampler.apply_staged_writes()

    def remove(self, name: str) -> None:
        """Ended, or put off."""
        self.states.remove_request(name)

    def step(self, logits: dict[str, Tensor], *, read: dict[str, int] | None = None) -> dict[str, int]:
        """One step of the named requests, in that order: the token that each wrote. `read` are those that are still within
        their prompt, and how much of it has been read.
        """
        names, read = list(logits), read or {}
        slots = [self.states.req_id_to_index[name] for name in names]
        lengths = [
            read.get(name, int(self.states.total_len.gpu[slot])) for name, slot in zip(names, slots, strict=True)
        ]
        last = torch.tensor([int(self.states.all_token_ids.gpu[s, n - 1]) for s, n in zip(slots, lengths, strict=True)])
        rows = torch.arange(len(names))
        batch: Any = SimpleNamespace(
            expanded_idx_mapping=torch.tensor(slots, dtype=torch.int32),
            idx_mapping=torch.tensor(slots, dtype=torch.int32),
            idx_mapping_np=np.array(slots, dtype=np.int32),
            cu_num_logits_np=np.arange(len(names) + 1),
            cu_num_logits=torch.arange(len(names) + 1),
            expanded_local_pos=torch.zeros(len(names), dtype=torch.int32),
            positions=torch.tensor([length - 1 for length in lengths]),
            logits_indices=rows,
            input_ids=last,
            seq_lens=torch.tensor(lengths),
            seq_lens_cpu_upper_bound=torch.tensor(lengths, dtype=torch.int32),
            num_reqs=len(names),
        )
        output = self.sampler(torch.stack([logits[name] for name in names]), batch)
        sampled = dict(zip(names, output.sampled_token_ids[:, 0].tolist(), strict=True))
        for name, slot in zip(names, slots, strict=True):
            if name not in read:
                length = int(self.states.total_len.gpu[slot])
                self.states.all_token_ids.gpu[slot, length] = sampled[name]
                self.states.total_len.gpu[slot] = length + 1
        return sampled
