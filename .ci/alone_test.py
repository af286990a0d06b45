"""Opens every chapter alone, as Colab does: in an empty folder, in a Python without the package, nbdev, or a network.

The first cell is the notebook's own. It clones the book from a copy of this folder, which git takes for GitHub; then come
the cells that import. `python .ci/alone_test.py 00_blocks` runs a chapter in full, without its slow cells.
"""
import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from unittest.mock import patch

from IPython.core.interactiveshell import InteractiveShell

import alone
from gpu_test import cells_of, has

GITHUB = 'https://github.com/modified-resnet/modified_resnet'
LEFT_OUT = shutil.ignore_patterns('.git', '.venv*', 'out', 'data', '_docs', '_proc', 'build', 'dist', '*.egg-info', '__pycache__')


def publish(folder: Path):
    "Make a repository of this folder's files, and have git take it for GitHub's."
    shutil.copytree(alone.ROOT, folder, symlinks=True, ignore=LEFT_OUT)
    git = ['git', '-c', 'user.name=test', '-c', 'user.email=test@example.org', '-C', folder]
    for words in (['init', '-q'], ['add', '-A'], ['commit', '-qm', 'the book']): subprocess.run([*git, *words], check=True)
    os.environ.update(GIT_CONFIG_COUNT='1', GIT_CONFIG_KEY_0=f'url.{folder.as_uri()}.insteadOf', GIT_CONFIG_VALUE_0=GITHUB)


def hide_package():
    "Let this process, and those that it starts, find neither the package nor nbdev."
    os.environ.pop('PYTHONPATH', None)
    books = [Path(path) for path in sys.path if (Path(path) / 'modified_resnet' / '__init__.py').exists()]
    sys.path[:] = [path for path in sys.path if Path(path) not in (alone.ROOT / '.ci', *books)]
    sys.meta_path[:] = [finder for finder in sys.meta_path if '__editable__' not in str(getattr(finder, '__module__', ''))]
    for name in [name for name in sys.modules if re.match(r'modified_resnet(\.|$)', name)]: del sys.modules[name]
    sys.modules['nbdev'] = None
    found = find_spec('modified_resnet')  # a clone beside it is a mere folder
    assert (found is None or found.origin is None) and find_spec('nbdev') is None, f'still found: {found}'


def imports_only(source: str) -> bool:
    try: return all(isinstance(statement, (ast.Import, ast.ImportFrom)) for statement in ast.parse(source).body)
    except SyntaxError: return False  # of IPython


def open_alone(path: Path, shell: InteractiveShell, in_full: bool):
    "Run a chapter's first cell in the working folder, and once more from there; then those that import, or all."
    hide_package()
    shell.reset(new_session=False)
    (_, first), *cells = cells_of(path)
    wanted = [source for _, source in cells
              if (not has(source, 'slow') and not has(source, 'gpu') if in_full else imports_only(source))]
    for source in [first, first, *wanted]:
        done = shell.run_cell(source)
        if not done.success: raise SystemExit(f'FAILED  {path.name}, opened alone, in:\n{source}')
    package = sys.modules.get('modified_resnet')
    assert package is None or Path(package.__file__).is_relative_to(Path.cwd().parent), f'{path.name} uses {package}'


def test_installation():
    "What is missing is installed, in one call, but for PyTorch; where nothing is, pip is not started."
    with patch.object(alone, 'version', side_effect=alone.PackageNotFoundError), patch('subprocess.run') as run: alone.main()
    (command,), _ = run.call_args
    assert 'torchsummary>=1.5.1' in command and 'fastcore' in command and run.call_count == 1, command
    assert not any(re.match('torch(vision)?($|>)|nbdev|jupyter', word) for word in command), command
    with patch('subprocess.run') as run: alone.main()
    assert not run.called, run.call_args


def main(*in_full: str):
    test_installation()
    chapters = [path for path in sorted((alone.ROOT / 'nbs').glob('*.ipynb')) if path.stem != 'index']
    firsts = {cells_of(path)[0][1] for path in chapters}
    assert len(firsts) == 1, f'the first cells of the chapters differ: {firsts}'
    with tempfile.TemporaryDirectory() as folder:
        publish(Path(folder) / 'published')
        shell = InteractiveShell()
        shell.history_manager.enabled = False
        try:
            for path in chapters:
                os.chdir(folder)
                open_alone(path, shell, path.stem in in_full)
        finally: os.chdir(alone.ROOT)
    print(f'{len(chapters)} chapters opened alone, {len(in_full)} of them run in full')


if __name__ == '__main__': main(*sys.argv[1:])
