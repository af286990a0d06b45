"""Write README.md from nbs/index.ipynb: its prose, its code that is shown, and the text that it printed. Needs no Quarto."""
import base64
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURES: list[Path] = []
NOTE = '<!-- Made from nbs/index.ipynb by .ci/readme.py: edit the notebook. -->\n'


def options(source: str) -> dict[str, str]:
    "The #| lines of a cell."
    found = re.findall(r'^#\|[^\S\n]*([\w-]+)[^\S\n]*:?[^\S\n]*(.*)$', source, re.M)
    return dict(found)


def picture(png: str, alt: str) -> str:
    "A link to a picture, which is kept beside the notebook under a number of its own."
    folder = ROOT / 'nbs' / 'index_files'
    folder.mkdir(exist_ok=True)
    path = folder / f'figure-{len(PICTURES) + 1}.png'
    PICTURES.append(path)
    path.write_bytes(base64.b64decode(png))
    return f'![{alt}]({path.relative_to(ROOT).as_posix()})'


def printed(output: dict, alt: str) -> str:
    "What an output shows as Markdown: tables and pictures as they are, text as a block."
    data = output.get('data', {})
    if 'image/png' in data: return picture(''.join(data['image/png']), alt)
    if 'text/markdown' in data: return ''.join(data['text/markdown'])
    text = ''.join(output.get('text', data.get('text/plain', []))).rstrip()
    return f'```\n{text}\n```' if text else ''


def cell_text(cell: dict) -> str:
    "A cell as Markdown; nothing for hidden ones."
    source = ''.join(cell['source'])
    if cell['cell_type'] == 'markdown': return re.sub(r'^:::.*\n?', '', source, flags=re.M)  # Quarto's boxes
    chosen = options(source)
    if 'hide' in chosen or chosen.get('include') == 'false': return ''
    code = re.sub(r'^#\|.*\n?', '', source, flags=re.M).strip()
    shown = [] if chosen.get('echo') == 'false' or not code else [f'```python\n{code}\n```']
    outputs = [printed(output, chosen.get('fig-alt', '').strip('"')) for output in cell['outputs']]
    caption = [chosen['fig-cap'].strip('"')] if 'fig-cap' in chosen else []
    return '\n\n'.join(shown + [text for text in outputs if text] + caption)


def main():
    cells = json.loads((ROOT / 'nbs' / 'index.ipynb').read_text(encoding='utf-8'))['cells']
    parts = [re.sub(r'\]\((\w+\.(?:ipynb|qmd)(?:#[\w-]+)?)\)', r'](nbs/\1)', text.strip()) for text in map(cell_text, cells) if text.strip()]
    (ROOT / 'README.md').write_text(NOTE + '\n' + '\n\n'.join(parts) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
