"""Does the heat balance, with every departure off, follow JOS-3 under conditions drawn at random?

python benchmarks/body_against_jos3.py --peer PYTHON [--cases N] [--seed SEED]

PYTHON is an interpreter whose environment has jos3 0.5.0. Postures, ages, both sexes, classes of fat, humidity, wind,
pressure at sea level, clothing by segment, activity and the air at the neck are drawn; each case settles for two hours
and then lives through two changes, an hour each, minute by minute. Prints the largest deviations.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys

import numpy as np

from unaji.body import heat
from unaji.body.anatomy import COMPAT, Corrections
from unaji.body.layout import N_SEGMENTS, SEGMENTS
from unaji.body.persons import Persons

MINUTES = (120, 60, 60)

PEER = r"""
import json, sys
import numpy as np
import jos3
for case in json.load(sys.stdin):
    body = case["body"]
    model = jos3.JOS3(height=body["height_m"], weight=body["weight_kg"], fat=body["fat_percent"], age=body["age_y"],
                      sex="female" if body["female"] else "male", ci=body["cardiac_index_l_min_m2"], ex_output="all")
    temps, rest = [list(model.bodytemp)], []
    for phase, minutes in zip(case["phases"], case["minutes"]):
        air, radiant = np.full(17, phase["air_temp_c"]), np.full(17, phase["radiant_temp_c"])
        if phase["neck_air_temp_c"] is not None:
            air[1] = radiant[1] = phase["neck_air_temp_c"]
        model.Ta, model.Tr, model.RH, model.Va = air, radiant, phase["humidity_percent"], phase["air_speed_m_s"]
        model.Icl, model.PAR, model.posture = phase["clothing_clo"], phase["par"], phase["posture"]
        for _ in range(minutes):
            model.simulate(1)
            temps.append(list(model.bodytemp))
            last = model._history[-1]
            rest.append([last["CO"], last["Met"], float(np.sum(last["Mshiv"])), float(np.sum(last["Esk"])), last["RES"],
                         float(last["WetMean"])])
    print(json.dumps([temps, rest]), flush=True)
