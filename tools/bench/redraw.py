"""How long a page takes to answer a change: 10 arms, 50 segments, in a real browser.

A project with one experiment is made and served, the effect lab is opened in Chromium, and its controls are
changed again and again, as a person would. From the change event in the page two times are taken there: until
the sentence and the chart of the answer are in the page (where a control changes them), and until all of the
answer is, every chart and table. CPU time is that of all Python processes, the kernel above all, and of
Chromium: on a machine that has other things to do it says more than the clock.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil  # type: ignore[import-untyped]  # it has no type hints
import pyarrow as pa

import workbench as wb
from tools.browser import find
from workbench.publish.site import serving_project

CUSTOMERS = 200_000
ARMS = 10
SEGMENTS = 50
ROUNDS = 6
_BEGIN = 1_750_000_000  # seconds since 1970
_DAY = 86_400


def _asked(index: int) -> list[tuple[str, str]]:
    """The changes of a round, each a control's label and its new value; most values were never asked for."""
    arms = [f"arm {number:02d}" for number in range(1, ARMS)]
    tempers = [
        "between −20 % and +25 %",
        "nothing, by the data alone",
        "anything between −60 % and +150 %",
        "nothing, by the data alone",
    ]
    return [
        ("Level of the intervals", ("80 %", "90 %", "99 %", "95 %")[index % 4]),
        ("Arm to speak of", arms[index % len(arms)]),
        ("Smallest lift that matters (%)", f"{1.5 + index / 2}"),
        ("Prior of a conversion rate", ("Jeffreys", "uniform")[index % 2]),
        ("Window after the first exposure (days)", f"{8 + index}"),
        ("Control arm", arms[(index + 4) % len(arms)]),
        ("Control arm", "as the data say"),
        ("Planned split", " ".join([f"{index + 1}", *"111111111"])),
        ("Planned split", ""),
        ("Lift that was expected (95 % sure)", tempers[index % 4]),
        ("Split by", "nothing: everybody together"),
        ("Split by", "segment"),
        ("Metric", ("revenue", "conversion")[index % 2]),
    ]


_CHANGE = """async ([label, value]) => {
  const page = document.querySelector(".wb-page");
  const named = [...page.querySelectorAll(".wb-controls label")].find((one) => one.textContent === label);
  const control = named.parentElement.querySelector("select, input");
  const plain = (text) => text.replaceAll(/\\s/g, "");
  if (control.tagName === "SELECT") {
    const option = [...control.options].find((one) => plain(one.textContent) === plain(value));
    if (!option) throw new Error(`${label} cannot be ${value}`);
    control.value = option.value;
  } else control.value = value;

  const about = (node) => node.nodeType === Node.ELEMENT_NODE
    && (node.matches(".wb-sentence") || node.querySelector(".wb-sentence"));
  const atWork = () => page.querySelector(".wb-busy, .wb-chart > [style*=hidden]");
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${label}: no answer to ${value}`)), 120_000);
    let [busy, answered, last] = [false, null, 0];
    const begin = performance.now();
    const observer = new MutationObserver((changes) => {
      const now = last = performance.now() - begin;
      busy ||= Boolean(page.querySelector(".wb-busy"));
      const chart = page.querySelector(".wb-chart"); // none while a failed check withholds the answer
      const answers = changes.some((one) => chart?.contains(one.target) || [...one.addedNodes].some(about));
      if (answers) answered = now;
      if (!busy || atWork()) return;
      // at rest once two pictures of the page have nothing new
      requestAnimationFrame(() => requestAnimationFrame(() => {
        if (last !== now || atWork()) return;
        observer.disconnect();
        clearTimeout(late);
        resolve([answered, now]);
      }));
    });
    observer.observe(page, { subtree: true, childList: true, attributes: true, characterData: true });
    control.dispatchEvent(new Event("input", { bubbles: true }));
    control.dispatchEvent(new Event("change", { bubbles: true }));
  });
}"""


@dataclass(frozen=True)
class Change:
    """What one change of a control took.

    Attributes:
        control: Its label.
        answered: Milliseconds until sentence and chart were on the page; None where neither changed.
        settled: Milliseconds until everything was.
        kernel: CPU milliseconds of Python.
        browser: CPU milliseconds of Chromium.
    """

    control: str
    answered: float | None
    settled: float
    kernel: float
    browser: float


