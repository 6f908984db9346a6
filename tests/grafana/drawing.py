"""Panels as SVG: lines, bars, single values, tables; as much as is needed to see what the data look like."""

import datetime
import html
import re

COLUMN, ROW, GAP = 50, 36, 8
COLOURS = ("#3274d9", "#e0752d", "#2f9e44", "#c92a2a", "#9c36b5", "#0b7285", "#d9a406", "#868e96")


def legend(pattern, labels):
    return re.sub(r"\{\{(\w+)\}\}", lambda m: labels.get(m[1], ""), pattern) or ", ".join(f"{k}={v}" for k, v in labels.items()) or "value"


def long_to_series(columns, rows, names):
    """Rows of time, perhaps a label, and values: as Grafana makes series of them."""
    labels = [i for i, (_, kind) in enumerate(columns) if i and "String" in kind]
    series = {}
    for row in rows:
        at = datetime.datetime.fromisoformat(row[0]).replace(tzinfo=datetime.timezone.utc).timestamp()
        for i, (name, _) in enumerate(columns):
            if i and i not in labels:
                key = " ".join(str(row[j]) for j in labels) or names.get(name, name)
                series.setdefault(key, []).append((at, float(row[i] or 0)))
    return series


def short(value):
    """A number as a person reads it."""
    if not isinstance(value, (int, float)):
        return re.sub(r"^(\d{4}-\d\d-\d\d \d\d:\d\d).*", r"\1", str(value)) if value is not None else ""
    for bound, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= bound:
            return f"{value / {'T': 1e12, 'G': 1e9, 'M': 1e6, 'k': 1e3}[unit]:.3g}{unit}"
    return f"{value:.3g}" if isinstance(value, float) and not value.is_integer() and abs(value) < 1e3 else f"{value:.0f}"


def text(x, y, words, size=11, colour="#444", anchor="start"):
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}">{html.escape(str(words))}</text>'


