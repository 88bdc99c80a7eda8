# SPDX-License-Identifier: Apache-2.0
"""Large stores: filled through the store's own interface (store_fill), asked by bench_store and by
the commands, growth with size."""
import json
import pathlib
import shutil
import statistics
import subprocess
import tempfile

QUESTIONS = ("open", "day", "newest_day", "day_of_all", "year", "year_by_hours", "year_by_days",
             "figures")


def command(programs, *args):
    """Figures of a command whose output nobody reads."""
    done = json.loads(subprocess.run([str(a) for a in (programs / "measured", *args)], check=True,
                                     capture_output=True, text=True).stdout)
    if done["code"] not in (0, 1):  # verify says 1: nobody signed
        raise AssertionError((args, done))
    return done


def disk(folder):
    return sum(p.stat().st_size for p in pathlib.Path(folder).rglob("*") if p.is_file())


def measure(programs, binary, readings, series, runs, folder):
    data = pathlib.Path(folder, "data-%d" % readings)
    data.mkdir()
    done = subprocess.run([programs / "store_fill", data, str(readings), str(series)],
                          capture_output=True, text=True, check=True)
    filled = json.loads(done.stdout)
    row = {"readings": readings, "series": series, "bytes": disk(data),
           "fill": readings / filled["seconds"]}
    asked = [json.loads(subprocess.run([programs / "bench_store", data, str(filled["last"])],
                                       capture_output=True, text=True, check=True).stdout)
             for _ in range(runs)]
    for key in [q for question in QUESTIONS for q in (question, question + "_n")] + ["rss_kb"]:
        row[key] = statistics.median(a[key] for a in asked)
    begin = filled["last"] - 86400000
    for name, args in {
            "query": ("query", "--data", data, "--series", "d0007/temperature", "--from", begin),
            "plot": ("query", "--data", data, "--series", "d0007/temperature", "--bucket", "1 h",
                     "--json"),
            "status": ("status", "--data", data),
            "export": ("export", "--data", data),
            "senml": ("export", "--data", data, "--format", "senml"),
            "verify": ("verify", data)}.items():
        seen = [command(programs, binary, *args) for _ in range(runs if readings < 20000000 else 1)]
        row[name] = statistics.median(s["seconds"] for s in seen)
        row[name + "_kb"] = max(s["rss_kb"] for s in seen)
    # The older half goes, as the keeper lets it go.
    half = filled["last"] - (readings // series) * 30000
    gone = json.loads(subprocess.run([programs / "bench_store", data, str(filled["last"]), str(half)],
                                     capture_output=True, text=True, check=True).stdout)
    row["expired"], row["expire"] = gone["chunks"], gone["seconds"]
    shutil.rmtree(data)
    return row


def bench(programs, binary, sizes, series, runs, out):
    with tempfile.TemporaryDirectory(prefix="sy-bench-") as folder:
        for readings in sizes:
            r = measure(programs, binary, readings, series, runs, folder)
            print("store %11d readings of %d series: %.2f bytes each, filled %.0f/s; open %.1f ms, "
                  "a day %.1f ms, of all series (%d) %.0f ms, a year raw (%d) %.0f ms, by hours "
                  "%.0f ms, by days %.0f ms, %.0f MB" % (
                      readings, series, r["bytes"] / readings, r["fill"], r["open"] * 1e3,
                      r["day"] * 1e3, r["day_of_all_n"], r["day_of_all"] * 1e3, r["year_n"],
                      r["year"] * 1e3, r["year_by_hours"] * 1e3, r["year_by_days"] * 1e3,
                      r["rss_kb"] / 1024))
            print("      commands: status %.0f ms, query of a day %.0f ms, plot by hours %.0f ms, "
                  "export %.1f s (%.0f MB), as SenML %.1f s (%.0f MB), verify %.1f s (%.0f MB); %d chunks "
                  "expired in %.1f s" % (
                      r["status"] * 1e3, r["query"] * 1e3, r["plot"] * 1e3, r["export"],
                      r["export_kb"] / 1024, r["senml"], r["senml_kb"] / 1024, r["verify"],
                      r["verify_kb"] / 1024, r["expired"], r["expire"]))
            out.append({"name": "store-%d" % readings, "unit": "bytes/reading",
                        "median": r["bytes"] / readings, "min": r["fill"], "max": r["fill"],
                        "floor": 0, "ratio": 0, "rss_kb": r["rss_kb"], "figures": r})
