"""Makes the outputs of the commands in the book again, and stores what a command now says in other words.

Runs the chapters as `nbdev_test` does, without slow cells. Numbers count until a network is trained on the spot: these
differ between processors, like times.
"""
import json
import os
import re
import sys
from pathlib import Path

os.environ |= {'IN_TEST': '1', 'MPLBACKEND': 'agg', 'TQDM_DISABLE': '1'}
from execnb.shell import CaptureShell
from nbdev.process import NBProcessor

NOTEBOOKS = Path(__file__).resolve().parents[1] / 'nbs'
CHAPTERS = ['35_photographs.ipynb']


def is_skipped(cell) -> bool:
    "Does `nbdev_test` leave out this cell?"
    directives = getattr(cell, 'directives_', None) or {}
    return (cell.cell_type != 'code' or 'nbdev_export(' in cell.source or directives.get('eval:') == ['false']
            or bool({'slow', 'gpu', 'notest'} & directives.keys()))


def text_of(outputs: list[dict]) -> str | None:
    "What a cell printed or showed as text; None if there is a picture."
    data = [output.get('data', {}) for output in outputs]
    if any('image/png' in kinds for kinds in data): return None
    return ''.join(''.join(output.get('text') or kinds.get('text/markdown') or kinds.get('text/plain', ''))
                   for output, kinds in zip(outputs, data)).strip()


def refresh(path: Path) -> list[str]:
    "Run a chapter, and store new outputs where the text has changed. Returns the ids of those cells."
    stored, ran, shell = json.loads(path.read_text()), NBProcessor(path, process=True).nb, CaptureShell(path)
    os.chdir(path.parent)
    shell.run_all(ran, exc_stop=True, preproc=is_skipped)
    exact, changed = True, []
    for cell, now in zip(stored['cells'], ran.cells, strict=True):
        if is_skipped(now): continue
        exact = exact and 'modified-resnet train' not in now.source
        seen = lambda text: text and re.sub(r'\s+', ' ', text if exact else re.sub(r'[\d.,]+', '0', text))
        before, after = text_of(cell['outputs']), text_of(json.loads(json.dumps(now.outputs)))
        if None in (before, after) or seen(before) == seen(after): continue
        cell['outputs'] = json.loads(json.dumps(now.outputs))
        changed.append(cell['id'])
    if changed: path.write_text(json.dumps(stored, indent=1, ensure_ascii=False, sort_keys=True) + '\n')
    return changed


def main():
    for path in [NOTEBOOKS / name for name in sys.argv[1:] or CHAPTERS]:
        for cell in refresh(path): print(f'{path.name}: the outputs of cell {cell} are new')


if __name__ == '__main__': main()
