"""bench/cost.py adds up, and says what was measured and chosen elsewhere."""

import sys
import unittest
from dataclasses import replace

from stack import ROOT, STACK

sys.path.insert(0, str(ROOT / "bench"))
import cost  # noqa: E402


class Cost(unittest.TestCase):
    def test_what_was_measured_stands_in_the_documentation(self):
        text = (ROOT / "docs" / "performance.md").read_text()
        for name, _, _, words in cost.MEASURED:
            self.assertIn(words, text, name)
        for name, value, _, words in cost.MEASURED:
            self.assertIn(f"{value:,.0f}", words, name)

    def test_what_was_chosen_stands_in_the_template(self):
        for name, value, _ in cost.CHOSEN:
            if name.endswith("_mb"):
                row = "".join(part.title() for part in name.removesuffix("_mb").split("_"))
                self.assertEqual(STACK["Mappings"]["Functions"][row]["Memory"], value, name)
        for name, parameter in (("land_window", "LandWindowSeconds"), ("store_window", "StoreWindowSeconds"),
                                ("compact_minutes", "CompactMinutes"), ("compact_mb", "CompactMemory")):
            self.assertEqual(STACK["Parameters"][parameter]["Default"], cost.C[name], parameter)
        alarms = sum(r["Type"] == "AWS::CloudWatch::Alarm" for r in STACK["Resources"].values())
        self.assertEqual(alarms, cost.ALARMS)

    def test_a_month_by_hand(self):
        """1,000 events/s, 10 a request: 259.2 million requests."""
        month = cost.month(cost.Setup(1_000))
        self.assertAlmostEqual(month["HTTP API"], 259.2)
        gb = 259.2e6 * (0.015 + 10 * 21e-6 * 1_769 / 256) * 256 / 1_024
        self.assertAlmostEqual(cost.functions(cost.Setup(1_000))["collect"][1] * cost.SECONDS, gb, delta=gb * 1e-9)
        self.assertAlmostEqual(cost.servers(cost.Setup(1_000))["Kafka: MSK, 3 kafka.t3.small"],
                               3 * (0.0456 * 720 + 1_000 * 86_400 * 7 * 92 / 1e9 * 0.10))

    def test_requests_past_300_million_cost_less(self):
        self.assertAlmostEqual(cost.api(300e6), 300)
        self.assertAlmostEqual(cost.api(400e6), 390)

    def test_landing_is_bounded_by_window_and_payload(self):
        self.assertEqual(cost.invocations(100, 5), (0.2, 1))
        self.assertGreater(cost.invocations(10_000, 5)[0], 3 / 5)

    def test_more_of_anything_costs_more(self):
        for setup in (cost.Setup(1_000), cost.Setup(10_000, function_url=True)):
            self.assertLess(cost.per_million(replace(setup, batch=20)), cost.per_million(setup))
            self.assertLess(cost.per_million(setup), cost.per_million(replace(setup, store_days=400)))
            self.assertLess(sum(cost.month(setup).values()), sum(cost.month(replace(setup, rate=setup.rate * 11 // 10)).values()))

    def test_what_others_publish_is_what_their_tables_say(self):
        for rate, about in cost.AWS_ABOUT.items():
            self.assertAlmostEqual(cost.AWS_TABLES[rate] / (rate * cost.SECONDS / 1e6), about, delta=about * 0.05)
        self.assertAlmostEqual(cost.SNOWPLOW[100], 0.77, places=2)

    def test_the_verdict_names_whose_figure_is_not_reached(self):
        self.assertIn("Snowplow's", cost.verdict(cost.Setup(100)))
        self.assertNotIn("above", cost.verdict(cost.Setup(100, function_url=True, single=True)))

    def test_what_the_document_concludes_follows(self):
        mine, about = {rate: cost.per_million(cost.Setup(rate)) for rate in cost.RATES}, cost.AWS_ABOUT
        self.assertLess(mine[100], about[100])
        self.assertAlmostEqual(mine[1_000], about[1_000], delta=0.03)
        self.assertGreater(mine[10_000], about[10_000])
        third, single = cost.VARIANTS[2][1], cost.VARIANTS[3][1]
        for rate in cost.RATES:
            self.assertLess(cost.per_million(replace(third, rate=rate)), about[rate])
        below = [name for name, setup in cost.VARIANTS if cost.per_million(replace(setup, rate=100)) < cost.SNOWPLOW[100]]
        self.assertEqual(below, [cost.VARIANTS[3][0]])
        self.assertTrue(single.single)

    def test_the_document_is_current(self):
        self.assertEqual(cost.DOC.read_text(), cost.document(), "make cost")


if __name__ == "__main__":
    unittest.main()
