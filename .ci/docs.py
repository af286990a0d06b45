"""Builds the site from notebooks and records into _docs/. Executes nothing but exported cells and imports.

nbdev's own processing, then Quarto, if it is on the PATH: its pages are the ones that count, and a warning of its
ends the build. Without it smalldocs, which reads the same _quarto.yml, makes plainer pages.
"""
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from nbdev.quarto import refresh_quarto_yml
from nbdev.serve import proc_nbs
from pages import draw_card, split_api, write_contents
from photo import fetch_runtime, write_network

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
LONG = 25  # lines of a cell that defines functions, from which on it is folded
PROC, DOCS = ROOT / '_proc', ROOT / '_docs'


def page_name(path: Path) -> str:
    "The name of a notebook's page, without suffix: 00_blocks becomes blocks, as nbdev tells Quarto."
    cells = json.loads(path.read_text())['cells']
    found = re.search(r'^output-file: (.+)\.html$', ''.join(cells[0]['source']), re.M) if cells and cells[0]['cell_type'] == 'raw' else None
    return found[1] if found else path.stem


def doc_name(cell: dict) -> str | None:
    "The name in a signature box, which nbdev puts beside the cell that defines a function; None for other cells."
    found = re.search(r'^show_doc\(([\w.]+)', ''.join(cell['source']), re.M) if cell['cell_type'] == 'code' else None
    return found[1] if found else None


def defines(cell: dict, name: str) -> bool:
    "Does a cell define this function or class, or this method of a class?"
    return cell['cell_type'] == 'code' and bool(re.search(rf'^(?:def|class) {name.rpartition(".")[2]}\b', ''.join(cell['source']), re.M))


def is_folded(cell: dict) -> bool:
    return bool(re.search(r'^#\| *(code-fold: *true|echo: *false)', ''.join(cell['source']), re.M))


def tidy_signature(code: str) -> str:
    "A signature without links or long defaults, with stars and spaces as Python writes them; on one line if nothing in it is explained."
    code = re.sub(r'\[?`([\w.]+)`(?:\]\([^)]*\))?', r'\1', code).strip('\n')
    code = re.sub(r'(\w+):VAR_POSITIONAL', r'*\1', re.sub(r'(\w+):VAR_KEYWORD', r'**\1', code))
    code = re.sub(r'^( *\w+):(?=\S)', r'\1: ', code, flags=re.M).replace(')->', ') -> ').replace('(*args, **kwargs)', '()')
    code = re.sub(r'=(\w+)\([^()#]{40,}\)', r'=\1(…)', code)
    return code if '#' in code else re.sub(r'\s*\n\s*', ' ', code).replace('( ', '(').replace(' )', ')')


def tidy_box(text: str) -> str:
    "A signature box without a rule."
    return re.sub(r'(?<=```python\n).*?(?=\n```)', lambda m: tidy_signature(m[0]), re.sub(r'^---\n+', '', text), flags=re.S)


def heading(text: str, names: list[str]) -> str:
    "What is left of the signature boxes where the code is shown: a link to the source and one heading, with a place to link to for each name."
    source = re.search(r'^\[source\].*', text, re.M)
    places = ''.join(f' []{{#{name.lower()}}}' for name in names[1:])
    return f'{source[0] if source else ""}{places}\n\n### {", ".join(names)} {{#{names[0].lower()}}}'


def text_of(box: dict) -> str:
    return ''.join(box['outputs'][0]['data']['text/markdown'])


def boxes_of(boxes: list[dict], names: list[str], folded: bool) -> list[dict]:
    "What stands above a cell: where its code is folded, the signatures that explain their parameters, else one heading for all it defines."
    if not boxes: return []
    explained = [box for box in boxes if folded and re.search(r'^ .*#', text_of(box), re.M)]
    if not explained:
        boxes[0]['outputs'][0]['data']['text/markdown'] = heading(text_of(boxes[0]), names)
        return boxes[:1]
    for box in explained: box['outputs'][0]['data']['text/markdown'] = tidy_box(text_of(box))
    others = [name for name, box in zip(names, boxes) if box not in explained]
    places = ''.join(f' []{{#{name.lower()}}}' for name in others)
    first = explained[0]['outputs'][0]['data']
    first['text/markdown'] = re.sub(r'^(\[source\].*)', lambda m: m[1] + places, first['text/markdown'], flags=re.M)
    return explained


