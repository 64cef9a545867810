"""Fits constants of kernels/schedule/machine_table.cc to measurements, and tells how far the model is from them.

    vgg19-bench --tune --threads 2 --format json --out tune.json
    python fit.py --vgg19 build/release/bin/vgg19 --models baseline.safetensors int8-full.safetensors \\
        --measured tune.json

The measurements are of every algorithm for each convolution of VGG-19; the models tell the planner's shapes and need
not be good ones. Starts with the constants of the microarchitecture that was measured, or of --machine, and asks
`vgg19 inspect --plan` what the cost model expects with others. The overlap (not_hidden) and the transforms
(vector_operations) are fitted unless --fit names others: not_hidden, vector_operations, multiply_adds, dot_products,
hertz, l2, l3, memory (all limits of that level). Needs only Python's standard library.
"""
import argparse
import copy
import json
import math
import statistics
import subprocess
import sys
import tempfile

LEVELS = ("l2", "l3", "memory")
THREADS_OF_COMPARISON = 2  # engine/layers/convolution_cost.h


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vgg19", required=True, help="the command-line tool")
    parser.add_argument("--models", required=True, nargs="+", help="FP32 and INT8 models, for their shapes")
    parser.add_argument("--measured", required=True, nargs="+", help="reports of vgg19-bench --tune --format json")
    parser.add_argument("--machine", help="start with this microarchitecture or file of vgg19 tune")
    parser.add_argument("--fit", nargs="*", default=["not_hidden", "vector_operations"], help="the constants to fit")
    parser.add_argument("--time", choices=["median_ms", "min_ms"], default="median_ms", help="what to fit to")
    parser.add_argument("--list", action="store_true", help="print every algorithm's error")
    return parser.parse_args()


def shape_key(shape):
    return tuple(shape[name] for name in ("type", "input_channels", "output_channels", "height", "width"))


def measurements(paths, time):
    """{shape: {algorithm: milliseconds}}, and the machine's name and ISA."""
    times, machines = {}, set()
    for path in paths:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        machine = report["machine"]
        if machine["threads"] != THREADS_OF_COMPARISON or report.get("batch", 1) != 1:
            sys.exit(f"{path}: expected {THREADS_OF_COMPARISON} threads and a batch of 1")
        machines.add((machine["name"], machine["isa"]))
        for shape in report["shapes"]:
            of_shape = times.setdefault(shape_key(shape), {})
            for result in shape["results"]:
                if result["algorithm"] != "direct":  # plain loops, only for comparison
                    of_shape[result["algorithm"]] = result[time]
    if len(machines) != 1:
        sys.exit(f"expected reports of one machine and ISA, found {sorted(machines)}")
    return times, *machines.pop()


def inspect(options, model, machine, isa):
    command = [options.vgg19, "inspect", model, "--plan", "--json", "--machine", machine, "--isa", isa]
    done = subprocess.run(command + ["--threads", str(THREADS_OF_COMPARISON)], capture_output=True, check=False)
    if done.returncode:
        sys.exit(done.stderr.decode())
    return json.loads(done.stdout)["plan"]


def expectations(options, machine, isa):
    """{shape: {algorithm: milliseconds}} in the planner's order, the chosen one first."""
    expected = {}
    for model in options.models:
        for convolution in inspect(options, model, machine, isa)["convolutions"]:
            key = shape_key(convolution)
            expected.setdefault(key, {e["algorithm"]: e["convolution_ms"] for e in convolution["estimates"]})
    return expected


class Fit:
    def __init__(self, options, measured, isa):
        self.options, self.measured, self.isa = options, measured, isa

    def expected(self, machine):
        document = {"format": "vgg19 tuned machine", "version": 1, "cpu": "", "threads": THREADS_OF_COMPARISON,
                    "isa": self.isa, "machine": machine}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(document, file)
            file.flush()
            return expectations(self.options, file.name, self.isa)

    def errors(self, expected):
        """(expected / measured, shape, algorithm) of each algorithm that both have."""
        return [(expected[shape][algorithm] / time, shape, algorithm) for shape, times in self.measured.items()
                for algorithm, time in times.items() if algorithm in expected.get(shape, {})]

    def distance(self, machine):
        ratios = [ratio for ratio, _, _ in self.errors(self.expected(machine))]
        if not ratios:
            sys.exit("the measurements have no shape of these models")
        return statistics.fmean(abs(math.log(ratio)) for ratio in ratios)

    def excess(self, expected):
        """The worst measured time of a choice, relative to the fastest algorithm for its shape."""
        worst = (1, None, None)
        for shape, times in self.measured.items():
            known = [algorithm for algorithm in expected.get(shape, {}) if algorithm in times]
            if known:
                excess = times[known[0]] / min(times[algorithm] for algorithm in known)
                worst = max(worst, (excess, shape, known[0]), key=lambda choice: choice[0])
        return worst

    def report(self, title, machine):
        expected = self.expected(machine)
        errors = self.errors(expected)
        distances = sorted((abs(ratio - 1), shape, algorithm) for ratio, shape, algorithm in errors)
        median = statistics.median(distance for distance, _, _ in distances)
        worst, excess = distances[-1], self.excess(expected)
        print(f"{title}: of {len(errors)} times |expected / measured - 1| is {median:.1%} in the median, {worst[0]:.1%} "
              f"at worst ({worst[2]} for {worst[1]}); choices take at most {excess[0]:.2f} times the fastest "
              f"({excess[2]} for {excess[1]})")
        if self.options.list:
            for ratio, shape, algorithm in sorted(errors, key=lambda error: error[1:]):
                print(f"  {ratio:5.2f}  {algorithm:16}  {shape}")


def scaled(machine, name, factor):
    result = copy.deepcopy(machine)
    if name in LEVELS:
        result[name] = {limit: value * (factor if limit != "write_factor" else 1) for limit, value in machine[name].items()}
    else:
        result[name] = machine[name] * factor
    if name == "not_hidden":
        result[name] = min(result[name], 1.0)
    return result


def fitted(fit, machine, names):
    """Tries larger and smaller values of one constant after the other, in ever smaller steps."""
    best = fit.distance(machine)
    for step in (1.5, 1.2, 1.08, 1.03):
        improved = True
        while improved:
            improved = False
            for name in names:
                for factor in (step, 1 / step):
                    candidate = scaled(machine, name, factor)
                    distance = fit.distance(candidate)
                    if distance < best - 1e-6:
                        best, machine, improved = distance, candidate, True
    return machine


def main():
    options = arguments()
    measured, name, isa = measurements(options.measured, options.time)
    machine = inspect(options, options.models[0], options.machine or name, isa)["machine"]
    machine.pop("origin")
    fit = Fit(options, measured, isa)
    fit.report("before", machine)
    if not options.fit:
        return
    machine = fitted(fit, machine, options.fit)
    fit.report("fitted", machine)
    for constant in options.fit:
        print(f"{machine['name']}, {isa}: {constant} = {json.dumps(machine[constant])}")


if __name__ == "__main__":
    main()
