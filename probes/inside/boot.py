"""Entry of the child: `python boot.py SPEC.json -- [-m MODULE | SCRIPT] ARGS...`.

Sets the inside probes up, then becomes the target: the same `sys.argv`, `sys.path[0]` and `__main__` that
`python SCRIPT` or `python -m MODULE` would have given it.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys

PACKAGE = "_inquest_inside"  # private, so that no module of the target can be shadowed


def _load_package() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.spec_from_file_location(
        PACKAGE, os.path.join(here, "__init__.py"), submodule_search_locations=[here]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    _load_package()
    importlib.import_module(PACKAGE + ".session").main(sys.argv[1:])
