# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Accuracy against density on the trained model, measured with the driver: a table and a picture.

    python models/recall/curve_all.py [--build build/release] [--samples 32]

Sweeps what prunes on each machine that is built, runs `sparsam compare` on held-out sequences (calibrated on as many others),
and writes curve.csv and curve.svg beside this script. What is kept differs by machine: pairs of query and key, or
weights; the picture says which.
"""

import argparse
import csv
import json
import math
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]

# Machine, what the kept share counts, colour, settings of each point. `kept` is the reported density, or computed
# from the settings.
SWEEPS = [
    ("sanger", "pairs, 4-bit threshold", "#0072b2",
     [{"threshold": t, "empty_row": "argmax"} for t in (1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 3e-2, 5e-2, 0.1, 0.2)]),
    ("spatten", "values of a row", "#d55e00",
     [{"token_prune": 0.0, "value_keep": k} for k in (1.0, 0.5, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01)]),
    ("sta", "weights, N:M", "#009e73",
     [{"n": n, "m": m} for n, m in ((7, 8), (6, 8), (5, 8), (4, 8), (3, 8), (2, 8), (1, 8))]),
]


def measure(driver, target, settings, samples):
    """The row of the comparison, or None where the machine refuses the setting."""
    data = HERE / "eval.npz"
    command = [driver, "compare", HERE / "model.onnx", "--targets", target, "--json", "--input", f"{data}@0:{samples}",
               "--calibrate", f"{data}@{samples}:{2 * samples}"]
    for name, value in settings.items():
        command += ["--set", f"{target}.{name}={value}"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    row = json.loads(done.stdout)["targets"][0]
    if "error" in row:
        print(f"{target} {settings}: {row['error']}")
        return None
    kept = settings["n"] / settings["m"] if "m" in settings else settings.get("value_keep", row["density"])
    return {"target": target, "settings": " ".join(f"{k}={v}" for k, v in settings.items()), "kept": round(kept, 5),
            "accuracy": round(row["accuracy"], 5), "same_answer": round(row["agreement"], 5), "cycles": row["cycles"]}


#===-- The picture ---------------------------------------------------------===#

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 62, 190, 24, 52
FONT = "font-family='Helvetica, Arial, sans-serif' font-size='13'"


def place(kept, accuracy, smallest):
    across = 1 - math.log(kept) / math.log(smallest)
    return LEFT + across * (WIDTH - LEFT - RIGHT), TOP + (1 - accuracy) * (HEIGHT - TOP - BOTTOM)


def text(x, y, words, colour="#333", anchor="start", more=""):
    return f"<text x='{x:.1f}' y='{y:.1f}' {FONT} fill='{colour}' text-anchor='{anchor}' {more}>{words}</text>"


def axes(smallest):
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for percent in (0, 20, 40, 60, 80, 100):
        y = place(1, percent / 100, smallest)[1]
        parts += [f"<line x1='{LEFT}' x2='{right}' y1='{y:.1f}' y2='{y:.1f}' stroke='#ddd'/>",
                  text(LEFT - 8, y + 4, f"{percent} %", anchor="end")]
    for share in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1):
        if share >= smallest:
            x = place(share, 0, smallest)[0]
            parts += [f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{bottom}' y2='{bottom + 5}' stroke='#333'/>",
                      text(x, bottom + 20, f"{100 * share:g} %", anchor="middle")]
    parts.append(f"<line x1='{LEFT}' x2='{right}' y1='{bottom}' y2='{bottom}' stroke='#333'/>")
    parts.append(text((LEFT + right) / 2, HEIGHT - 10, "kept (dense is 100 %)", anchor="middle"))
    parts.append(text(14, (TOP + bottom) / 2, "accuracy", anchor="middle",
                      more=f"transform='rotate(-90 14 {(TOP + bottom) / 2:.1f})'"))
    return parts


def picture(rows):
    smallest = min(0.01, *(row["kept"] for row in rows))
    parts = [f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' height='{HEIGHT}'>",
             "<title>Accuracy of the recall model against what each machine keeps</title>",
             f"<rect width='{WIDTH}' height='{HEIGHT}' fill='#fff'/>", *axes(smallest)]
    drawn = [sweep for sweep in SWEEPS if any(row["target"] == sweep[0] for row in rows)]
    for number, (target, kept, colour, _) in enumerate(drawn):
        points = sorted((row["kept"], row["accuracy"]) for row in rows if row["target"] == target)
        places = [place(*point, smallest) for point in points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f"<polyline points='{line}' fill='none' stroke='{colour}' stroke-width='2'/>")
        parts += [f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4' fill='{colour}'/>" for x, y in places]
        x, y = WIDTH - RIGHT + 22, TOP + 16 + 48 * number
        parts += [f"<line x1='{x}' x2='{x + 22}' y1='{y - 4}' y2='{y - 4}' stroke='{colour}' stroke-width='2'/>",
                  f"<circle cx='{x + 11}' cy='{y - 4}' r='4' fill='{colour}'/>",
                  text(x + 30, y, target, more="font-weight='bold'"), text(x + 30, y + 17, kept, "#555")]
    return "\n".join([*parts, "</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=REPOSITORY / "build/release")
    parser.add_argument("--samples", type=int, default=32)
    arguments = parser.parse_args()
    driver = arguments.build.resolve() / "bin/sparsam"
    listing = subprocess.run([str(driver), "targets", "--json"], capture_output=True, text=True, check=True).stdout
    built = {target["name"] for target in json.loads(listing)}
    rows = [measure(driver, target, settings, arguments.samples)
            for target, _, _, points in SWEEPS if target in built for settings in points]
    rows = [row for row in rows if row]
    with open(HERE / "curve.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    (HERE / "curve.svg").write_text(picture(rows), encoding="utf-8")
    for row in rows:
        print(f"{row['target']:<8} {row['settings']:<34} kept {100 * row['kept']:6.2f} %  accuracy {row['accuracy']:.4f}")


if __name__ == "__main__":
    main()
