"""Entry of the child: `python boot.py SPEC.json -- [-m MODULE | -c CODE | SCRIPT] ARGS...`.

Sets the inside probes up, then becomes the target: the same `sys.argv`, `sys.path` and `__main__` that `python SCRIPT`
or `python -m MODULE` would have given it. What a target can still see, if it looks: more modules of the standard
library are loaded (never one that the target's own path shadows), the frames below its main program, a finder in
`sys.meta_path`, callbacks at exit, Python stand-ins for a few functions of `os`, `signal` and `threading`, and that
the fault handler is on.
"""

from __future__ import annotations

import os
import sys

PACKAGE = "_inquest_inside"  # private, so that no module of the target can be shadowed


def _library_only(path: list[str]) -> list[str]:
    """Return the standard library's own entries: nothing that the target could have put in front of them."""
    home = os.path.dirname(os.path.abspath(os.__file__))
    own = [home, os.path.join(home, "lib-dynload"), os.path.join(sys.base_exec_prefix, "DLLs")]
    if sys.platform == "win32":
        own.append(sys.base_exec_prefix)  # the embeddable distribution has its extension modules beside python.exe
    known = {os.path.normcase(entry) for entry in own}
    return [entry for entry in path if os.path.normcase(entry) in known or _is_library_zip(entry)]


def _is_library_zip(entry: str) -> bool:
    name = os.path.basename(entry)
    return name.startswith("python3") and name.endswith(".zip")


def _load_package() -> None:
    import importlib.util

    here = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.spec_from_file_location(
        PACKAGE, os.path.join(here, "__init__.py"), submodule_search_locations=[here]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)


def _main() -> None:
    before = {"path": list(sys.path), "modules": set(sys.modules), "cache": set(sys.path_importer_cache)}
    sys.path[:] = _library_only(sys.path) or sys.path
    _load_package()
    import importlib

    importlib.import_module(PACKAGE + ".observed_process").main(sys.argv[1:], before)


if __name__ == "__main__":
    _main()
