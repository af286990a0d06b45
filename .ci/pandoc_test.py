"""Compares the fallback's pages with what pandoc, which Quarto is built on, reads in the same processed notebooks.

Headings, tables, figures and links of each page must be the same. Call it after .ci/docs.py.
"""
import json
import re
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pypandoc
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROC, DOCS = ROOT / '_proc', ROOT / '_docs'
SITE = yaml.safe_load((ROOT / 'nbs' / 'nbdev.yml').read_text())['website']['site-url'] + '/'


def markdown_of(path: Path) -> tuple[str, int]:
    "The Markdown that Quarto makes of a processed notebook, without code and text outputs, and the number of its pictures."
    parts, pictures = [], 0
    for cell in json.loads(path.read_text())['cells']:
        source = ''.join(cell['source'])
        if cell['cell_type'] == 'markdown': parts.append(source)
        if cell['cell_type'] != 'code' or re.search(r'^#\| *(?:output|include): *false', source, re.M): continue
        for data in (output.get('data', {}) for output in cell.get('outputs', [])):
            pictures += 'image/png' in data
            if 'text/markdown' in data and 'image/png' not in data: parts.append(''.join(data['text/markdown']))
    return '\n\n'.join(parts), pictures


def elements(tree) -> list[dict]:
    "Every element of pandoc's tree."
    if isinstance(tree, list): return [element for part in tree for element in elements(part)]
    if not isinstance(tree, dict): return []
    return ([tree] if 't' in tree else []) + [element for part in tree.values() for element in elements(part)]


def words(tree) -> str:
    "The text of a part of pandoc's tree, without spaces."
    return ''.join(element['c'] if element['t'] == 'Str' else element['c'][1] if element['t'] == 'Code' else '' for element in elements(tree))


def plain(text: str) -> str:
    "Text without spaces and with straight quotes, as both can be compared."
    for curly, straight in ('“"', '”"', "’'", "‘'", ('…', '...'), ('–', '--')): text = text.replace(curly, straight)
    return re.sub(r'\s+', '', text)


def target(link: str) -> str:
    "A link as both can be compared: pages of the site without its address and without suffix."
    return re.sub(r'\.(?:ipynb|html|qmd)(?=#|$)', '', link.removeprefix(SITE).removeprefix('./'))


def by_pandoc(path: Path) -> dict[str, Counter]:
    "What pandoc finds in a page."
    text, pictures = markdown_of(path)
    found = elements(json.loads(pypandoc.convert_text(text, 'json', format='markdown-smart'))['blocks'])
    return {'headings': Counter(plain(words(e['c'][2])) for e in found if e['t'] == 'Header'),
            'tables': Counter(tables=sum(e['t'] == 'Table' for e in found)), 'figures': Counter(figures=pictures),
            'links': Counter(target(e['c'][2][0]) for e in found if e['t'] == 'Link')}


class Page(HTMLParser):
    "Headings, tables, figures and links in the main part of a page, without the site's own navigation."
    def __init__(self, path: Path):
        super().__init__()
        self.found = {name: Counter() for name in ('headings', 'tables', 'figures', 'links')}
        self.inside, self.navigation, self.heading = False, 0, None
        self.feed(path.read_text(encoding='utf-8'))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == 'main': self.inside = True
        self.navigation += tag == 'nav'
        if not self.inside or self.navigation: return
        if re.fullmatch('h[2-6]', tag): self.heading = ''
        if tag == 'table': self.found['tables']['tables'] += 1
        if tag == 'img': self.found['figures']['figures'] += 1
        if tag == 'a' and found.get('href') and 'anchorjs' not in found.get('class', ''): self.found['links'][target(found['href'])] += 1

    def handle_endtag(self, tag):
        if tag == 'main': self.inside = False
        self.navigation -= tag == 'nav'
        if re.fullmatch('h[2-6]', tag) and self.heading is not None:
            self.found['headings'][plain(self.heading)] += 1
            self.heading = None

    def handle_data(self, text):
        if self.heading is not None: self.heading += text


def differences(name: str) -> list[str]:
    "Where the two readings of a page differ."
    theirs, ours = by_pandoc(PROC / f'{name}.ipynb'), Page(DOCS / f'{name}.html').found
    return [f'{name}: {kind}: only pandoc finds {dict(theirs[kind] - ours[kind])}, only the page has {dict(ours[kind] - theirs[kind])}'
            for kind in theirs if theirs[kind] != ours[kind]]


def main() -> int:
    names = sorted(path.stem for path in PROC.glob('*.ipynb'))
    if not names: raise SystemExit('there are no processed notebooks in _proc: make docs')
    found = [line for name in names for line in differences(name)]
    for line in found: print('FAILED ', line)
    print(f'pandoc: {len(names)} pages compared, {len(found)} differences')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
