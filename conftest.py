"""What pytest cannot import where an optional package is missing: modules whose classes are made of it."""

from importlib.util import find_spec

MADE_OF = {
    "torch": ["src/depthsep/learning/dataset.py", "src/depthsep/learning/torch_model.py"],
    "sklearn": ["src/depthsep/learning/estimator.py"],
}

collect_ignore = [path for package, paths in MADE_OF.items() if find_spec(package) is None for path in paths]
