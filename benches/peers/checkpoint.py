"""Rebuilds the model of a checkpoint in PyTorch and applies it to a table.

Usage: python benches/peers/checkpoint.py CHECKPOINT TABLE > logits.csv   (needs torch, safetensors; pandas for Parquet)

The checkpoint is one safetensors file: tensors by the names of the modules in patchtst.py, and in its metadata under
`allometry` a JSON document with the architecture, the features and how they were scaled. Writes the number of each
window's last row in the file and the model's output before the sigmoid, in time order.
"""

import csv
import json
import sys

import torch
from patchtst import Classifier
from safetensors import safe_open


def load(path):
    """The model and its description."""
    with safe_open(path, framework="pt") as file:
        description = json.loads(file.metadata()["allometry"])
        tensors = {name: file.get_tensor(name) for name in file.keys() if not name.startswith("training.")}
    model = Classifier.from_description(description)
    model.load_state_dict(tensors)
    return model.eval(), description


def rows(path, description):
    """The values (rows, features) in time order, scaled as in training, and the numbers of the rows."""
    data = description["data"]
    if path.endswith(".parquet"):
        import pandas

        table = pandas.read_parquet(path).to_dict("list")
    else:
        with open(path, newline="") as file:
            records = list(csv.DictReader(file))
        table = {name: [record[name] for record in records] for name in records[0]}
    time = data["preparation"]["time"]
    numbers = range(len(table[data["features"][0]]))
    order = sorted(numbers, key=lambda row: table[time][row]) if time else list(numbers)
    columns = []
    for i, name in enumerate(data["features"]):
        column = torch.tensor([float(table[name][row]) for row in order], dtype=torch.float32)
        if data["preparation"]["scaling"]:
            mean, deviation = data["preparation"]["scaling"][i]
            column = ((column.double() - mean) / deviation).float()
        columns.append(column)
    return torch.stack(columns, 1), order


def main():
    model, description = load(sys.argv[1])
    values, numbers = rows(sys.argv[2], description)
    context = description["model"]["context"]
    windows = values.unfold(0, context, 1).transpose(1, 2)
    with torch.no_grad():
        logits = torch.cat([model(batch) for batch in windows.split(256)])
    print("row,logit")
    for row, logit in zip(numbers[context - 1 :], logits.tolist()):
        print(f"{row},{logit!r}")


if __name__ == "__main__":
    main()
