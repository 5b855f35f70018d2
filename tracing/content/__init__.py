"""What a trace's sealed payload holds: everything that led to one answer, as plain values.

None means "does not apply" or "was not measured"; nothing here is ever estimated to fill a gap. Log-probabilities are
natural logarithms; times are milliseconds since the reply was claimed; offsets count characters.
"""

from tracing.content.checking import KEPT, REASONS, Checking, SentenceCheck
from tracing.content.confidence import BANDS, NO_BAND, Confidence, RetrievalConfidence, TokenConfidence, WeakestSpan
from tracing.content.evidence import (
    CandidateRecord,
    Dropped,
    Missing,
    QuestionTerm,
    ScoreRecord,
    Selection,
    Translation,
)
from tracing.content.generation import (
    EngineRecord,
    PromptPassage,
    PromptRecord,
    PromptSection,
    PromptTurn,
    SamplingRecord,
    TokenAlternative,
    TokenRecord,
)
from tracing.content.trace import CachedAnswer, DeletedSection, HistoryMessage, StageRecord, StepRecord, TraceContent

__all__ = [
    "BANDS",
    "KEPT",
    "NO_BAND",
    "REASONS",
    "CachedAnswer",
    "CandidateRecord",
    "Checking",
    "Confidence",
    "DeletedSection",
    "Dropped",
    "EngineRecord",
    "HistoryMessage",
    "Missing",
    "PromptPassage",
    "PromptRecord",
    "PromptSection",
    "PromptTurn",
    "QuestionTerm",
    "RetrievalConfidence",
    "SamplingRecord",
    "ScoreRecord",
    "Selection",
    "SentenceCheck",
    "StageRecord",
    "StepRecord",
    "TokenAlternative",
    "TokenConfidence",
    "TokenRecord",
    "TraceContent",
    "Translation",
    "WeakestSpan",
]
