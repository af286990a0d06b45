"""The project's tests: package and notebooks in step, notebooks clean, README fresh, every notebook passes, the site and the package are sound.

The notebooks are tested by `nbdev_test --flags slow`. Ends with one line 'N passed, M failed' that counts notebooks, the site,
the package and the opening of chapters alone; exit code 1 if anything failed.
A notebook that is out of step, or not clean, counts as failed.
"""
import filecmp
import importlib.util
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
# nbdev_test has a process for every core, so that one thread is enough for each
ENVIRONMENT = {'MPLBACKEND': 'agg', 'TQDM_DISABLE': '1'} | ({'OMP_NUM_THREADS': '1'} if (os.cpu_count() or 1) > 1 else {})
NEEDS = {'23_kernels.ipynb': 'triton'}  # what a notebook needs that PyTorch does not bring to every system
README_STEP = """from pathlib import Path; from nbdev.quarto import nbdev_readme
Path('nbs/index.ipynb').touch()
nbdev_readme.__wrapped__(chk_time=True)"""
CHECKS = {  # commands that must change nothing
    'out of step: nbdev_export changes': [BIN / 'nbdev_export'], 'not clean: nbdev_clean changes': [BIN / 'nbdev_clean'],
    'nbdev_update changes': [BIN / 'nbdev_update'], 'stale: .ci/readme.py changes': [sys.executable, '.ci/readme.py'],
    'nbdev_prepare and nbdev_docs change': [sys.executable, '-c', README_STEP],
    'stale: .ci/outputs.py changes': [sys.executable, '.ci/outputs.py']}
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


def left_by_hooks() -> list[str]:
    "What git sees after nbdev_install_hooks and nbdev_trust, in a copy and for a user who has called neither before."
    with tempfile.TemporaryDirectory() as folder:
        copy, home = Path(folder) / ROOT.name, Path(folder) / 'home'
        home.mkdir()
        shutil.copytree(ROOT, copy, symlinks=True, ignore=lambda _, names: SKIPPED & set(names))
        git, env = ['git', '-C', copy, '-c', 'user.name=test', '-c', 'user.email=test@example.org'], os.environ | {'HOME': str(home)}
        for words in (['init', '-q'], ['add', '-A'], ['commit', '-qm', 'all']): subprocess.run([*git, *words], check=True)
        for command in ('nbdev_install_hooks', 'nbdev_trust'):
            subprocess.run([BIN / command], cwd=copy, env=env, stdout=subprocess.DEVNULL, check=True)
        return subprocess.run([*git, 'status', '--porcelain'], capture_output=True, text=True).stdout.splitlines()


def run_notebooks(names: list[str], left_out: list[str]) -> list[dict]:
    "`nbdev_test` with every cell, slow ones too; `gpu` ones where there is a GPU. Prints what it says; 'name' and 'good' of each."
    import torch
    command = [BIN / 'nbdev_test', '--flags', 'slow gpu' if torch.cuda.is_available() else 'slow', '--do_print']
    if left_out: command += ['--skip_file_re', '^[_.]|' + '|'.join(left_out)]
    said = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout:
            print(line, end='', flush=True)
            said.append(line)
    named = set(names) & set(''.join(said).partition('nbdev Tests Failed')[2].split())
    failed = (named or set(names)) if process.returncode else set()  # all, if it ended before it could say which
    return [dict(name=name, good=name not in failed) for name in names]


def run_site() -> dict:
    "Build the site, with Quarto if there is one, and look at it in a browser."
    workflows = [BIN / 'check-jsonschema', '--builtin-schema', 'vendor.github-workflows', *sorted((ROOT / '.github' / 'workflows').glob('*.yml'))]
    return run('site', workflows, [sys.executable, '.ci/docs.py'], [sys.executable, '.ci/site_test.py'])


def run_alone() -> dict:
    "Open every chapter alone, as Colab does; one of them is run in full."
    return run('chapters opened alone', [sys.executable, '.ci/alone_test.py', '01_blocks'])


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
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        hooks = pool.submit(left_by_hooks)
        changes = list(pool.map(lambda command: changed_by(*map(str, command)), CHECKS.values()))
    for what, names in [*zip(CHECKS, changes), ('nbdev_install_hooks and nbdev_trust leave', hooks.result())]:
        for name in names:
            print(f'FAILED  {what} {name}')
            broken += 1
    missing = {name: package for name, package in NEEDS.items() if importlib.util.find_spec(package) is None}
    notebooks = sorted(path.name for path in (ROOT / 'nbs').rglob('*.ipynb') if path.name not in missing)
    with ThreadPoolExecutor(1) as pool:  # beside the notebooks
        others = [pool.submit(job) for job in (run_site, run_package, run_alone)]
        results = run_notebooks(notebooks, [*missing])
        results += [report(other.result()) for other in others]
    print(f'{time.perf_counter() - start:.0f} seconds')
    for name, package in missing.items(): print(f'left out: {name}, since {package} is not installed')
    if 'CIFAR10' not in os.environ: print('left out: cells that want the images of CIFAR-10, since CIFAR10 names no folder of them')
    passed = sum(job['good'] for job in results)
    failed = len(results) - passed + broken
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not results else 0


if __name__ == '__main__':
    sys.exit(main())
