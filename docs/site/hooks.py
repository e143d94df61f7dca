"""Hooks of mkdocs that add the pages of the registry, run snippets and convert formulas."""

import re
import sys
import tempfile
from pathlib import Path

from latex2mathml.converter import convert
from mkdocs.structure.files import File

sys.path.insert(0, str(Path(__file__).parent))

import pages
import snippets

MATH = re.compile(r'<(div|span) class="arithmatex">\\[\[(](.*?)\\[\])]</\1>', re.DOTALL)


def on_config(config):
    """Add the generated pages to the navigation."""
    for entry in config.nav:
        for title, made in (("Learners", pages.LEARNERS), ("Games", pages.GAMES)):
            if isinstance(entry, dict) and title in entry:
                entry[title] = list(made)
    return config


def on_files(files, config):
    """Add the generated pages."""
    for place, make in {**pages.LEARNERS, **pages.GAMES}.items():
        files.append(File.generated(config, place, content=make()))
    return files


def on_page_markdown(markdown, page, config, files):
    """Run the Python of a page and add the pictures that it writes to the page's folder."""
    if not snippets.snippets(markdown):
        return markdown
    with tempfile.TemporaryDirectory() as folder:
        snippets.run(markdown, page.file.src_uri, Path(folder))
        for picture in sorted(Path(folder).glob("*.png")):
            where = str(Path(page.file.src_uri).parent / picture.name)
            files.append(File.generated(config, where, content=picture.read_bytes()))
    return markdown


def on_page_content(html, page, config, files):
    """Convert formulas to MathML, which browsers render without scripts."""

    def drawn(found):
        display = "block" if found[1] == "div" else "inline"
        return convert(_plain(found[2]), display=display)

    return MATH.sub(drawn, html)


def _plain(text):
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