def fold_imports(cell: dict):
    "Fold a cell that does nothing but import."
    source = ''.join(cell['source'])
    names = re.sub(r'^(?:import [\w., ]+|from \S+ import (?:\([\w,\s]+\)|[\w., ]+))$', '', source, flags=re.M)
    if cell['cell_type'] == 'code' and source.strip() and not names.strip(): cell['source'] = f'#| code-fold: true\n#| code-summary: "Imports"\n{source}'


def processed() -> list[Path]:
    "The notebooks that become pages."
    return [path for path in PROC.rglob('*.ipynb') if '_docs' not in path.parts]


def write_notebook(path: Path, notebook: dict):
    "Write a processed notebook, its texts as lists of lines: from one long string Quarto drops the newlines."
    for cell in notebook['cells']:
        for holder, key in [(cell, 'source'), *((output.get('data', {}), 'text/markdown') for output in cell.get('outputs', []))]:
            if key in holder: holder[key] = ''.join(holder[key]).splitlines(keepends=True)
    path.write_text(json.dumps(notebook))


def fold_marked(cell: dict, defined: list[str]):
    """Fold a cell that is marked by `hide_input`, or is long and defines what has a signature. (A directive in an exported
    cell would go into the module, and `nbdev_update` doubles it.)"""
    source = ''.join(cell['source'])
    if cell['metadata'].get('hide_input') or defined and source.count('\n') > LONG: cell['source'] = f'#| code-fold: true\n{source}'


def name_fold(cell: dict):
    "Say on a fold what is in it: the figure that it draws, the function that it defines."
    source, outputs = ''.join(cell['source']), cell.get('outputs') or []
    if not re.search(r'^#\| *code-fold: *true', source, re.M) or 'code-summary' in source: return
    drawn, defined = re.search(r'^#\| *fig-cap: *"?(Figure \d+|)', source, re.M), re.findall(r'^(?:def|class) (\w+)', source, re.M)
    name = (f'Draw {drawn[1] or "the figure"}' if drawn or any('image/png' in output.get('data', {}) for output in outputs)
            else f'Code of {", ".join(defined[:3])}' if defined else 'Make the table' if outputs else 'Preparation')
    cell['source'] = f'#| code-summary: "{name}"\n{source}'


def fold_tests(cell: dict):
    "Fold a cell that only tests: it asserts, prints nothing and defines nothing."
    source = ''.join(cell['source'])
    if cell['cell_type'] != 'code' or cell['outputs'] or re.search(r'^#\| *(export|code-fold|echo|hide)|^ *(def|class) ', source, re.M): return
    if re.search(r'^ *assert |expect_fail', source, re.M): cell['source'] = f'#| code-fold: true\n#| code-summary: "Tests"\n{source}'


