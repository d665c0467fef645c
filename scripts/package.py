"""`make package`: the zip that the functions run, for one runtime and processor.

    python -m scripts.package --python 3.13 --arch arm64
    python -m scripts.package --local          # for the embedded AWS, by this interpreter

Locked dependencies and the sources, without tests, type stubs and what the runtime has itself; each
module with bytecode that the runtime takes. Bytecode is made by an interpreter of the runtime's own
version: python3.13 in PATH, one of pyenv's, or the one that PY_BIN names.
"""

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.processes import say

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements" / "runtime.txt"
SOURCES = ROOT / "src" / "graphql_api"
BUILD = ROOT / "build"
UV = ROOT / ".tools" / "lock" / "bin" / "uv"

MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
# What the first bytes of bytecode say, by version of Python (Lib/importlib/_bootstrap_external.py).
MAGIC = {
    "3.11": (3495).to_bytes(2, "little") + b"\r\n",
    "3.12": (3531).to_bytes(2, "little") + b"\r\n",
    "3.13": (3571).to_bytes(2, "little") + b"\r\n",
}
IN_THE_RUNTIME = frozenset({"boto3", "botocore", "s3transfer", "urllib3"})
_UNNEEDED_FOLDERS = frozenset({"tests", "test", "bin", "__pycache__"})
_UNNEEDED_FILES = frozenset({".pyi", ".pyx", ".pxd", ".c", ".h", ".typed"})
_KEPT_OF_METADATA = frozenset({"METADATA", "entry_points.txt"})
# The embedded AWS unzips the package for each function, and has no botocore: these it needs.
_ASKED_SERVICES = frozenset({"dynamodb", "s3", "secretsmanager", "sqs", "stepfunctions", "sts"})
_UNZIPPED_LIMIT = 250 * 2**20


class PackageError(RuntimeError):
    """The zip cannot be made or must not be deployed; the message says why."""


@dataclass(frozen=True, slots=True)
class Package:
    """A zip, what it is for, and the hash of what is in it."""

    file: Path
    python: str
    arch: str
    sha256: str
    zipped: int
    unzipped: int


def build(python: str, arch: str, *, local: bool = False) -> Package:
    """Make a zip anew. Equal contents make an equal file, so that its hash tells a change."""
    folder = BUILD / name_of(python, arch, local=local)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _install(folder, python, arch, local=local)
    shutil.copytree(SOURCES, folder / SOURCES.name)
    _slim(folder)
    for service in (folder / "botocore" / "data").glob("*/"):
        if service.name not in _ASKED_SERVICES:
            shutil.rmtree(service)
    _compile(folder, _interpreter(python))
    if wrong := problems(folder, python):
        raise PackageError("\n".join(wrong[:20]))
    return _zip(folder, python, arch)


def name_of(python: str, arch: str, *, local: bool = False) -> str:
    """What a zip is called, without its ending."""
    return "local" if local else f"python{python}-{arch}"


def problems(folder: Path, python: str) -> list[str]:
    """What a runtime of this version would be slow with, or not take at all."""
    tag, magic = f"cpython-{python.replace('.', '')}", MAGIC[python]
    found = []
    for source in sorted(folder.rglob("*.py")):
        made = source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"
        at = source.relative_to(folder)
        if not made.exists():
            found.append(f"{at} has no bytecode of Python {python}")
        elif made.read_bytes()[:4] != magic:
            found.append(f"{at} has bytecode of another Python than {python}")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if size > _UNZIPPED_LIMIT:
        found.append(f"{size:,} bytes are more than Lambda unzips ({_UNZIPPED_LIMIT:,})")
    return found


def require_fit(file: Path, python: str) -> None:
    """Refuse a zip whose bytecode is not that of the runtime, read from the zip itself."""
    tag, magic = f".cpython-{python.replace('.', '')}.pyc", MAGIC.get(python)
    if magic is None:
        raise PackageError(f"There is no runtime python{python}: one of {', '.join(MAGIC)}")
    with zipfile.ZipFile(file) as zipped:
        names = set(zipped.namelist())
        sources = [name for name in names if name.endswith(".py")]
        for name in sources:
            folder, _, module = name.rpartition("/")
            made = f"{folder}/__pycache__/{module.removesuffix('.py')}{tag}".lstrip("/")
            if made not in names:
                text = f"{file.name}: {name} has no bytecode of Python {python}"
                raise PackageError(f"{text}; make it with `make package PY={python}`")
            with zipped.open(made) as bytecode:
                if bytecode.read(4) != magic:
                    raise PackageError(f"{file.name}: {made} is not bytecode of Python {python}")
    if not sources:
        raise PackageError(f"{file.name} has no modules in it")


