#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Proves the architecture: includes go one way, the core is pure, every source file says its licence and keeps the layout.

usage: test_arch.py SOURCE-DIR CC CHECK, with CHECK one of includes, purity, layout, size, tour, links
       test_arch.py SOURCE-DIR BUILD-DIR tidy
"""
from concurrent.futures import ThreadPoolExecutor
import fnmatch
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

LAYERS = ["crypto", "protocol", "evolution", "node", "node/io", "node/cli"]
PURE = LAYERS[:4]
SOURCE_FOLDERS = LAYERS + ["proposers", "tests", "deploy"]
LIMIT_FILE_LINES = 600
LIMIT_FUNCTION_LINES = 70


def sources(root, folder, endings, deep=False):
    for path, _, names in os.walk(os.path.join(root, folder)):
        for name in sorted(names):
            if name.endswith(endings):
                yield os.path.relpath(os.path.join(path, name), root)
        if not deep:
            break


def includes(root, _):
    """An include names a layer that is not above the file's own."""
    wrong = []
    for rank, layer in enumerate(LAYERS):
        for path in sources(root, layer, (".c", ".h", ".def")):
            if path == "node/main.c":
                continue
            with open(os.path.join(root, path), encoding="utf-8") as file:
                for number, line in enumerate(file, 1):
                    found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
                    if not found:
                        continue
                    folder = os.path.dirname(found[1])
                    if folder not in LAYERS or LAYERS.index(folder) > rank:
                        wrong.append(f"{path}:{number}: includes {found[1]}, which is not at or below {layer}")
    return wrong


def allowed(root, layer):
    names = set()
    with open(os.path.join(root, "tests/arch/imports.txt"), encoding="utf-8") as file:
        for line in file:
            if line.startswith("#") or not line.strip():
                continue
            folder, symbol, reason = line.split(None, 2)
            assert reason.strip(), line
            if PURE.index(folder) <= PURE.index(layer):
                names.add(symbol)
    return names


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def compile_pure(root, compiler, scratch):
    """Release objects of the pure folders: {layer: [(path, object)]}."""
    flags = run("pkg-config", "--cflags", "libsodium", "yaml-0.1", "jansson").split()
    objects, running = {}, []
    for layer in PURE:
        objects[layer] = []
        for path in sources(root, layer, ".c"):
            if path == "node/main.c":
                continue
            target = os.path.join(scratch, path.replace("/", "_") + ".o")
            running.append(subprocess.Popen([compiler, "-std=c11", "-O2", "-ffp-contract=off", "-I" + root, *flags,
                                             "-c", os.path.join(root, path), "-o", target]))
            objects[layer].append((path, target))
            if len(running) >= 2:
                assert running.pop(0).wait() == 0
    assert all(process.wait() == 0 for process in running)
    return objects


def purity(root, compiler):
    """Nothing is imported but what imports.txt allows with a reason; nothing can be written but arguments."""
    wrong, defined, used = [], set(), []
    with tempfile.TemporaryDirectory() as scratch:
        for layer, files in compile_pure(root, compiler, scratch).items():
            for path, target in files:
                for line in run("nm", target).splitlines():
                    parts = line.split()
                    if parts[-2] == "U":
                        used.append((layer, path, parts[-1]))
                    elif parts[-2] in "TDRBVW":
                        defined.add(parts[-1])
                for line in run("objdump", "-t", target).splitlines():
                    parts = line.split()
                    if len(parts) >= 4 and re.match(r"\.(data|bss|tdata|tbss)($|\.(?!rel\.ro))", parts[-3]) \
                            and not parts[-1].startswith("."):
                        wrong.append(f"{path}: {parts[-1]} is writable (section {parts[-3]})")
    for layer, path, symbol in used:
        names = allowed(root, layer)
        if symbol not in defined and symbol not in names and symbol != "_GLOBAL_OFFSET_TABLE_" \
                and not any(name.endswith("*") and symbol.startswith(name[:-1]) for name in names):
            wrong.append(f"{path}: imports {symbol}, which tests/arch/imports.txt does not allow in {layer}")
    return wrong


def layout(root, _):
    """clang-format agrees, and each source file names its licence."""
    files = [path for folder in SOURCE_FOLDERS for path in sources(root, folder, (".c", ".h"), deep=True)
             if not path.startswith(("node/io/../",)) and "/agents/" not in path]
    files = sorted(set(files))
    wrong = []
    for path in files:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            if "SPDX-License-Identifier: MPL-2.0" not in file.readline():
                wrong.append(f"{path}:1: found no SPDX line, expected MPL-2.0")
    for path in files:
        if subprocess.run(["clang-format", "--dry-run", "-Werror", path], cwd=root, stderr=subprocess.DEVNULL,
                          check=False).returncode:
            wrong.append(f"{path}: clang-format would lay it out otherwise (clang-format -i {path})")
    return wrong


