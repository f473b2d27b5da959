"""A report as one HTML file that needs no other: no script, no link, no font to fetch."""

from __future__ import annotations

import datetime
import html
import platform
from collections.abc import Sequence
from pathlib import Path

from .. import __version__
from ..files import written_whole

STYLE = """
:root { color-scheme: light; --ink: #20242b; --soft: #5a626e; --line: #e3e7ec; --warm: #e0561b }
* { box-sizing: border-box }
body { margin: 0; background: #fff; color: var(--ink);
       font: 16px/1.55 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif }
main { max-width: 1080px; margin: 0 auto; padding: 3rem 1.5rem 5rem }
h1 { font-size: 1.9rem; line-height: 1.2; letter-spacing: -.015em; margin: 0 0 .4rem }
h2 { font-size: 1.2rem; margin: 3rem 0 .5rem; padding-top: 1rem;
     border-top: 1px solid var(--line) }
p, li { max-width: 70ch } .soft, figcaption, footer { color: var(--soft); font-size: .9rem }
.facts { display: flex; flex-wrap: wrap; gap: 1rem 2rem; margin: 1.8rem 0 }
.facts b { display: block; font-size: 1.5rem; font-weight: 600; letter-spacing: -.02em }
.facts span { color: var(--soft); font-size: .82rem }
figure { margin: 1.2rem 0 } figcaption { margin-bottom: .4rem }
img { max-width: 100%; height: auto; display: block }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .84rem; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .55rem; text-align: right; border-bottom: 1px solid var(--line) }
td { white-space: nowrap }
th { color: var(--soft); font-weight: 500; vertical-align: bottom }
th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: nowrap }
.warning { border-left: 3px solid var(--warm); padding: .1rem 0 .1rem .9rem; margin: .6rem 0 }
@media print { main { padding: 0 } h2 { break-after: avoid } figure { break-inside: avoid } }
"""


def written(text: str, path: Path) -> Path:
    """Write a page to `path`, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def whole(title: str, parts: Sequence[str]) -> str:
    """The page of these parts; the title is HTML already."""
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        f"<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<style>{STYLE}</style><main>{''.join(parts)}</main></html>\n"
    )


def section(heading: str, *parts: str) -> str:
    """A heading and what belongs under it."""
    return f"<section><h2>{heading}</h2>{''.join(parts)}</section>"


def picture(source: str, caption: str) -> str:
    """A picture of `canvas`, with its caption above."""
    caption = html.escape(caption)
    return (
        f'<figure><figcaption>{caption}</figcaption><img alt="{caption}" src="{source}"></figure>'
    )


def facts_line(facts: Sequence[tuple[str, str]]) -> str:
    """Figures in large print, each with what it is."""
    return (
        "<div class=facts>"
        + "".join(f"<div><b>{v}</b><span>{what}</span></div>" for v, what in facts)
        + "</div>"
    )


def made_with() -> str:
    """Versions and time, for the end of a page."""
    when = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    return f"noble_neuron {__version__}, Python {platform.python_version()}, {when}."
