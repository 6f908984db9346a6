"""Writes the test data of this folder, and expected.json: what a service says that took them. The same at every run.

    python3 docs/report/data/generate.py            writes them
    python3 docs/report/data/generate.py --check    changes nothing; status 1 if a file is not what this makes

Visitors of three sites on three days. expected.json is counted here from the visits, by none of the service's code.
"""

import csv
import io
import json
import random
import sys
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIRST = datetime(2026, 11, 20, tzinfo=timezone.utc)
DAYS = 3
AGENTS = {
    "DESKTOP": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "MOBILE": "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
    "IOS": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
}
VIEWPORTS = {"DESKTOP": (1920, 1080), "MOBILE": (412, 915), "IOS": (390, 844)}
# Pages with their elements: id, kind, text, class, and how likely a visitor who sees it clicks.
PAGES = {
    "/": [("hero-banner", "block", "Осенняя распродажа", "hero", 0.08), ("buy-now", "button", "Купить", "btn btn-primary", 0.22)],
    "/catalog": [("filter-price", "button", "До 1000 ₽", "chip", 0.3), ("card-umbrella", "card", "Зонт", "card", 0.25)],
    "/cart": [("checkout", "button", "Оформить заказ", "btn", 0.55), ("promo-code", "input", "Промокод", "field", 0.12)],
}


@dataclass
class Happening:
    """One event before it is spelt in a format."""

    id: str
    action: str
    at: datetime
    session: str
    user: str | None
    path: str
    device: str
    element: tuple | None = None
    x: int | None = None
    y: int | None = None
    ip: str = ""
    warned: bool = False


@dataclass
class Site:
    file: str
    site: str
    seed: int
    sessions: int
    happenings: list[Happening] = field(default_factory=list)


def visits(site: Site) -> None:
    """Sessions spread over the days; every page, then what is seen on it, then what is clicked."""
    chance = random.Random(site.seed)
    for number in range(site.sessions):
        at = FIRST + timedelta(days=chance.randrange(DAYS), hours=chance.choice(range(7, 22)), seconds=chance.randrange(3600))
        device = chance.choices(list(AGENTS), [5, 3, 2])[0]
        user = f"user-{chance.randrange(40)}" if chance.random() < 0.35 else None
        # A few come from an address of a private network: they are kept, with a warning.
        warned = chance.random() < 0.04
        ip = "10.0.0.7" if warned else f"93.184.{chance.randrange(1, 250)}.{chance.randrange(1, 250)}"
        session = f"{site.site}-s-{number}"

        def happened(action: str, path: str, element: tuple | None = None) -> Happening:
            width, height = VIEWPORTS[device]
            x, y = (chance.randrange(width), chance.randrange(60, 2 * height)) if action == "click" else (None, None)
            key = str(uuid.UUID(int=chance.getrandbits(128), version=4))
            return Happening(key, action, at, session, user, path, device, element, x, y, ip, warned)

        for path in list(PAGES)[: chance.randrange(1, 4)]:
            site.happenings.append(happened("page", path))
            for element in PAGES[path]:
                at += timedelta(milliseconds=chance.randrange(400, 9000))
                site.happenings.append(happened("view", path, element))
                if chance.random() < element[4]:
                    at += timedelta(milliseconds=chance.randrange(300, 4000))
                    site.happenings.append(happened("click", path, element))
            at += timedelta(seconds=chance.randrange(2, 60))


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def url(h: Happening) -> str:
    return f"https://shop.example{h.path}"


def clicks_csv(site: Site) -> str:
    out = io.StringIO()
    names = (
        "id,type,createdAt,receivedAt,sessionId,ip,userId,url,referrer,deviceType,userAgent,payload.eventTitle,payload.elementId,"
        "payload.x,payload.y,payload.elementText,payload.elementClass,payload.pageTitle,payload.viewportWidth,payload.viewportHeight,"
        "payload.scrollPosition,payload.timestampOffset,payload.metadata"
    )
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names.split(","))
    for h in site.happenings:
        element = h.element or (None, None, None, None)
        shown = [h.id, h.action.upper(), f"{h.at:%Y-%m-%d %H:%M:%S}.{h.at.microsecond // 1000:03}", f"{h.at + timedelta(seconds=1):%Y-%m-%d %H:%M:%S}"]
        shown += [h.session, h.ip, h.user, url(h), None, h.device, AGENTS[h.device], "Магазин", element[0], h.x, h.y, element[2], element[3]]
        shown += ["Магазин", *VIEWPORTS[h.device], 0, 0, '{"campaign":"autumn"}' if h.action == "click" else None]
        writer.writerow(["null" if cell is None else cell for cell in shown])
    return out.getvalue()


def own_ndjson(site: Site) -> str:
    lines = []
    for h in site.happenings:
        event = {"event_id": h.id, "action": h.action, "occurred_at": stamp(h.at), "session_id": h.session, "anonymous_id": f"a-{h.session}"}
        event |= {"user_id": h.user, "url": url(h), "path": h.path, "device_type": h.device.lower(), "user_agent": AGENTS[h.device], "ip": h.ip}
        if h.element:
            event |= {"element_id": h.element[0], "element_kind": h.element[1], "element_text": h.element[2], "x": h.x, "y": h.y}
        lines.append(json.dumps({k: v for k, v in event.items() if v is not None}, ensure_ascii=False))
    return "\n".join(lines) + "\n"