"""

REST = ("cardiac_output_l_h", "metabolic_w", "shivering_w", "evaporative_w", "respiratory_w", "wettedness")


def drawn_case(rng: np.random.Generator) -> dict[str, object]:
    """Invent a person and three phases."""
    body = {
        "height_m": rng.uniform(1.45, 1.95),
        "weight_kg": rng.uniform(42, 115),
        "fat_percent": float(rng.choice([10, 14.9, 15, 20, 22.5, 25, 27.5, 35])),
        "age_y": float(rng.integers(18, 90)),
        "female": bool(rng.random() < 0.5),
        "cardiac_index_l_min_m2": rng.uniform(2.2, 3.2),
    }
    return {"body": body, "minutes": MINUTES, "phases": [drawn_phase(rng) for _ in MINUTES]}


def drawn_phase(rng: np.random.Generator) -> dict[str, object]:
    """Invent surroundings in which vapour flows from the skin to the air, as JOS-3 needs it to."""
    air = rng.uniform(8, 38)
    return {
        "air_temp_c": air,
        "radiant_temp_c": air + rng.uniform(-4, 6),
        "neck_air_temp_c": rng.uniform(10, 38) if rng.random() < 0.2 else None,
        "humidity_percent": rng.uniform(10, 95 if air < 30 else 50),
        "air_speed_m_s": float(rng.choice([0.05, 0.1, 0.19, 0.2, 0.5, 1.5])),
        "par": rng.uniform(0.9, 4.0),
        "posture": int(rng.integers(0, 3)),
        "clothing_clo": (rng.random(N_SEGMENTS) * rng.choice([0, 0.6, 1.5])).tolist(),
    }


def ours(cases: list[dict], on: Corrections) -> tuple[np.ndarray, np.ndarray, heat.HeatModel]:
    """Run all cases in one batch; temperatures with the start and the rest, persons last."""
    bodies = {name: np.array([c["body"][name] for c in cases]) for name in cases[0]["body"]}
    model = heat.heat_model(Persons.of(len(cases), **bodies), on)
    phases = []
    for n in range(len(MINUTES)):
        told = [c["phases"][n] for c in cases]
        values = {name: np.array([t[name] for t in told], dtype=float) for name in told[0] if name != "clothing_clo"}
        clo = np.array([t["clothing_clo"] for t in told]).T
        phases.append(heat.conditions(len(cases), clothing_clo=clo, **values))
    nodes = [f"{name}_c" for name in model.anatomy.structure.nodes]
    of_step = np.repeat(np.arange(len(MINUTES)), MINUTES)
    run = heat.run_heat(model, np.stack(phases), phase_of_step=of_step, outputs=[*nodes, *REST])
    temps = np.concatenate([model.neutral_c[:, None], run.values[: len(nodes)]], axis=1)
    return temps, run.values[len(nodes) :], model


def main() -> None:
    """Print the largest deviations."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--peer", required=True, help="an interpreter whose environment has jos3 0.5.0")
    options.add_argument("--cases", type=int, default=60)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    rng = np.random.default_rng(chosen.seed)
    cases = [drawn_case(rng) for _ in range(chosen.cases)]
    done = subprocess.run(
        [chosen.peer, "-c", PEER], input=json.dumps(cases), capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"jos3 failed: {done.stderr[-500:]}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    peer_temps = np.array([line[0] for line in lines]).transpose(2, 1, 0)
    peer_rest = np.array([line[1] for line in lines]).transpose(2, 1, 0)
    temps, rest, model = ours(cases, COMPAT)
    print(f"{chosen.cases} persons, {sum(MINUTES)} minutes each, every node and minute")
    print(f"  neutral state      {np.abs(temps - peer_temps)[:, 0].max():.1e} K")
    print(f"  all temperatures   {np.abs(temps - peer_temps).max():.1e} K")
    for name, a, b in zip(REST, rest, peer_rest, strict=True):
        print(f"  {name:18s} {np.max(np.abs(a - b) / np.maximum(np.abs(b), 1.0)):.1e} (relative; absolute below 1)")
    detailed(cases, peer_temps, peer_rest, model)


def detailed(cases: list[dict], peer_temps: np.ndarray, peer_rest: np.ndarray, plain: heat.HeatModel) -> None:
    """Print how far the detailed neck alone moves things at the end of each phase."""
    temps, rest, model = ours(cases, dataclasses.replace(COMPAT, detailed_neck=True))
    at = np.cumsum(MINUTES)
    nodes, plain_nodes = model.anatomy.structure.nodes, plain.anatomy.structure.nodes
    area = model.anatomy.area_m2
    skins = [nodes.index("neck_skin"), nodes.index("neck_nape_skin")]
    mean_neck = np.einsum("kp,ktp->tp", area[[1, 17]] / area[[1, 17]].sum(axis=0), temps[skins])
    neck = np.abs(mean_neck - peer_temps[plain_nodes.index("neck_skin")])[at]
    names = [f"{s}_skin" for s in SEGMENTS]
    share = plain.anatomy.area_m2 / plain.anatomy.area_m2.sum(axis=0)
    peer_mean = np.einsum("kp,ktp->tp", share, peer_temps[[plain_nodes.index(n) for n in names]])
    own_share = area / area.sum(axis=0)
    own = np.einsum("kp,ktp->tp", own_share, temps[[nodes.index(n) for n in [*names, "neck_nape_skin"]]])
    pelvis = np.abs(temps[nodes.index("pelvis_core")] - peer_temps[plain_nodes.index("pelvis_core")])[at]
    output = np.abs(rest[0] / peer_rest[0] - 1)[at - 1]
    print("with the neck in detail, at the end of each phase (limits 0.3, 0.05, 0.1 K and 2 %)")
    print(f"  neck skin, mean    {neck.max():.3f} K")
    print(f"  pelvis core        {pelvis.max():.4f} K")
    print(f"  mean skin          {np.abs(own - peer_mean)[at].max():.4f} K")
    print(f"  cardiac output     {100 * output.max():.3f} %")


if __name__ == "__main__":
    main()
