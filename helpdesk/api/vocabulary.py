"""Objects that callers send, as pydantic models: strict kinds, nothing unknown, and one mapping of what is wrong to our errors.

Null is the same as leaving out. What is refused is named by its place (`messages[0].content`) and never quoted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    Strict,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from helpdesk.errors import InvalidInput

NAME_CHARACTERS = 100
Mistake = Callable[[str], InvalidInput]
_WRONG_KIND: Mapping[str, Promise] = {
    "bool_type": gettext_lazy("“%(name)s” must be true or false."),
    "dict_type": gettext_lazy("“%(name)s” must be an object."),
    "float_type": gettext_lazy("“%(name)s” must be a number."),
    "int_type": gettext_lazy("“%(name)s” must be an integer."),
    "list_type": gettext_lazy("“%(name)s” must be a list."),
    "missing": gettext_lazy("“%(name)s” is missing."),
    "model_type": gettext_lazy("“%(name)s” must be an object."),
    "string_type": gettext_lazy("“%(name)s” must be a string."),
}


def no_such_parameter(name: str) -> InvalidInput:
    """It is not known."""
    return InvalidInput(
        _("There is no parameter “%(name)s”. Check the spelling or remove it.") % {"name": name}, parameter=name
    )


class Refused(ValueError):
    """What a check says of a value: `mistake` makes the error when the place is known, `at` lies below the value."""

    def __init__(self, mistake: Mistake, *at: str | int) -> None:
        super().__init__()
        self.mistake, self.at = mistake, at

    @classmethod
    def saying(cls, sentence: str, *at: str | int, **values: object) -> Self:
        """With a sentence that may contain `%(name)s`, the place."""
        return cls(lambda place: InvalidInput(sentence % {"name": place, **values}, parameter=place), *at)


class Vocabulary(BaseModel):
    """An object that callers send. Reading it raises InvalidInput."""

    model_config = ConfigDict(frozen=True, strict=True, hide_input_in_errors=True)

    # What is said of a member that there is not, and whether it may be there with null.
    unknown: ClassVar[Mistake] = staticmethod(no_such_parameter)
    may_be_null: ClassVar[bool] = False

    @classmethod
    def read(cls, given: object) -> Self:
        """The object in decoded JSON. Raises InvalidInput, whose `parameter` names the place."""
        if not isinstance(given, dict):
            raise InvalidInput(_("The body must be a JSON object."))
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise refusal(error) from None

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, given: Any) -> Any:
        """Ends at the first one: a body of a million unknown members costs no more."""
        if not isinstance(given, dict):
            return given
        for name, value in given.items():
            if name not in cls.model_fields and (value is not None or not cls.may_be_null):
                raise Refused(cls.unknown, name)
        return {name: value for name, value in given.items() if value is not None}


def refusal(error: ValidationError) -> InvalidInput:
    """The first thing that is wrong, as an error of ours."""
    first = error.errors(include_url=False, include_input=False)[0]
    context = first.get("ctx", {})
    if isinstance(refused := context.get("error"), Refused):
        return refused.mistake(place_of((*first["loc"], *refused.at)))
    place = place_of(first["loc"])
    if first["type"] == "literal_error":
        values = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        return InvalidInput(
            _("“%(name)s” must be one of: %(values)s.") % {"name": place, "values": values}, parameter=place
        )
    sentence = _WRONG_KIND.get(first["type"], gettext_lazy("“%(name)s” has a value of the wrong type."))
    return InvalidInput(str(sentence) % {"name": place}, parameter=place)


def place_of(location: Iterable[str | int]) -> str:
    """`messages[0].content`, cut: a name in it may be the caller's."""
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return place.removeprefix(".")[:NAME_CHARACTERS]


class Check:
    """Part of a field's type that looks at its value; null passes. Subclasses raise Refused in `look`."""

    def look(self, value: Any) -> None:
        """Raises Refused."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def looked_at(value: Any) -> Any:
            if value is not None:
                self.look(value)
            return value

        return core_schema.no_info_after_validator_function(looked_at, handler(source))


@dataclass(frozen=True)
class Between(Check):
    """A number within these bounds, which belong to it."""

    low: float
    high: float

    def look(self, value: Any) -> None:
        # So that NaN is outside as well.
        if not self.low <= value <= self.high:
            raise Refused.saying(_("“%(name)s” must be between %(low)s and %(high)s."), low=self.low, high=self.high)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        described: dict[str, Any] = handler(schema)
        return described | {"minimum": self.low, "maximum": self.high}


def _whole(value: Any) -> Any:
    """JSON has one kind of number: 5.0 is 5."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Neither a text nor true is a number, and 1 is not true.
Number = Annotated[float, Strict()]
Whole = Annotated[int, Strict(), BeforeValidator(_whole)]
Flag = Annotated[bool, Strict()]