def size(root, _):
    """No file is longer than 600 lines, no function than 70, in tests neither."""
    wrong = []
    folders = [(layer, False) for layer in LAYERS + ["proposers"]] + [("tests", True)]
    for folder, deep in folders:
        for path in sources(root, folder, (".c", ".h"), deep):
            with open(os.path.join(root, path), encoding="utf-8") as file:
                lines = file.read().splitlines()
            if len(lines) > LIMIT_FILE_LINES:
                wrong.append(f"{path}: {len(lines)} lines, at most {LIMIT_FILE_LINES}")
            start = None
            for number, line in enumerate(lines, 1):
                if line == "{":
                    start = number
                elif line == "}" and start is not None:
                    if number - start + 1 > LIMIT_FUNCTION_LINES:
                        wrong.append(f"{path}:{start}: a function of {number - start + 1} lines, "
                                     f"at most {LIMIT_FUNCTION_LINES}")
                    start = None
    return wrong


def tour(root, _):
    """docs/ARCHITECTURE.md says what each source file does, and names none that isn't there."""
    with open(os.path.join(root, "docs/ARCHITECTURE.md"), encoding="utf-8") as file:
        lines = file.read().partition("<!-- files:begin -->")[2].partition("<!-- files:end -->")[0].splitlines()
    told, folder = {}, None
    for line in lines:
        heading = re.fullmatch(r"\*\*`(.+)/`\*\*", line)
        if heading:
            folder = heading[1]
            told[folder] = []
        elif line.startswith("| `"):
            told[folder] += re.findall(r"`([^`]+)`", line.split("|")[1])
    wrong = []
    for folder in LAYERS + ["proposers"]:
        stems = {os.path.splitext(os.path.basename(path))[0] for path in sources(root, folder, (".c", ".h", ".def"))}
        patterns = told.get(folder, [])
        wrong += [f"docs/ARCHITECTURE.md: {folder}/{stem} is not in \"Which file does what\"" for stem in sorted(stems)
                  if not any(fnmatch.fnmatchcase(stem, pattern) for pattern in patterns)]
        wrong += [f"docs/ARCHITECTURE.md: {folder}/{pattern} names no file" for pattern in patterns
                  if not fnmatch.filter(stems, pattern)]
    return wrong


def anchors(text):
    """The names under which a page's headings can be linked to."""
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"(?m)^#+ (.*)$", text)}


def links(root, _):
    """What the documentation links to is there, and so is each source that it names."""
    pages = {}
    for path in ["README.md", *sources(root, "docs", ".md", deep=True)]:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            pages[path] = re.sub(r"(?ms)^```.*?^```", "", file.read())
    wrong = []
    for page, text in pages.items():
        for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
            path, _, anchor = link.partition("#")
            target = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
            if not os.path.exists(os.path.join(root, target)) or (anchor and anchor not in anchors(pages.get(target, ""))):
                wrong.append(f"{page}: links to {link}, which is not there")
        for path in re.findall(r"`((?:" + "|".join([*SOURCE_FOLDERS, "docs"]) + r")/[\w./*-]+)`", text):
            if not glob.glob(os.path.join(root, path)):
                wrong.append(f"{page}: names {path}, which is not there")
    return wrong


def tidy(root, build):
    """clang-tidy finds nothing (.clang-tidy), in any source that a target compiles; and every source is one."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        compiled = {os.path.realpath(entry["file"]) for entry in json.load(file)}
    paths = [path for folder in LAYERS + ["proposers"] for path in sources(root, folder, ".c")]
    wrong = [f"{path}: no target compiles it" for path in paths
             if os.path.realpath(os.path.join(root, path)) not in compiled]

    def check(some):
        # The commands are gcc's: clang knows neither all of its warnings, nor are its own errors here.
        command = ["clang-tidy", "-p", build, "--quiet", "--extra-arg=-Wno-unknown-warning-option",
                   "--extra-arg=-Wno-error", *some]
        done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
        found = re.findall(r"^.*: (?:error|warning): .*$", done.stdout, re.MULTILINE)
        if done.returncode and not found:
            found = [f"clang-tidy ended with {done.returncode} for: {' '.join(some)}"]
        return found

    with ThreadPoolExecutor(max_workers=2) as pool:
        for found in pool.map(check, (paths[at:at + 8] for at in range(0, len(paths), 8))):
            wrong += found
    return sorted(set(wrong))


def main():
    root, tool, check = sys.argv[1:4]
    checks = {"includes": includes, "purity": purity, "layout": layout, "size": size, "tour": tour, "links": links, "tidy": tidy}
    wrong = checks[check](root, tool)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


sys.exit(main())
