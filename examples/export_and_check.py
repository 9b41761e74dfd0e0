"""Export a network to ONNX, compare the file with the proof document, and see a changed weight refused.

python examples/export_and_check.py      (needs the extra "export")
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import depthsep as ds
from depthsep.decimals import upper_decimal
from depthsep.exports import onnx
from depthsep_check import check_model


def main() -> None:
    network = ds.build("abs(r - 1/2)", dim=10, eps="0.1", depth=3)
    with TemporaryDirectory() as folder:
        document, model = Path(folder) / "shell.json", Path(folder) / "shell.onnx"
        network.save(document)
        exported = onnx.write(network, model)
        print(f"{exported.parameters} weights and biases written")
        rounding = upper_decimal(exported.rounding_error_upper, 2)
        print(f"a float64 run of the file is within {rounding} of the exact network")

        print(ds.check(document).line)
        print(check_model(document, model).line)

        changed = onnx.to_onnx(network)
        raw = bytearray(changed.graph.initializer[0].raw_data)
        raw[0] ^= 1  # the last bit of the first weight
        changed.graph.initializer[0].raw_data = bytes(raw)
        model.write_bytes(changed.SerializeToString())
        print(check_model(document, model).line)


if __name__ == "__main__":
    main()