def bench_redraw() -> None:
    """Print the median and the 90th percentile over many changes, and by control."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_KEYS"] = str(Path(folder) / "keys")
        project = make(Path(folder) / "shop")
        with serving_project(project, screens=True) as server:
            changes = _changes(f"{server.url}voila/render/3-effect-lab.ipynb?lang=en")
    print(f"effect lab, {CUSTOMERS:,} customers, {ARMS} arms, {SEGMENTS} segments: {len(changes)} changes")
    print(f"  {'':<40}{'sentence, chart':>18}{'whole page':>18}{'CPU kernel':>12}{'browser':>9}")
    print(f"  {'':<40}{'median   9 in 10':>18}{'median   9 in 10':>18}{'median':>12}{'median':>9}")
    for control in dict.fromkeys(change.control for change in changes):
        _line(control, [change for change in changes if change.control == control])
    _line("all", changes)


def _line(name: str, changes: Sequence[Change]) -> None:
    def both(values: Sequence[float]) -> str:
        if not values:
            return f"{'–':>18}"
        middle, most = np.percentile(values, [50, 90])
        return f"{middle:>6.0f} ms{most:>6.0f} ms"

    answered = both([one.answered for one in changes if one.answered is not None])
    kernel, browser = (
        float(np.median([getattr(one, of) for one in changes])) for of in ("kernel", "browser")
    )
    settled = both([one.settled for one in changes])
    print(f"  {name:<40}{answered:>18}{settled:>18}{kernel:>9.0f} ms{browser:>6.0f} ms", flush=True)


def make(folder: Path) -> wb.Project:
    """A project with one experiment; each arm converts a little better than the one before."""
    rng = np.random.default_rng(1)
    ids = np.arange(CUSTOMERS, dtype=np.int64)
    arm, segment = rng.integers(0, ARMS, CUSTOMERS), rng.integers(0, SEGMENTS, CUSTOMERS)
    exposed = _BEGIN + rng.integers(0, 28 * _DAY, CUSTOMERS)
    rate = 0.10 + 0.001 * arm + 0.0005 * segment
    # orders through the four weeks before and the four weeks after the first exposure
    orders = rng.poisson(rate, CUSTOMERS)
    before = rng.poisson(0.10, CUSTOMERS)
    buyer = np.concatenate([np.repeat(ids, orders), np.repeat(ids, before)])
    after = np.concatenate([np.ones(orders.sum()), -np.ones(before.sum())])
    bought = exposed[buyer] + (after * 28 * _DAY * rng.random(len(buyer))).astype(np.int64)
    last = _BEGIN + 57 * _DAY
    names = [f"arm {index:02d}" for index in range(ARMS)]
    groups = [f"segment {index:02d}" for index in range(SEGMENTS)]
    project = wb.Project.create(folder)
    project.commit(
        {
            "customers": pa.table({"customer_id": ids, "segment": pa.array(groups).take(segment)}),
            "exposures": pa.table(
                {
                    "customer_id": ids,
                    "experience_id": pa.array(["home"] * CUSTOMERS),
                    "variant": pa.array(names).take(arm),
                    "ts": _times(exposed),
                    "assignment": pa.array(["random"] * CUSTOMERS),
                    "p_assign": np.full(CUSTOMERS, 1 / ARMS),
                }
            ),
            "orders": pa.table(
                {
                    "order_id": pa.array([f"o{index}" for index in range(len(buyer) + 1)]),
                    "customer_id": np.append(buyer, 0),
                    "ts": _times(np.append(bought, last)),
                    "revenue": np.append(np.exp(3.5 + 0.6 * rng.standard_normal(len(buyer))).round(2), 1.0),
                    "refund": np.zeros(len(buyer) + 1),
                }
            ),
        }
    )
    return project


def _times(seconds: Any) -> pa.Array:
    return pa.array(seconds * 1_000_000).cast(pa.timestamp("us"))


def _changes(url: str) -> list[Change]:
    """Open the lab, ask its questions once, then change every control to and fro."""
    from playwright.sync_api import sync_playwright

    program = find()
    if program is None:
        raise SystemExit("There is no Chromium; `python -m tools.browser` installs one.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.goto(url, wait_until="commit")
        page.wait_for_selector(".wb-chart svg", timeout=120_000)
        page.get_by_role("button", name="More settings").click()
        page.get_by_label("Split by").select_option("segment")
        page.wait_for_timeout(5000)  # ms: charts come to rest
        found: list[Change] = []
        for index in range(ROUNDS + 1):
            changes = [_change(page, *asked) for asked in _asked(index)]
            found += changes if index else []  # the first round makes what the page makes once
        chromium.close()
    return found


def _change(page: Any, control: str, value: str) -> Change:
    before = _cpu()
    answered, settled = page.evaluate(_CHANGE, [control, value])
    kernel, browser = (1000 * (now - then) for now, then in zip(_cpu(), before, strict=True))
    page.wait_for_timeout(50)  # ms: nobody turns two controls at once
    return Change(control, answered, settled, kernel, browser)


def _cpu() -> tuple[float, float]:
    """CPU seconds of the Python processes below this one, and of the browser's."""
    spent = {True: 0.0, False: 0.0}
    for process in psutil.Process().children(recursive=True):
        try:
            name, times = process.name(), process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent["python" in name] += times.user + times.system
    return spent[True], spent[False]
