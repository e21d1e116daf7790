"""The table of the stories, as Markdown."""

from collections.abc import Iterable

from tests.support.stories.story import Told
from tests.support.stories.words import AMAZON, HERE, M3

_HEAD = (
    "| # | story | at Amazon | in M3 | here | Amazon ends | M3 ends | workflow | met | peers |",
    "|--|--|--|--|--|--|--|--|--|--|",
)


def table(told: Iterable[Told]) -> str:
    """One row a story. What happens is numbered across the three places, in the order in which it happened."""
    rows = [*_HEAD, *(_row(number, each) for number, each in enumerate(told, 1))]
    return "\n".join(rows) + "\n"


def _row(number: int, told: Told) -> str:
    story = told.story
    cells = [
        str(number),
        story.name,
        *(_what(told, where) for where in (AMAZON, M3, HERE)),
        *(
            "<br>".join(dict.fromkeys(getattr(ends, side) for ends in story.ends))
            for side in ("amazon", "m3", "workflow")
        ),
        "<br>".join(["NO", *told.differences]) if told.differences else "yes",
        story.peers,
    ]
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _what(told: Told, where: str) -> str:
    return "<br>".join(f"{at} {each.what}" for at, each in enumerate(told.happened, 1) if each.where == where)