def tidy(path: Path):
    "Each function once, in a processed notebook: its signature and its code folded, or a heading and its code."
    notebook = json.loads(path.read_text())
    code = [cell for cell in notebook['cells'] if not doc_name(cell)]
    boxes = {doc_name(cell): cell for cell in notebook['cells'] if doc_name(cell)}
    docs = {name: box for name, box in boxes.items() if any(defines(cell, name) for cell in code)}
    cells = [cell for cell in notebook['cells'] if doc_name(cell) not in docs]  # a box whose code is not shown stays
    for name in boxes.keys() - docs.keys(): boxes[name]['outputs'][0]['data']['text/markdown'] = tidy_box(text_of(boxes[name]))
    notebook['cells'] = []
    for cell in cells:
        here = sorted((name for name in docs if defines(cell, name)), key=lambda name: ''.join(cell['source']).index(f' {name.rpartition(".")[2]}'))
        fold_imports(cell)
        fold_marked(cell, here)
        fold_tests(cell)
        name_fold(cell)
        notebook['cells'] += boxes_of([docs.pop(name) for name in here], here, is_folded(cell))
        for data in (output.get('data', {}) for output in cell.get('outputs', [])):  # a parameter is not the function of that name
            if 'text/markdown' in data: data['text/markdown'] = re.sub(r'^- \[(`\w+`)\]\([^)]*\):', r'- \1:', ''.join(data['text/markdown']), flags=re.M)
        notebook['cells'].append(cell)
    write_notebook(path, notebook)


def copy_results():
    "The tables of all runs, for readers to download."
    for path in (ROOT / 'nbs' / 'results').rglob('runs.csv'):
        target = PROC / path.relative_to(ROOT / 'nbs')
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def rename_pages() -> dict[str, str]:
    "Give the processed notebooks the names of their pages. Returns the file each page is made from, by its new name."
    names = {path.name: page_name(path) for path in processed()}
    swap = lambda text: re.sub(r'(?:(?<![\w/])|(?<=\.\./))(?:' + '|'.join(map(re.escape, names)) + ')', lambda m: names[m[0]] + '.ipynb', text)
    for path in processed():
        notebook = json.loads(path.read_text())
        for cell in notebook['cells']:
            if cell['cell_type'] != 'code': cell['source'] = re.sub(r'^output-file: .*\n', '', swap(''.join(cell['source'])), flags=re.M)
            for output in cell.get('outputs', []):
                if 'text/markdown' in output.get('data', {}): output['data']['text/markdown'] = swap(''.join(output['data']['text/markdown']))
        path.unlink()
        write_notebook(path.with_stem(names[path.name]), notebook)
    for path in [*PROC.glob('*.yml'), *PROC.rglob('*.qmd')]: path.write_text(swap(path.read_text()))
    return {f'{new}.ipynb': old for old, new in names.items()}


def contents(text: str) -> str:
    "The table of contents of a page of Quarto once more, as a fold for small screens, where Quarto shows none."
    found = re.search(r'<nav id="TOC".*?(<ul[ >].*?</ul>)\s*(?:</nav>|<div class="toc-actions)', text, re.S)
    links = re.sub(r' (?:id|class|data-scroll-target)="[^"]*"', '', found[1]) if found else ''
    return f'<details class="contents"><summary>On this page</summary>\n{links}\n</details>' if links else ''


def rank_search(site: Path):
    """Let Quarto's search show chapters before the reference and the laboratory, and what matches alike in the order of the
    sidebar, not the shortest text first."""
    order = [re.sub(r'\d+_|\.\w+$', '', href) for href in re.findall(r'href: ([\w/.]+)', (ROOT / 'nbs' / 'sidebar.yml').read_text())]
    place = lambda entry: (order + [name]).index(name) if (name := entry['href'].partition('.html')[0]) else 0
    entries = sorted(json.loads((site / 'search.json').read_text()), key=place)
    tools = sum(place(entry) < order.index('results') for entry in entries)  # where they begin
    (site / 'search.json').write_text(json.dumps(entries))
    script = site / 'site_libs' / 'quarto-search' / 'quarto-search.js'
    text, ranked = script.read_text(), f'(a, b) => (a.idx >= {tools}) - (b.idx >= {tools}) || a.score - b.score || a.idx - b.idx'
    assert 'ignoreLocation: true,' in text, 'Quarto searches in another way'
    script.write_text(text.replace('ignoreLocation: true,', f'ignoreLocation: true, ignoreFieldNorm: true, sortFn: {ranked},'))


def pages_in(folder: Path) -> list[Path]:
    "The pages of a built site."
    return [page for page in folder.rglob('*.html') if 'site_libs' not in page.parts]


