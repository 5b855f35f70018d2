"""Sealed records of why the assistant answered what it answered, their keys, and the proofs of what was deleted."""

from tracing.models.chained import ChainedModel, ChainHead
from tracing.models.jobs import AnalysisJob, Calibration, JobState
from tracing.models.keys import DataKey, KeyEvent, KeyEventKind, KeyPurpose
from tracing.models.retention import DeletionKind, DeletionReceipt, LegalHold, RetentionPolicy
from tracing.models.traces import (
    AnalysisKind,
    AnswerKind,
    ConfidenceBand,
    Trace,
    TraceAccess,
    TraceAnalysis,
)

__all__ = [
    "AnalysisJob",
    "AnalysisKind",
    "AnswerKind",
    "Calibration",
    "ChainHead",
    "ChainedModel",
    "ConfidenceBand",
    "DataKey",
    "DeletionKind",
    "DeletionReceipt",
    "JobState",
    "KeyEvent",
    "KeyEventKind",
    "KeyPurpose",
    "LegalHold",
    "RetentionPolicy",
    "Trace",
    "TraceAccess",
    "TraceAnalysis",
]
