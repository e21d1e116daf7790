"""How coming reports are to end: what a test or a demonstration orders, instead of what the world would do."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from simulators.amazon.reports.packing import Charset, Packing


class Rule(BaseModel):
    """Body of ``POST /_control/reports/rules``: for the next `times` reports of this type and seller.

    outcome: how they end, whatever the data; left out, as the world has it. reason: the text of the document
    of a FATAL report. text: the document instead of one made from the orders. charset: a codec of Python for
    the bytes; content_type: the header that comes with them, right or wrong. truncated: so many downloads get
    only the first part of the bytes.
    """

    model_config = ConfigDict(extra="forbid")

    report_type: str | None = None
    seller: str | None = None
    times: int = Field(default=1, ge=1)
    outcome: Literal["DONE", "CANCELLED", "FATAL"] | None = None
    reason: str | None = None
    text: str | None = None
    packing: Packing = "auto"
    charset: str | None = None
    content_type: str | None = None
    truncated: int = Field(default=0, ge=0)

    @field_validator("charset")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                "".encode(value)
            except LookupError:
                message = f"{value!r} is no codec of Python."
                raise ValueError(message) from None
        return value

    def encoding(self) -> Charset:
        """The charset asked for, and told."""
        name = self.charset or "utf-8"
        return Charset(name, name)


class Rules:
    """The rules not yet used up, oldest first."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def add(self, rule: Rule) -> None:
        """Add a rule for coming reports."""
        self._rules.append(rule)

    def take(self, seller_id: str, report_type: str) -> Rule | None:
        """The rule for a report just asked for, if any."""
        for number, rule in enumerate(self._rules):
            if rule.seller in (None, seller_id) and rule.report_type in (None, report_type):
                if rule.times == 1:
                    del self._rules[number]
                else:
                    self._rules[number] = rule.model_copy(update={"times": rule.times - 1})
                return rule
        return None

    def clear(self) -> None:
        """Forget them all."""
        self._rules.clear()

    def view(self) -> list[dict[str, object]]:
        """As ``GET /_control/reports`` shows them."""
        return [rule.model_dump(exclude_defaults=True) for rule in self._rules]
