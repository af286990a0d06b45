"""The project's tests: package and notebooks in step, notebooks clean, README fresh, every notebook passes, the site is sound.

Ends with one line 'N passed, M failed' that counts notebooks and the site; exit code 1 if anything failed.
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
SKIPPED = {'.git', '.venv', '.venv-2.11', 'out', 'data', '_docs', '_proc', '.carry', 'build', 'dist'}


def changed_by(*command: str) -> list[str]:
    "Files of the project that a command changes, makes or removes; it works on a copy."
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / ROOT.name
        shutil.copytree(ROOT, copy, symlinks=True, ignore=lambda _, names: SKIPPED & set(names))
        done = subprocess.run(command, cwd=copy, stdout=subprocess.DEVNULL)
        if done.returncode: return [f'(it failed, exit code {done.returncode})']
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


def run_site() -> bool:
    "Build the site and look at it in a browser; where Quarto is, both ways of building must give the same pages."
    start, script = time.perf_counter(), [sys.executable, '.ci/docs.py']
    pages = []
    for command in ([*script], [*script, '--without-quarto']) if shutil.which('quarto') else ([*script],):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode: break
        pages.append(sorted(path.name for path in (ROOT / '_docs').glob('*.html')))
    else: done = subprocess.run([sys.executable, '.ci/site_test.py'], cwd=ROOT, capture_output=True, text=True)
    good = done.returncode == 0 and pages[0] == pages[-1]
    print(f'{"passed" if good else "FAILED":6}  site  {time.perf_counter() - start:.0f} s', done.stdout.strip().split('\n')[-1], sep='  ', flush=True)
    if not good: print(done.stdout[-6000:], done.stderr[-4000:], *pages, sep='\n')
    return good


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
    results = [*map(run_notebook, notebooks), run_site()]
    failed = results.count(False) + broken
    print(f'{time.perf_counter() - start:.0f} seconds')
    if 'CIFAR10_JPEG' not in os.environ: print('left out: cells that want the images of CIFAR-10, since CIFAR10_JPEG names no folder of them')
    print(f'{results.count(True)} passed, {failed} failed')
    return 1 if failed or not results else 0


if __name__ == '__main__':
    sys.exit(main())
