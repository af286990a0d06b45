"""The project's tests: package and notebooks in step, notebooks clean, README fresh, every notebook passes.

Ends with one line 'N passed, M failed' that counts notebooks; exit code 1 if anything failed.
A notebook that is out of step, or not clean, counts as failed.
"""
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
SKIPPED = {'.git', '.venv', 'out', 'data', '_docs', '_proc', '.carry', 'build', 'dist'}


def changed_by(*command: str) -> list[str]:
    "Files of the project that a command changes, makes or removes; it works on a copy."
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / ROOT.name
        shutil.copytree(ROOT, copy, symlinks=True, ignore=lambda _, names: SKIPPED & set(names))
        subprocess.run(command, cwd=copy, check=True, stdout=subprocess.DEVNULL)
        names = {p.relative_to(base) for base in (ROOT, copy) for part in ('nbs', 'modified_resnet', 'README.md')
                 for p in [base / part, *(base / part).rglob('*')] if p.is_file() and '__pycache__' not in p.parts and '.ipynb_checkpoints' not in p.parts}
        return sorted(str(n) for n in names if not same(ROOT / n, copy / n))


def same(a: Path, b: Path) -> bool:
    return a.exists() and b.exists() and filecmp.cmp(a, b, shallow=False)


def run_notebook(path: Path) -> bool:
    "Run every cell of a notebook, slow ones too; `gpu` ones where there is a GPU."
    command = [BIN / 'nbdev_test', '--path', path, '--flags', 'slow' + (' gpu' if has_gpu() else ''), '--n_workers', '1']
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, 'MPLBACKEND': 'agg', 'TQDM_DISABLE': '1'}, capture_output=True, text=True)
    print(f'{"passed" if done.returncode == 0 else "FAILED":6}  {path.name}  {time.perf_counter() - start:.0f} s', flush=True)
    if done.returncode: print(done.stdout[-2000:], done.stderr[-8000:], sep='\n')
    return done.returncode == 0


def has_gpu() -> bool:
    import torch
    return torch.cuda.is_available()


def main() -> int:
    start, broken = time.perf_counter(), 0
    for what, command in (('out of step: nbdev_export changes', [BIN / 'nbdev_export']), ('not clean: nbdev_clean changes', [BIN / 'nbdev_clean']),
                          ('stale: .ci/readme.py changes', [sys.executable, '.ci/readme.py'])):
        for name in changed_by(*map(str, command)):
            print(f'FAILED  {what} {name}')
            broken += 1
    notebooks = sorted((ROOT / 'nbs').glob('*.ipynb'))
    results = [run_notebook(path) for path in notebooks]
    failed = results.count(False) + broken
    print(f'{time.perf_counter() - start:.0f} seconds')
    print(f'{results.count(True)} passed, {failed} failed')
    return 1 if failed or not results else 0


if __name__ == '__main__':
    sys.exit(main())
