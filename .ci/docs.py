"""Builds the site from notebooks and records into _docs/. Executes nothing but exported cells and imports.

nbdev's own processing, then Quarto, if it is on the PATH; else smalldocs, which reads the same _quarto.yml.
What smalldocs does not do as Quarto does is made up for here: page names, mathematics, figures that enlarge.
"""
import base64
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from PIL import Image
from latex2mathml.converter import convert
from nbdev.quarto import refresh_quarto_yml
from nbdev.serve import proc_nbs

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
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
    "A signature without links, with stars and spaces as Python writes them; on one line if nothing in it is explained."
    code = re.sub(r'\[?`([\w.]+)`(?:\]\([^)]*\))?', r'\1', code).strip('\n')
    code = re.sub(r'(\w+):VAR_POSITIONAL', r'*\1', re.sub(r'(\w+):VAR_KEYWORD', r'**\1', code))
    code = re.sub(r'^( *\w+):(?=\S)', r'\1: ', code, flags=re.M).replace(')->', ') -> ').replace('(*args, **kwargs)', '()')
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


def fold_marked(cell: dict):
    "Fold a cell that is marked by `hide_input`. A directive in an exported cell would go into the module, and `nbdev_update` doubles it."
    if cell['metadata'].get('hide_input'): cell['source'] = f'#| code-fold: true\n{"".join(cell["source"])}'


def frame_findings(cell: dict, after: dict | None):
    "Put what a chapter has found into a box, where it does not go on in the cell after it."
    text = ''.join(cell['source'])
    if cell['cell_type'] != 'markdown' or after and after['cell_type'] == 'code' and re.search(r'## What we found(?!.*\n## )', text, re.S): return
    cell['source'] = re.sub(r'(## What we found\n+)(.+?)(?=\n+## |\Z)', r'\1::: {.found}\n\2\n:::\n', text, flags=re.S)


def tidy(path: Path):
    "Each function once, in a processed notebook: its signature and its code folded, or a heading and its code."
    notebook = json.loads(path.read_text())
    docs = {doc_name(cell): cell for cell in notebook['cells'] if doc_name(cell)}
    cells = [cell for cell in notebook['cells'] if not doc_name(cell)]
    notebook['cells'] = []
    for cell, after in zip(cells, [*cells[1:], None]):
        fold_imports(cell)
        fold_marked(cell)
        frame_findings(cell, after)
        here = sorted((name for name in docs if defines(cell, name)), key=lambda name: ''.join(cell['source']).index(f' {name.rpartition(".")[2]}'))
        notebook['cells'] += boxes_of([docs.pop(name) for name in here], here, is_folded(cell))
        for data in (output.get('data', {}) for output in cell.get('outputs', [])):  # a parameter is not the function of that name
            if 'text/markdown' in data: data['text/markdown'] = re.sub(r'^- \[(`\w+`)\]\([^)]*\):', r'- \1:', ''.join(data['text/markdown']), flags=re.M)
        notebook['cells'].append(cell)
    if docs: raise SystemExit(f'{path.name}: no cell defines {", ".join(docs)}')
    path.write_text(json.dumps(notebook))


