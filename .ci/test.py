"""The project's tests: package and notebooks in step, notebooks clean, README fresh, every notebook passes, the site and the package are sound.

Ends with one line 'N passed, M failed' that counts notebooks, the site and the package; exit code 1 if anything failed.
A notebook that is out of step, or not clean, counts as failed.
"""
import filecmp
import importlib.util
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
WORKERS = min(os.cpu_count() or 1, 8)  # jobs at a time, each on one thread where there are several
ENVIRONMENT = {'MPLBACKEND': 'agg', 'TQDM_DISABLE': '1'} | ({'OMP_NUM_THREADS': '1'} if WORKERS > 1 else {})
FORKS = multiprocessing.get_context('forkserver')  # a notebook's process begins with the imports that all of them share
SHARED_IMPORTS = ['nbdev.test', 'torch', 'sklearn.datasets', 'matplotlib.pyplot']  # torchvision would import Triton too soon
LONGEST = ('03e_resume.ipynb', '06_cli.ipynb', '06a_distributed.ipynb')  # begun first, after the site
NEEDS = {'02e_kernels.ipynb': 'triton'}  # what a notebook needs that PyTorch does not bring to every system
CHECKS = {  # commands that must change nothing
    'out of step: nbdev_export changes': [BIN / 'nbdev_export'], 'not clean: nbdev_clean changes': [BIN / 'nbdev_clean'],
    'stale: .ci/readme.py changes': [sys.executable, '.ci/readme.py']}
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


def run(name: str, *commands: list) -> dict:
    "Run commands until one fails: 'name', 'good', 'seconds', 'said' (what the last one printed)."
    start = time.perf_counter()
    for command in commands:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode: break
    return dict(name=name, good=done.returncode == 0, seconds=time.perf_counter() - start, said=done.stdout[-6000:] + done.stderr[-8000:])


def test_notebook(path: Path, said: Path):
    "In a process of its own: `nbdev_test` with every cell, slow ones too; `gpu` ones where there is a GPU."
    with open(said, 'wb') as file:
        for stream in (1, 2): os.dup2(file.fileno(), stream)
    os.chdir(ROOT)
    import torch
    from nbdev.test import nbdev_test
    nbdev_test(path=str(path), flags='slow gpu' if torch.cuda.is_available() else 'slow', n_workers=0)


def run_notebook(path: Path) -> dict:
    "Test a notebook; the same dictionary as `run`."
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / 'said.txt'
        process = FORKS.Process(target=test_notebook, args=(path, said))
        process.start()
        process.join()
        printed = said.read_text(errors='replace') if said.exists() else ''
    return dict(name=path.name, good=process.exitcode == 0, seconds=time.perf_counter() - start, said=printed[-14000:] or f'(ended with exit code {process.exitcode})')


def run_site() -> dict:
    "Build the site and look at it in a browser; where Quarto is, both ways of building must give the same pages."
    script, look = [sys.executable, '.ci/docs.py'], [sys.executable, '.ci/site_test.py']
    workflows = [BIN / 'check-jsonschema', '--builtin-schema', 'vendor.github-workflows', *sorted((ROOT / '.github' / 'workflows').glob('*.yml'))]
    if not shutil.which('quarto'): return run('site', workflows, script, [sys.executable, '.ci/pandoc_test.py'], look)
    first = run('site', workflows, script)
    pages = sorted(path.name for path in (ROOT / '_docs').glob('*.html'))
    second = run('site', [*script, '--without-quarto'], look)
    same_pages = pages == sorted(path.name for path in (ROOT / '_docs').glob('*.html'))
    return dict(second, good=first['good'] and second['good'] and same_pages, seconds=first['seconds'] + second['seconds'],
                said=first['said'] + second['said'] + ('' if same_pages else f'Quarto makes other pages: {pages}'))


def run_package() -> dict:
    "Build sdist and wheel and use what they install, as a user and a type checker do."
    return run('package', [sys.executable, '.ci/package_test.py'])


def report(job: dict) -> dict:
    "Print how a job went, and what it said if it failed."
    last = f'  {job["said"].strip().splitlines()[-1]}' if job['name'] in ('site', 'package') and job['said'].strip() else ''
    print(f'{"passed" if job["good"] else "FAILED":6}  {job["name"]}  {job["seconds"]:.0f} s{last}', flush=True)
    if not job['good']: print(job['said'])
    return job


def main() -> int:
    start, broken = time.perf_counter(), 0
    os.environ.update(ENVIRONMENT)
    FORKS.set_forkserver_preload(SHARED_IMPORTS)
    with ThreadPoolExecutor(WORKERS) as pool: changes = pool.map(lambda command: changed_by(*map(str, command)), CHECKS.values())
    for what, names in zip(CHECKS, changes):
        for name in names:
            print(f'FAILED  {what} {name}')
            broken += 1
    missing = {name: package for name, package in NEEDS.items() if importlib.util.find_spec(package) is None}
    notebooks = sorted((path for path in (ROOT / 'nbs').glob('*.ipynb') if path.name not in missing),
                       key=lambda path: (path.name not in LONGEST, path.name))
    jobs = [run_site, run_package, *(lambda path=path: run_notebook(path) for path in notebooks)]
    with ThreadPoolExecutor(WORKERS) as pool: results = list(pool.map(lambda job: report(job()), jobs))
    slowest = sorted(results, key=lambda job: -job['seconds'])[:5]
    print(f'{time.perf_counter() - start:.0f} seconds; the slowest: ' + ', '.join(f'{job["name"]} {job["seconds"]:.0f} s' for job in slowest))
    for name, package in missing.items(): print(f'left out: {name}, since {package} is not installed')
    if 'CIFAR10' not in os.environ: print('left out: cells that want the images of CIFAR-10, since CIFAR10 names no folder of them')
    passed = sum(job['good'] for job in results)
    failed = len(results) - passed + broken
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not results else 0


if __name__ == '__main__':
    sys.exit(main())