def finish(text: str, site_url: str, up: str) -> str:
    """A page whose links to this site are relative, whose scrolling regions can be reached by keyboard, whose icons are not
    read out beside their link's name, whose lines of code say how far they are indented, with its contents for small screens."""
    text = re.sub(r'(<i class="bi [^"]*") role="img"(?=>)', r'\1 aria-hidden="true"', text)
    text = re.sub(r'<(pre|div class="cell-output[^"]*"(?=>\s*<table))(?=[ >])(?![^>]*tabindex)', r'<\1 tabindex="0"', text)
    text = re.sub(r'(<span id="cb\d+-\d+")(?=><a [^>]*></a>(?:<span class="\w+">)?( +))', lambda m: f'{m[1]} style="--indent:{len(m[2])}ch"', text)
    text = re.sub(r'(<header id="title-block-header".*?</header>)', lambda m: m[1] + contents(text), text, count=1, flags=re.S)
    return re.sub(f'(<a [^>]*href="){re.escape(site_url)}/', rf'\1{up}', text)


def unlink_unknown(pages: dict[Path, str]) -> dict[Path, str]:
    """The pages without links to functions that no page has a place for: nbdev links every name that a module defines,
    also what it keeps to itself."""
    places = {page.resolve(): set(re.findall(r' id="([^"]+)"', text)) for page, text in pages.items()}
    def keep(page, m):
        target, _, anchor = m[1].partition('#')
        there = (page.parent / target).resolve() if target else page.resolve()
        return m[0] if there not in places or anchor in places[there] else m[2]
    link = r'<a href="([^"#:]*#[^"]+)"[^>]*>(<code>[^<]*</code>)</a>'
    return {page: re.sub(link, lambda m: keep(page, m), text) for page, text in pages.items()}


def with_quarto():
    "Render with Quarto, which goes on after what it warns of, and ends with exit code 0: here it does not."
    done = subprocess.run(['quarto', 'render', '--no-cache'], cwd=PROC, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    warned = re.search(r'\bWARN(?:ING)?\b', done.stdout)
    if done.returncode or warned: raise SystemExit(f'{done.stdout}\nQuarto {"warns" if warned else "ends with exit code " + str(done.returncode)}')


def without_quarto():
    "Render with smalldocs."
    sources = rename_pages()
    subprocess.run([BIN / 'smalldocs', 'render', '--quiet', PROC], check=True)
    for page in pages_in(PROC / '_docs'):  # links to the source
        page.write_text(re.sub(r'(?<=/main/nbs/)(?:lab/)?\w+\.ipynb', lambda m: sources.get(m[0], m[0]), page.read_text()))


def main():
    shutil.rmtree(PROC, ignore_errors=True)
    refresh_quarto_yml()
    proc_nbs(force=True)
    shutil.rmtree(PROC / 'tests')  # no pages
    for path in processed(): tidy(path)
    copy_results()
    draw_card(ROOT / 'nbs', PROC)
    split_api(PROC)
    write_contents(ROOT / 'nbs', PROC)
    write_network(PROC / 'try')
    fetch_runtime(PROC / 'try')
    renderer = with_quarto if shutil.which('quarto') else without_quarto
    renderer()
    site_url = yaml.safe_load((PROC / 'nbdev.yml').read_text())['website']['site-url']
    site = PROC / '_docs'
    ups = {page: '../' * (len(page.relative_to(site).parts) - 1) or './' for page in pages_in(site)}
    pages = {page: finish(page.read_text(), site_url, up) for page, up in ups.items()}
    for page, text in unlink_unknown(pages).items(): page.write_text(text)
    if renderer is with_quarto: rank_search(site)
    shutil.rmtree(DOCS, ignore_errors=True)
    shutil.move(PROC / '_docs', DOCS)
    print(f'{len(pages_in(DOCS))} pages in {DOCS.name}/, {renderer.__name__.replace("_", " ")}')


if __name__ == '__main__':
    main()
