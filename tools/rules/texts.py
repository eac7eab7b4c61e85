"""Rules about what people read: screen texts go through gettext, links in the docs lead somewhere."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from tools.rules.source import Place, Source

__all__ = ["anchors", "bare_texts", "dead_links"]

_JINJA = re.compile(r"{%-?\s*trans\b.*?endtrans\s*-?%}|{#.*?#}|{%.*?%}|{{.*?}}", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]{2,}")
_NAMES = {"Hanse", "OpenStreetMap"}
"""Proper names are the same in every language."""

_SPOKEN_ATTRIBUTES = {"alt", "aria-label", "placeholder", "title"}
_ATTRIBUTE = re.compile(r"[\w-]+=(?:\"[^\"]*\"|'[^']*')|\b(?:checked|disabled|hidden|required|selected)\b")
"""What a macro writes into a tag that is opened elsewhere."""

_SILENT_TAGS = {"script", "style", "code", "pre"}

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)[^)]*\)")
_FENCE = re.compile(r"^```.*?^```[^\n]*$|`[^`\n]*`", re.DOTALL | re.MULTILINE)


def bare_texts(source: Source) -> Iterator[Place]:
    """Words in a template that are not handed to gettext."""
    if source.under("hanse/app/templates") and source.name.endswith(".html"):
        reader = _TextReader()
        # A computed tag name (<{{ tag }} …>) becomes <xxx …>: with blanks the parser would take the tag for text.
        tags = re.sub(r"(?<=<)/?{{.*?}}", lambda found: "x" * len(found[0]), source.text)
        reader.feed(_JINJA.sub(_blank, tags))
        yield from reader.found


def dead_links(source: Source) -> Iterator[Place]:
    """Links to a file or a heading that is not there."""
    if not source.name.endswith(".md"):
        return
    prose = _FENCE.sub(_blank, source.text)
    for link in _LINK.finditer(prose):
        target, _, anchor = link[1].partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        file = (source.root / source.path).parent / target if target else source.root / source.path
        line = prose.count("\n", 0, link.start()) + 1
        if not file.exists() or (anchor and not _has_anchor(file, anchor)):
            yield line, link[1]


def anchors(markdown: str) -> set[str]:
    r"""The anchors that a page's headings make.

    Examples
    --------
    >>> sorted(anchors("# The Tree\n## What is `durable`, when?"))
    ['the-tree', 'what-is-durable-when']
    """
    headings = re.findall(r"^#+\s+(.*)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def _has_anchor(file: Path, anchor: str) -> bool:
    return file.suffix != ".md" or anchor in anchors(file.read_text(encoding="utf-8"))


def _blank(found: re.Match[str]) -> str:
    """Spaces in place of what is skipped, so that line numbers stay right."""
    return re.sub(r"[^\n]", " ", found[0])


class _TextReader(HTMLParser):
    """Collects the words between tags and in the attributes that are read out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Place] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter a tag."""
        self._silent += tag in _SILENT_TAGS
        for name, value in attrs:
            if name in _SPOKEN_ATTRIBUTES and value:
                self._look(value)

    def handle_endtag(self, tag: str) -> None:
        """Leave a tag."""
        self._silent -= tag in _SILENT_TAGS

    def handle_data(self, data: str) -> None:
        """Read what stands between tags."""
        if not self._silent:
            self._look(_ATTRIBUTE.sub(" ", data))

    def _look(self, text: str) -> None:
        words = [word for word in _WORD.findall(text) if word not in _NAMES]
        if words:
            self.found.append((self.getpos()[0], " ".join(words[:6])))
