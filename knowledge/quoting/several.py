"""Several questions in one message: where one ends and the next begins. Pure functions.

A sentence is divided only where both halves ask: "how much is it and do you ship to Austria?", "to Austria and to Mars?",
运费多少，几天能到？ "Black and white" is one thing, and so is a question with a relative clause.
"""

from __future__ import annotations

import re

from knowledge.quoting.questions import asking_sentences
from knowledge.search.terms import words

# A longer sentence is no list of questions; the patterns below need not be held against it.
MAX_SENTENCE = 300
FEWEST_WORDS, FEWEST_CHARACTERS = 3, 3

_FUNCTION_WORDS = words("""
    a an the i you we they it he she there this that these those my your our me us them its to in for from with by on at of into
    and or but also then so if is are was were be been do does did can could will would should may might has have had not no
    how what when where why which who whom whose whether please tell let know much many get any some as about just
""")
_VERBS = r"(?:can|could|do|does|did|is|are|was|were|will|would|should|shall|may|has|have|don't|doesn't|isn't|aren't|can't|won't)"
_SUBJECTS = (
    r"(?:i|you|we|they|it|he|she|there|the|an?|my|your|our|its|this|that|these|those|any|all|some|people|customers"
    r"|shipping|delivery|returns|parking)\b"
)
_BEGINS = (
    rf"(?:{_VERBS} {_SUBJECTS}|how (?:much|many|long|far|often|big|fast|soon|late|early|heavy|large|old|do|does|did|can"
    rf"|could|is|are|will|would|should|about)\b|what(?:'s|s)? \w|where(?:'s|s)? (?:{_VERBS}|to)\b|when {_VERBS} "
    rf"|why {_VERBS} |which (?!(?:{_VERBS}) )\w|who (?:{_VERBS}|pays)\b)"
)
_JOINT = re.compile(
    rf"(?:\s*[,;]\s*(?:and |plus |also |but )?|\s+(?:and|plus|&|but)\s+)(?:also |then )?(?={_BEGINS})", re.IGNORECASE
)
_ASKS_ITSELF = re.compile(rf"(?:and |but |so |also |then )?{_BEGINS}|.*\?\s*$", re.IGNORECASE)
_RELATIVE = re.compile(r"(?:which|who)\b", re.IGNORECASE)
_NUMBERED = re.compile(r"^\(?\d{1,2}[.)、]\s*(?=\D)")
_OPEN_END = re.compile(r"\b(?:if|whether|how|what|when|where|why|who|which|and|or|not)$", re.IGNORECASE)
_SAME_PREPOSITION = re.compile(
    r"(?P<head>.*\b(?P<preposition>to|in|for|from|with|by|on|at|into|near) )(?P<first>[^,;?]{2,40}?)"
    r",? and (?:also |maybe |even )?(?P=preposition) (?P<second>[^,;?]{2,40}?)(?P<end>[?.! ]*)$",
    re.IGNORECASE,
)
_NO_THING = re.compile(rf"(?:{_VERBS}|how|what|when|where|why|which|who|if|me|us|you|it|them)\b", re.IGNORECASE)

_JOINT_ZH = re.compile("\\s*[,，;；]\\s*|(?<=.)(?:还有|以及|另外|顺便问一?下?)")
_ASKS_ZH = re.compile(
    "多少|多久|多长|多大|多快|几(?:天|点|号|年|个?月|小时|折|块|元|次|层|楼|种|个工作日)|怎么(?!样都|也)|如何|为什么|为啥|什么(?!都|也)|啥(?!都|也)"
    "|哪|谁(?!都|也)|吗|能不能|可不可以|有没有|是不是|是否|能否|咋|要不要|会不会|用不用|包不包|(?:支持|可以|需要|包邮|免费)(?:吗|么)"
)
_BEGIN_ZH = re.compile("^(?:请问一下|请问|还有|另外|以及|然后|那么|那|我想问一下|我想问|想问一下|想问)+[:,：，]?(?=.)")


def asked_together(message: str) -> tuple[str, ...]:
    """All questions of a message that asks two or more, in its order; none when it asks one only."""
    found = [part for sentence in asking_sentences(message) for part in _divided(_NUMBERED.sub("", sentence))]
    found = list(dict.fromkeys(found))
    return tuple(found) if len(found) > 1 else ()


def _divided(sentence: str) -> list[str]:
    if len(sentence) > MAX_SENTENCE:
        return [sentence]
    if _ASKS_ZH.search(sentence):
        return _divided_chinese(sentence)
    return _divided_at_joints(sentence) or _divided_at_preposition(sentence) or [sentence]


def _divided_at_joints(sentence: str) -> list[str]:
    """At each joint where what stands before it and what stands behind it ask, each about something."""
    parts, begun = [], 0
    for joint in _JOINT.finditer(sentence):
        is_relative = not re.search(r"\w|&", joint.group()) and _RELATIVE.match(sentence, joint.end())
        if is_relative or not _is_question(sentence[begun : joint.start()]):
            continue
        parts.append(sentence[begun : joint.start()])
        begun = joint.end()
    rest = sentence[begun:]
    if not parts or not _is_question(rest):
        return []
    return [_with_mark(part) for part in (*parts, rest)]


def _divided_at_preposition(sentence: str) -> list[str]:
    found = _SAME_PREPOSITION.fullmatch(sentence)
    if found is None or not _ASKS_ITSELF.match(found["head"]) or _NO_THING.match(found["second"]):
        return []
    if max(len(found["first"].split()), len(found["second"].split())) > 4:
        return []
    return [_with_mark(found["head"] + found[each]) for each in ("first", "second")]


def _is_question(part: str) -> bool:
    """Whether it begins like a question and is about something."""
    spoken = re.findall(r"[\w'-]+", part.lower())
    is_whole = len(spoken) >= FEWEST_WORDS and not _OPEN_END.search(part.rstrip(" ,;"))
    return is_whole and bool(set(spoken) - _FUNCTION_WORDS) and _ASKS_ITSELF.match(part) is not None


def _divided_chinese(sentence: str) -> list[str]:
    """Each clause that asks, with those before it that do not; what follows the last one stays with it."""
    parts: list[str] = []
    waiting: list[str] = []
    for clause in _JOINT_ZH.split(sentence):
        waiting.append(clause)
        if _ASKS_ZH.search(clause) and len(clause.strip("?？。.! ")) >= FEWEST_CHARACTERS:
            parts.append("，".join(waiting))
            waiting = []
    if waiting and parts:
        parts[-1] = "，".join((parts[-1], *waiting))
    if len(parts) < 2:
        return [sentence]
    return [_with_mark(_BEGIN_ZH.sub("", part.strip())) for part in parts]


def _with_mark(part: str) -> str:
    bare = part.strip(" ,;，；?？!。")
    return f"{bare}？" if _ASKS_ZH.search(bare) else f"{bare}?"
