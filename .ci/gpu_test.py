"""Runs notebooks where there is a GPU but perhaps no nbdev and no Jupyter: the code cells in order, `#| gpu` ones too.

python .ci/gpu_test.py [NOTEBOOK ...]     the notebooks that have `#| gpu` cells, if none is named
    --without-gpu                         leave the `#| gpu` cells out, to try the rest on a machine without one

Cells are run by `exec`. Left out are slow cells, and those with `#| eval: false`, with IPython's magics, or that import
nbdev. Where fastcore is missing, a stand-in has what the notebooks use of it. Without a GPU it says so, which is no failure.
"""
import argparse
import contextlib
import json
import linecache
import os
import re
import sys
import time
import traceback
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def cells_of(path: Path) -> list[tuple[int, str]]:
    "Number and source of each code cell of a notebook."
    cells = json.loads(path.read_text(encoding='utf-8'))['cells']
    return [(i, ''.join(cell['source'])) for i, cell in enumerate(cells) if cell['cell_type'] == 'code']


def has(source: str, directive: str) -> bool:
    "Does a cell carry a directive, as in `#| gpu`?"
    return re.search(rf'^#\|\s*{directive}\s*$', source, re.MULTILINE) is not None


def is_left_out(source: str, with_gpu: bool) -> bool:
    "Is a cell none of ours?"
    return (has(source, 'eval: *false') or has(source, 'slow') or has(source, 'gpu') and not with_gpu
            or re.search(r'^\s*[!%]|^\s*(import|from) nbdev', source, re.MULTILINE) is not None)


def stand_in_for_fastcore():
    "Put what the notebooks use of fastcore.test where an import finds it, unless fastcore is there."
    with contextlib.suppress(ImportError):
        import fastcore.test
        return

    @contextlib.contextmanager
    def expect_fail(kind=Exception, contains='', regex=''):
        try: yield
        except kind as error:
            if contains not in str(error) or not re.search(regex, str(error)):
                raise AssertionError(f'{error!r} does not say {contains or regex!r}') from error
        else: raise AssertionError(f'{kind} expected')

    fastcore, test = types.ModuleType('fastcore'), types.ModuleType('fastcore.test')
    test.expect_fail = expect_fail
    fastcore.test = test
    sys.modules.update({'fastcore': fastcore, 'fastcore.test': test})


def run_notebook(path: Path, with_gpu: bool) -> bool:
    "Run a notebook's cells in one namespace, from its own folder. False, and where and why, if one fails."
    module = types.ModuleType('__main__')
    module.__dict__['display'] = print
    main, sys.modules['__main__'] = sys.modules['__main__'], module
    start, done, here, number, source = time.perf_counter(), 0, os.getcwd(), -1, ''
    os.chdir(path.parent)
    try:
        for number, source in cells_of(path):
            if is_left_out(source, with_gpu): continue
            if has(source, 'gpu'): print(f'{path.name}, cell {number}', flush=True)
            name = f'{path.name}, cell {number}'
            linecache.cache[name] = len(source), None, source.splitlines(True), name  # Triton reads a kernel's source
            exec(compile(source, name, 'exec'), module.__dict__)
            done += 1
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt): raise
        traceback.print_exc()
        print('\n'.join(f'{n:4}  {line}' for n, line in enumerate(source.splitlines(), 1)))
        print(f'FAILED  {path.name}, cell {number}', flush=True)
        return False
    finally:
        os.chdir(here)
        sys.modules['__main__'] = main
    print(f'passed  {path.name}: {done} cells in {time.perf_counter() - start:.0f} s', flush=True)
    return True


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument('notebooks', nargs='*', type=Path)
    words.add_argument('--without-gpu', action='store_true')
    args = words.parse_args()
    try: import torch
    except ImportError:
        print('there is no PyTorch here: nothing is tested. Name a Python that has it: make test-gpu PYTHON=...')
        return 0
    if not torch.cuda.is_available() and not args.without_gpu:
        print(f'torch {torch.__version__} sees no GPU here: nothing is tested')
        return 0
    os.environ.setdefault('MPLBACKEND', 'agg')
    os.environ.setdefault('TQDM_DISABLE', '1')
    # processes that a notebook starts find the package, too
    os.environ['PYTHONPATH'] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get('PYTHONPATH')]))
    sys.path.insert(0, str(ROOT))
    stand_in_for_fastcore()
    notebooks = args.notebooks or [path for path in sorted((ROOT / 'nbs').rglob('*.ipynb'))
                                   if any(has(source, 'gpu') for _, source in cells_of(path))]
    good = [run_notebook(path.resolve(), not args.without_gpu) for path in notebooks]
    print(f'{sum(good)} passed, {len(good) - sum(good)} failed')
    return 0 if all(good) else 1


if __name__ == '__main__':
    sys.exit(main())
