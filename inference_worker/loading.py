"""Builds the engine, the embedder and the reranker that the settings name."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import structlog
from django.conf import settings

from inference_worker.engine.contract import Embedder, Engine, Reranker
from inference_worker.engine.host import EngineHost
from inference_worker.engine.load_log import LoadLog
from inference_worker.engine.vllm.runner import ModelRunner
from inference_worker.registration import Registration
from inference_worker.runtime import Runtime
from knowledge.folding import folded

logger = structlog.get_logger(__name__)


def load_engine(load_log: LoadLog | None = None) -> Engine:
    """The chat engine, not started yet."""
    if settings.ENGINE == "scripted":
        from inference_worker.engine.scripted import ScriptedEngine

        return ScriptedEngine(
            delay=settings.SCRIPTED_PAUSE_MILLISECONDS / 1000, max_num_seqs=settings.ENGINE_MAX_SEQUENCES
        )
    from inference_worker.engine.vllm.adapter import VLLMEngine
    from inference_worker.engine.vllm.arguments import EngineSettings
    from inference_worker.engine.weights.checkpoints import resolve_model

    model = resolve_model(settings.CHAT_MODEL, settings.CACHE_DIR)
    engine = VLLMEngine(
        EngineSettings(
            model=model.location,
            name=model.name,
            revision=settings.CHAT_MODEL_REVISION or model.revision,
            max_model_len=settings.ENGINE_MAX_MODEL_LEN,
            max_num_seqs=settings.ENGINE_MAX_SEQUENCES,
            kv_cache_gib=settings.ENGINE_KV_CACHE_GIB,
            gpu_memory_share=settings.GPU_MEMORY_SHARE,
            runner=cast(ModelRunner, settings.MODEL_RUNNER),
        ),
        load_log,
    )
    engine.begin_imports()
    return engine


def load_embedder() -> Embedder:
    """The embedding model, loaded."""
    if settings.ENGINE == "scripted":
        from inference_worker.engine.scripted import ScriptedEmbedder

        return ScriptedEmbedder()
    from inference_worker.engine.embedder import EmbedderSettings, SentenceTransformerEmbedder
    from inference_worker.engine.weights.checkpoints import resolve_model

    model = resolve_model(settings.EMBEDDING_MODEL, settings.CACHE_DIR, purpose="embeddings")
    return SentenceTransformerEmbedder(
        EmbedderSettings(
            model=model.location, name=model.name, revision=model.revision, device=settings.EMBEDDING_DEVICE
        ),
        fold=folded,
    )


def load_reranker(embedder: Embedder | None = None) -> Reranker | None:
    """The reranker, loaded; None where it is switched off. Raises EngineError for weights that do not fit.

    Of the `embedder` it takes the vocabulary, where that is the same model.
    """
    if settings.RERANKER == "off":
        return None
    if settings.ENGINE == "scripted":
        from inference_worker.engine.scripted import ScriptedReranker

        return ScriptedReranker()
    from inference_worker.engine.cross_encoder import PACKAGED_WEIGHTS, CrossEncoder, CrossEncoderSettings
    from inference_worker.engine.embedder import SentenceTransformerEmbedder
    from inference_worker.engine.weights.checkpoints import prepare_embeddings

    is_packaged = settings.RERANKER == "packaged"
    # Whatever else the embedding model is, the weights belong to the packaged one.
    base = str(prepare_embeddings(settings.CACHE_DIR))
    return CrossEncoder(
        CrossEncoderSettings(
            base=base,
            weights=PACKAGED_WEIGHTS if is_packaged else Path(settings.RERANKER).expanduser(),
            device=settings.EMBEDDING_DEVICE,
        ),
        fold=folded,
        tokenizer=embedder.tokenizer_of(base) if isinstance(embedder, SentenceTransformerEmbedder) else None,
    )


def load_runtime(registration: Registration | None = None) -> Runtime:
    """Everything loaded and warm: returns when the first customer would be served at full speed."""
    registration = registration or Registration()
    # Its processes import their libraries while the embedder is loaded.
    engine = load_engine(registration.load_log)
    with registration.load_log.step("embedder"):
        embedder = load_embedder()
        embedder.embed_query("warm-up")
    logger.info("embedder_ready", **embedder.info())
    with registration.load_log.step("reranker"):
        reranker = load_reranker(embedder)
        if reranker is not None:
            reranker.score("warm-up", ["warm-up"])
            logger.info("reranker_ready", **reranker.info())
    host = EngineHost(engine)
    host.start()
    info = host.engine.info()
    logger.info("engine_ready", model=info.model, quantization=info.quantization, engine_version=info.engine_version)
    return Runtime(host=host, embedder=embedder, reranker=reranker, registration=registration)
