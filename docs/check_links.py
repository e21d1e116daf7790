"""Looks whether every link inside the built documentation leads somewhere: `python docs/check_links.py FOLDER`.

Links to other sites are not followed.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

_POINTING: Final = {"a": "href", "link": "href", "img": "src", "script": "src", "object": "data"}


class _Page(HTMLParser):
    """What a page points to, and what can be pointed at in it."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value}
        self.anchors.update(given[name] for name in ("id", "name") if name in given)
        wanted = _POINTING.get(tag)
        if wanted in given:
            self.links.append(given[wanted])


def broken_links(folder: Path) -> list[str]:
    """A sentence for each link that leads nowhere."""
    pages = {file.resolve(): _Page(file) for file in sorted(folder.rglob("*.html"))}
    found = []
    for file, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            if target.is_dir():
                target /= "index.html"
            missing = not target.exists()
            anchor = unquote(parts.fragment)
            if missing or (anchor and target in pages and anchor not in pages[target].anchors):
                found.append(f"{file.relative_to(folder.resolve())}: {link} leads nowhere.")
    return found


def main() -> None:
    """Check the folder; exit 1 if a link is broken, or if there is no page at all."""
    folder = Path(sys.argv[1])
    found = broken_links(folder)
    if not any(folder.rglob("*.html")):
        found.append(f"There is no page in {folder}.")
    for sentence in found:
        sys.stderr.write(sentence + "\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