def lines(series, x, y, w, h, bars):
    """Values over time, with the greatest value and the ends of the time."""
    points = [p for one in series.values() for p in one if p[1] == p[1]]
    if not points:
        return [text(x, y + 20, "no data")]
    first, last, top = min(p[0] for p in points), max(p[0] for p in points), max(max(p[1] for p in points), 1e-9)
    out, plot = [], h - 30

    def place(p):
        return x + (p[0] - first) / max(last - first, 1) * w, y + plot - max(p[1], 0) / top * (plot - 14)

    for i, (name, one) in enumerate(list(series.items())[:8]):
        colour = COLOURS[i % 8]
        if bars:
            width = max(1, w / max(len(one), 1) / len(series) - 1)
            for p in one:
                px, py = place(p)
                out.append(
                    f'<rect x="{min(px, x + w - width):.1f}" y="{py:.1f}" width="{width:.1f}" height="{y + plot - py:.1f}" fill="{colour}" opacity="0.7"/>'
                )
        else:
            path = " ".join(f"{px:.1f},{py:.1f}" for px, py in map(place, one))
            out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        out.append(
            text(
                x + (i % 4) * w / 4, y + h - 8 + (i // 4) * 11 - (11 if len(series) > 4 else 0), f"■ {name}"[: int(w / 4 / 5.6)], 10, colour
            )
        )
    form = "%H:%M" if last - first < 3 * 86400 else "%d.%m."
    for at, anchor, px in ((first, "start", x), (last, "end", x + w)):
        out.append(text(px, y + plot + 10, datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime(form), 9, "#888", anchor))
    return [*out, text(x, y + 8, short(top), 9, "#888")]


def values(pairs, x, y, w, h):
    """Single values side by side."""
    width = w / max(len(pairs), 1)
    out = []
    for i, (name, value) in enumerate(pairs):
        out.append(text(x + i * width, y + h / 2 + 4, short(value), 24, COLOURS[0]))
        out.append(text(x + i * width, y + h / 2 + 20, str(name)[: int(width / 5.6)], 10, "#888"))
    return out


def bars(rows, x, y, w, h):
    """A bar for each row: its name, its value."""
    top = max((float(row[-1] or 0) for row in rows), default=1) or 1
    height = min(22, h / max(len(rows), 1))
    out = []
    for i, row in enumerate(rows):
        value, at = float(row[-1] or 0), y + i * height
        out.append(text(x, at + height * 0.7, str(row[0])[:22], 10))
        out.append(
            f'<rect x="{x + w * 0.35:.0f}" y="{at + 2:.1f}" width="{value / top * w * 0.5:.1f}" height="{height - 4:.1f}" fill="{COLOURS[i % 8]}" opacity="0.8"/>'
        )
        out.append(text(x + w, at + height * 0.7, short(value), 10, "#444", "end"))
    return out


def table(columns, rows, x, y, w, h, coloured, shares):
    """The first rows; in a coloured one the greater is the darker."""
    width, most = w / max(len(columns), 1), int(h / 14) - 1
    # Shares are coloured against the whole, counts against the greatest.
    numbers = [v for row in rows for v in row[1:] if isinstance(v, (int, float))]
    top = 1 if shares else max(numbers, default=1) or 1
    out = [text(x + i * width, y + 10, str(name)[: max(3, int(width / 5.6))], 10, "#888") for i, name in enumerate(columns)]
    for r, row in enumerate(rows[:most]):
        for c, value in enumerate(row):
            at = y + 14 * (r + 1)
            if coloured and c and isinstance(value, (int, float)) and 0 < value <= top:
                out.append(
                    f'<rect x="{x + c * width:.1f}" y="{at:.0f}" width="{width - 1:.1f}" height="13" fill="#e0752d" opacity="{0.15 + 0.85 * value / top:.2f}"/>'
                )
            shown = value if c == 0 and isinstance(value, int) else short(value)
            out.append(text(x + c * width + 2, at + 10, str(shown)[: max(3, int(width / 5.6))], 10))
    return out


def drawn(panel, kind, data, x, y, w, h):
    of = panel["type"]
    if kind == "series":
        if of == "stat":
            return values([(name, one[-1][1]) for name, one in data.items()], x, y, w, h)
        return lines(data, x, y, w, h, panel["fieldConfig"]["defaults"]["custom"].get("drawStyle") == "bars")
    columns, rows = data
    if of == "stat":
        return values(list(zip(columns, rows[0], strict=True)), x, y, w, h)
    if of in ("bargauge", "piechart"):
        return bars(rows, x, y, w, h)
    field = panel["fieldConfig"]["defaults"]
    return table(columns, rows, x, y, w, h, "color" in field, field.get("unit") == "percentunit")


def picture(title, shown):
    """The whole dashboard: each panel at its place."""
    out, bottom = [], 0
    for panel, kind, data in shown:
        place = panel["gridPos"]
        x, y, w, h = place["x"] * COLUMN, place["y"] * ROW + 44, place["w"] * COLUMN - GAP, place["h"] * ROW - GAP
        bottom = max(bottom, y + h)
        out.append(f'<rect x="{x}" y="{y}" width="{w}" height="{h}" fill="#fff" stroke="#ddd" rx="3"/>')
        out.append(text(x + 8, y + 16, panel["title"].replace("$page", "/"), 12, "#222"))
        out += drawn(panel, kind, data, x + 8, y + 26, w - 16, h - 34)
    size = f'width="{24 * COLUMN}" height="{bottom + GAP}" viewBox="0 0 {24 * COLUMN} {bottom + GAP}"'
    head = text(4, 26, f"{title}: the panels' queries on demo data, drawn by tests/grafana/pictures.py, not by Grafana", 15, "#222")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">',
            '<rect width="100%" height="100%" fill="#f7f7f7"/>',
            head,
            *out,
            "</svg>",
            "",
        ]
    )