def report(package: Package) -> str:
    """Sizes: the whole, and the largest parts."""
    parts: Counter[str] = Counter()
    with zipfile.ZipFile(package.file) as zipped:
        for entry in zipped.infolist():
            parts[entry.filename.partition("/")[0]] += entry.file_size
    shown = [f"{size / 2**20:6.1f} MB  {part}" for part, size in parts.most_common(8)]
    at = package.file.relative_to(ROOT) if package.file.is_relative_to(ROOT) else package.file
    head = (
        f"{at}: Python {package.python}, {package.arch}, "
        f"{package.zipped / 2**20:.1f} MB zipped, {package.unzipped / 2**20:.1f} MB unzipped, "
        f"sha256 {package.sha256[:12]}"
    )
    return "\n".join([head, *shown])


def requirements(*, local: bool) -> str:
    """The lock, without what the runtime has itself; the embedded AWS has none of it."""
    blocks = re.split(r"\n(?=[a-z0-9])", LOCK.read_text(encoding="utf-8"))
    if local:
        return "\n".join(blocks)
    return "\n".join(b for b in blocks if b.partition("==")[0] not in IN_THE_RUNTIME)


def _install(folder: Path, python: str, arch: str, *, local: bool) -> None:
    if not UV.exists():
        raise PackageError("uv is missing: `make package` installs it into .tools/lock")
    lock = _beside(folder, ".txt")
    lock.write_text(requirements(local=local), encoding="utf-8")
    target = ["--python", sys.executable]
    if not local:
        machine = f"{MACHINES[arch]}-manylinux_2_28"
        target = ["--python-version", python, "--python-platform", machine]
    command = [str(UV), "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    command += [*target, "--only-binary", ":all:", "--no-compile-bytecode"]
    done = subprocess.run(
        [*command, "--target", str(folder), "--requirement", str(lock)],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PackageError(f"The dependencies could not be installed.\n{done.stderr}")


def _slim(folder: Path) -> None:
    shutil.rmtree(folder / SOURCES.name / "graphiql" / "dist", ignore_errors=True)
    for path in sorted(folder.rglob("*"), reverse=True):
        of_metadata = path.parent.suffix == ".dist-info"
        if path.is_dir():
            if path.name in _UNNEEDED_FOLDERS or of_metadata:
                shutil.rmtree(path)
        elif path.suffix in _UNNEEDED_FILES or (of_metadata and path.name not in _KEPT_OF_METADATA):
            path.unlink()
    for left in (".lock", "CACHEDIR.TAG"):
        (folder / left).unlink(missing_ok=True)


def _interpreter(python: str) -> str:
    """An interpreter of exactly this version."""
    home = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = sorted(home.glob(f"{python}.*/bin/python"), reverse=True)
    candidates = (os.environ.get("PY_BIN"), sys.executable, f"python{python}", *map(str, found))
    for candidate in candidates:
        if candidate and _version_of(candidate) == python:
            return candidate
    raise PackageError(
        f"The bytecode of a runtime python{python} is made by a Python {python}, and there is none "
        f"here. Name one in PY_BIN, or choose the runtime that is here: "
        f"PY={sys.version_info.major}.{sys.version_info.minor}"
    )


def _version_of(interpreter: str) -> str | None:
    if shutil.which(interpreter) is None:
        return None
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    told = subprocess.run([interpreter, "-c", ask], capture_output=True, text=True, check=False)
    return told.stdout.strip() if told.returncode == 0 else None


def _compile(folder: Path, interpreter: str) -> None:
    # Hashed and never checked: a zip has no dates that mean anything, and its files do not change.
    command = [interpreter, "-m", "compileall", "-q", "-j", "0"]
    done = subprocess.run(
        [*command, "--invalidation-mode", "unchecked-hash", "-s", str(folder), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PackageError(f"Not everything compiles.\n{done.stdout[-2000:]}")


def _zip(folder: Path, python: str, arch: str) -> Package:
    file = _beside(folder, ".zip")
    content, size = hashlib.sha256(), 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as zipped:
        for path in _files(folder):
            data, name = path.read_bytes(), path.relative_to(folder).as_posix()
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            zipped.writestr(entry, data)
            content.update(f"{name}\0{len(data)}\0".encode() + data)
            size += len(data)
    made = Package(file, python, arch, content.hexdigest(), file.stat().st_size, size)
    about = {**asdict(made), "file": file.name}
    _beside(folder, ".json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return made


def _beside(folder: Path, ending: str) -> Path:
    return folder.with_name(folder.name + ending)


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def here() -> tuple[str, str]:
    """Version of Python and processor of this machine."""
    arch = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    return f"{sys.version_info.major}.{sys.version_info.minor}", arch


def main() -> int:
    """Make a zip and say what is in it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", default="3.13", choices=sorted(MAGIC))
    parser.add_argument("--arch", default="arm64", choices=sorted(MACHINES))
    parser.add_argument("--local", action="store_true", help="for the embedded AWS on this machine")
    given = parser.parse_args()
    python, arch = here() if given.local else (given.python, given.arch)
    try:
        print(report(build(python, arch, local=given.local)))
    except PackageError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