def segment_json(site: Site) -> str:
    events = []
    for h in site.happenings:
        event = {"type": "page" if h.action == "page" else "track", "messageId": h.id, "anonymousId": f"a-{h.session}", "timestamp": stamp(h.at)}
        context = {"sessionId": h.session, "userAgent": AGENTS[h.device], "page": {"url": url(h), "path": h.path}, "ip": h.ip}
        if h.user:
            event["userId"] = h.user
        if h.element:
            event["event"] = "element_viewed" if h.action == "view" else "element_clicked"
            event["properties"] = {"element_id": h.element[0], "element_kind": h.element[1], "element_text": h.element[2]}
            if h.action == "click":
                event["properties"] |= {"x": h.x, "y": h.y}
        events.append({**event, "context": context})
    return "[\n" + ",\n".join(json.dumps(e, ensure_ascii=False) for e in events) + "\n]\n"


# Records that are no events, each with its reason; the last one is an event. On a day of their own.
BROKEN = [
    ("id_missing", {"action": "page", "occurred_at": "2026-11-19T10:00:00Z", "session_id": "b-1"}),
    ("action_unknown", {"event_id": "b-2", "action": "hover", "occurred_at": "2026-11-19T10:00:00Z", "session_id": "b-1"}),
    ("element_missing", {"event_id": "b-3", "action": "click", "occurred_at": "2026-11-19T10:00:00Z", "session_id": "b-1"}),
    ("identity_missing", {"event_id": "b-4", "action": "click", "element_id": "buy-now", "occurred_at": "2026-11-19T10:00:00Z"}),
    ("time_invalid", {"event_id": "b-5", "action": "page", "occurred_at": "вчера", "session_id": "b-1"}),
    ("time_in_future", {"event_id": "b-6", "action": "page", "occurred_at": "2126-11-20T10:00:00Z", "session_id": "b-1"}),
    ("malformed", None),
    ("", {"event_id": "b-8", "action": "custom", "name": "order_placed", "occurred_at": "2026-11-19T10:00:00Z", "session_id": "b-1", "device_type": "desktop"}),
]


def broken_ndjson() -> str:
    return "\n".join("{ это не JSON" if event is None else json.dumps(event, ensure_ascii=False) for _, event in BROKEN) + "\n"


def expected(sites: list[Site]) -> dict:
    files, reports = {}, {}
    for s in sites:
        warned = sum(h.warned for h in s.happenings)
        total = len(s.happenings)
        files[s.file] = {"site": s.site, "lines": total, "accepted": total - warned, "suspicious": warned, "rejected": 0}
        reports[s.site] = {str((FIRST + timedelta(days=n)).date()): day(s, FIRST + timedelta(days=n)) for n in range(DAYS)}
    reasons = [reason for reason, _ in BROKEN if reason]
    kept = len(BROKEN) - len(reasons)
    files["broken.ndjson"] = {"site": "demo", "lines": len(BROKEN), "accepted": kept, "suspicious": 0, "rejected": len(reasons), "reasons": reasons}
    return {"files": files, "reports": reports}


def day(site: Site, start: datetime) -> dict:
    on = [h for h in site.happenings if start <= h.at < start + timedelta(days=1)]
    began = {}
    for h in site.happenings:
        began[h.session] = min(began.get(h.session, h.at), h.at)

    def person(h: Happening) -> str:
        return h.user or h.session

    elements = {}
    for h in on:
        if h.element:
            e = elements.setdefault(h.element[0], {"views": 0, "clicks": 0, "people": set()})
            e["views" if h.action == "view" else "clicks"] += 1
            e["people"].add(person(h))
    pages = {}
    for h in on:
        if h.action == "page":
            pages[h.path] = pages.get(h.path, 0) + 1
    return {
        "elements": {k: {**v, "people": len(v["people"])} for k, v in sorted(elements.items())},
        "pages": dict(sorted(pages.items())),
        "sessions": sum(start <= at < start + timedelta(days=1) for at in began.values()),
        "dau": len({person(h) for h in on}),
        "clicks": sum(h.action == "click" for h in on),
    }


def main() -> int:
    sites = [Site("clicks.csv", "demo", 1, 120), Site("events.ndjson", "demo-news", 2, 60), Site("segment.json", "demo-docs", 3, 20)]
    for site in sites:
        visits(site)
    made = {
        "clicks.csv": clicks_csv(sites[0]),
        "events.ndjson": own_ndjson(sites[1]),
        "segment.json": segment_json(sites[2]),
        "broken.ndjson": broken_ndjson(),
        "expected.json": json.dumps(expected(sites), indent=1, ensure_ascii=False) + "\n",
    }
    stale = [n for n, text in made.items() if not (HERE / n).is_file() or (HERE / n).read_text() != text]
    if "--check" in sys.argv[1:]:
        if stale:
            print(f"docs/report/data: {', '.join(stale)} not as generate.py makes them; `make report-files`", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        (HERE / name).write_text(made[name])
    return 0


sys.exit(main())