def copy_results():
    "The tables of all runs, for readers to download."
    for path in (ROOT / 'nbs' / 'results').rglob('runs.csv'):
        target = PROC / path.relative_to(ROOT / 'nbs')
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def draw_card():
    "card.png, which stands beside a link to the site: the figure of the home page, on white."
    outputs = (output for cell in json.loads((ROOT / 'nbs' / 'index.ipynb').read_text())['cells'] for output in cell.get('outputs', []))
    png = next(''.join(output['data']['image/png']) for output in outputs if 'image/png' in output.get('data', {}))
    figure = Image.open(io.BytesIO(base64.b64decode(png))).convert('RGBA')
    figure = figure.resize((1100, round(1100 * figure.height / figure.width)), Image.Resampling.LANCZOS)
    card = Image.new('RGBA', (1200, 630), 'white')
    card.alpha_composite(figure, (50, (630 - figure.height) // 2))
    card.convert('RGB').save(PROC / 'card.png')


class StrictLoader(yaml.SafeLoader):
    "Reads YAML as Quarto does: a key that stands twice is an error."


def unique_keys(loader: StrictLoader, node: yaml.MappingNode) -> dict:
    keys = [loader.construct_object(key) for key, _ in node.value]
    twice = sorted({str(key) for key in keys if keys.count(key) > 1})
    if twice: raise yaml.constructor.ConstructorError(None, None, f'duplicate key {", ".join(twice)}', node.start_mark)
    return loader.construct_mapping(node, deep=True)


StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, unique_keys)


def yaml_fault(text: str) -> list[str]:
    "What a strict parser says against a piece of YAML."
    try: yaml.load(text, StrictLoader)
    except yaml.YAMLError as error: return [f'{" ".join(str(error).split())} in {text[:80]!r}']
    return []


def faults_of(path: Path) -> list[str]:
    "What Quarto would refuse in a processed notebook, or show otherwise than meant: its header, the options of a cell, a caption that is not the picture's."
    found, captions = [], {'fig-cap', 'fig-alt'}
    for cell in json.loads(path.read_text())['cells']:
        source = ''.join(cell['source'])
        if cell['cell_type'] == 'raw': found += yaml_fault(source.strip().strip('-'))
        if cell['cell_type'] != 'code': continue
        options = '\n'.join(re.findall(r'^#\| *([\w-]+:.*)', source, re.M))
        fault = yaml_fault(options)
        found += fault
        outputs = [output for output in cell['outputs'] if output['output_type'] != 'stream' or ''.join(output['text']).strip()]
        if not fault and captions & set(yaml.safe_load(options) or {}) and outputs and 'image/png' not in outputs[0].get('data', {}): found.append(f'a caption whose first output is no picture: {source[:200]!r}')
    return [f'{path.name}: {fault}' for fault in found]


def faults_of_site() -> list[str]:
    "What Quarto would refuse in any notebook, page or setting."
    texts = {path.name: path.read_text() for path in PROC.glob('*.yml')} | {path.name: path.read_text().split('---')[1] for path in PROC.glob('*.qmd')}
    return ([f'{name}: {fault}' for name, text in texts.items() for fault in yaml_fault(text)]
            + [fault for path in sorted(PROC.glob('*.ipynb')) for fault in faults_of(path)])


def rename_pages() -> dict[str, str]:
    "Give the processed notebooks the names of their pages. Returns the file each page is made from, by its new name."
    names = {path.name: page_name(path) for path in PROC.glob('*.ipynb')}
    swap = lambda text: re.sub(r'(?<![\w/])(?:' + '|'.join(map(re.escape, names)) + ')', lambda m: names[m[0]] + '.ipynb', text)
    for path in list(PROC.glob('*.ipynb')):
        notebook = json.loads(path.read_text())
        for cell in notebook['cells']:
            if cell['cell_type'] != 'code': cell['source'] = re.sub(r'^output-file: .*\n', '', swap(''.join(cell['source'])), flags=re.M)
            for output in cell.get('outputs', []):
                if 'text/markdown' in output.get('data', {}): output['data']['text/markdown'] = swap(''.join(output['data']['text/markdown']))
        path.unlink()
        (PROC / f'{names[path.name]}.ipynb').write_text(json.dumps(notebook))
    for path in [*PROC.glob('*.yml'), *PROC.glob('*.qmd')]: path.write_text(swap(path.read_text()))
    return {f'{new}.ipynb': old for old, new in names.items()}


ENLARGE = """<script>
document.querySelectorAll('main figure img').forEach(img => {
  const enlarge = () => {
    const dialog = document.createElement('dialog'), copy = img.cloneNode()
    dialog.className = 'enlarged'
    dialog.setAttribute('aria-label', 'Enlarged figure')
    dialog.append(copy)
    dialog.onclick = () => dialog.close()
    dialog.onclose = () => { dialog.remove(); img.focus() }
    copy.removeAttribute('tabindex'); copy.removeAttribute('role')
    document.body.append(dialog)
    dialog.showModal()
  }
  img.tabIndex = 0
  img.setAttribute('role', 'button')
  img.onclick = enlarge
  img.onkeydown = event => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); enlarge() } }
})
</script>"""


def finish_links(text: str, site_url: str) -> str:
    "A page whose links to this site are relative, whose scrolling regions can be reached by keyboard, and whose icons are not read out beside their link's name."
    text = re.sub(r'(<i class="bi [^"]*") role="img"(?=>)', r'\1 aria-hidden="true"', text)
    text = re.sub(r'<(pre|div class="sd-table"|span class="math display")(?=[ >])(?![^>]*tabindex)', r'<\1 tabindex="0"', text)
    return text.replace(f'href="{site_url}/', 'href="./')


def finish_page(text: str, sources: dict[str, str]) -> str:
    "A page of smalldocs with its mathematics as MathML, which browsers show without a script, and figures that enlarge."
    mathml = lambda m: convert(m[2].replace('&lt;', '<').replace('&gt;', '>').replace('&amp;', '&'), display='block' if m[1] == '[' else 'inline')
    text = re.sub(r'\\([(\[])(.+?)\\[)\]](?=</span>)', mathml, text, flags=re.S)
    text = re.sub(r'<(?:script|link)[^>]*katex[^>]*>(?:</script>)?', '', text)
    text = re.sub(r'(?<=/main/nbs/)\w+\.ipynb', lambda m: sources.get(m[0], m[0]), text)  # links to the source
    return text.replace('</body>', f'{ENLARGE}</body>')


def without_quarto():
    "Render with smalldocs."
    sources = rename_pages()
    subprocess.run([BIN / 'smalldocs', 'render', '--quiet', PROC], check=True)
    for theme in (PROC / '_docs' / 'site_libs' / 'themes').glob('*.css'): theme.write_text(re.sub(r'@import url\([^)]*\);?', '', theme.read_text()))  # fonts from elsewhere
    for page in (PROC / '_docs').glob('*.html'): page.write_text(finish_page(page.read_text(), sources))


def main():
    shutil.rmtree(PROC, ignore_errors=True)
    refresh_quarto_yml()
    proc_nbs(force=True)
    for path in PROC.glob('*.ipynb'): tidy(path)
    copy_results()
    draw_card()
    faults = faults_of_site()
    if faults: raise SystemExit('\n'.join(faults))
    if shutil.which('quarto') and '--without-quarto' not in sys.argv: subprocess.run(['quarto', 'render', '--no-cache'], cwd=PROC, check=True)
    else: without_quarto()
    site_url = yaml.safe_load((PROC / 'nbdev.yml').read_text())['website']['site-url']
    for page in (PROC / '_docs').glob('*.html'): page.write_text(finish_links(page.read_text(), site_url))
    shutil.rmtree(DOCS, ignore_errors=True)
    shutil.move(PROC / '_docs', DOCS)
    print(f'{len(list(DOCS.glob("*.html")))} pages in {DOCS.name}/')


if __name__ == '__main__':
    main()
