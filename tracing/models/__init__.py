"""Sealed records of why the assistant answered what it answered, their keys, and the proofs of what was deleted."""

from tracing.models.chained import ChainedModel, ChainHead
from tracing.models.jobs import AnalysisJob, Calibration, JobState
from tracing.models.keys import DataKey, KeyEvent, KeyEventKind, KeyPurpose
from tracing.models.retention import (
    ChangeKind,
    DeletionKind,
    DeletionReceipt,
    LegalHold,
    RetentionChange,
    RetentionPolicy,
)
from tracing.models.traces import (
    AnalysisKind,
    ConfidenceBand,
    Trace,
    TraceAccess,
    TraceAnalysis,
)

__all__ = [
    "AnalysisJob",
    "AnalysisKind",
    "Calibration",
    "ChainHead",
    "ChainedModel",
    "ChangeKind",
    "ConfidenceBand",
    "DataKey",
    "DeletionKind",
    "DeletionReceipt",
    "JobState",
    "KeyEvent",
    "KeyEventKind",
    "KeyPurpose",
    "LegalHold",
    "RetentionChange",
    "RetentionPolicy",
    "Trace",
    "TraceAccess",
    "TraceAnalysis",
]
