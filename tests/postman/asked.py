"""What the Postman collection asks and what must come back. Names are unique: a request that waits names itself."""

from dataclasses import dataclass, field

ABOUT = """Приём событий, файлы, отчёты и вызов функций Clickstream. Запускается целиком (Runner или newman, `make report`) \
на пустом сервисе и сколько угодно раз подряд: повторы не меняют отчётов. `url`, `writeKey` и `adminToken` — переменные \
коллекции; рабочая папка для файлов — корень репозитория. Ожидаемые числа посчитаны docs/report/data/generate.py."""

BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
DATA = "docs/report/data"

# Before each request: what scripts share. `again` asks once more until it is so, for a minute.
COMMON = """
pm.collectionVariables.get('session') || pm.collectionVariables.set('session', `s-${pm.variables.replaceIn('{{$guid}}')}`);
"""
WAIT = """
const tries = Number(pm.collectionVariables.get('tries') || 0) + 1;
const done = %s;
if (!done && tries < 120) {
  pm.collectionVariables.set('tries', tries);
  setTimeout(() => {}, 500);
  pm.execution.setNextRequest(pm.info.requestName);
} else {
  pm.collectionVariables.set('tries', 0);
%s
}
"""


@dataclass
class Request:
    name: str
    method: str
    path: str
    test: str
    about: str = ""
    auth: str = "token"
    body: dict | list | str | None = None
    headers: dict = field(default_factory=dict)
    file: str = ""
    before: str = ""


def status(code: int, more: str = "") -> str:
    return f"pm.test('статус {code}', () => pm.response.to.have.status({code}));\n{more.strip(chr(10))}"


def problem(code: int, name: str) -> str:
    return status(code, f"pm.test('код {name}', () => pm.expect(pm.response.json().code).to.eql('{name}'));")


def waits(until: str, more: str) -> str:
    return WAIT % (until, "\n".join(f"  {line}" for line in more.strip().split("\n")))


def put_file(name: str, site: str) -> Request:
    store = f"pm.collectionVariables.set('receipt', pm.response.json().receipt);"
    check = "pm.test('названа квитанция', () => pm.expect(pm.response.json().receipt).to.match(/^receipts\\//));"
    return Request(
        f"Файл {name}", "PUT", f"/v1/inbox/{site}/{name}", status(201, f"{check}\n{store}"),
        about="Файл тестовых данных попадает во входящие сайта; ответ называет будущую квитанцию.", file=f"{DATA}/{name}",
        headers={"Content-Type": "application/octet-stream"},
    )


def receipt(name: str) -> Request:
    test = f"""
const wanted = JSON.parse(pm.collectionVariables.get('expected')).files['{name}'];
const got = pm.response.json();
pm.test('квитанция считает строки как генератор данных', () => {{
  for (const count of ['lines', 'accepted', 'suspicious', 'rejected']) pm.expect(got[count], count).to.eql(wanted[count]);
}});
pm.test('файл прочитан целиком', () => pm.expect(got.error).to.eql(null));
if (wanted.reasons) pm.test('причины отклонения по строкам', () => pm.expect(got.rejected_lines.map((l) => l.reasons[0].code)).to.eql(wanted.reasons));
"""
    return Request(f"Квитанция {name}", "GET", "/v1/{{receipt}}", waits("pm.response.code === 200", status(200) + test), about="Ждёт, пока файл прочитан.")


def report(name: str, site: str, test: str) -> Request:
    wanted = f"const wanted = JSON.parse(pm.collectionVariables.get('expected')).reports['{site}']['2026-11-20'];\nconst rows = pm.response.json().rows;\n"
    path = f"/v1/reports/{name}?site={site}&from=2026-11-20&to=2026-11-20"
    return Request(f"Отчёт {name}, {site}", "GET", path, status(200) + wanted + test.strip("\n"), about="Числа дня сравниваются с посчитанными генератором данных.")


ELEMENTS = """
pm.test('просмотры, клики и люди каждого элемента', () => {
  const got = {};
  for (const row of rows) got[row.element_id] = { views: row.views, clicks: row.clicks, people: row.people };
  pm.expect(got).to.eql(wanted.elements);
});
pm.test('доля кликов = клики / просмотры', () => {
  for (const row of rows) pm.expect(row.click_through_rate).to.be.closeTo(row.clicks / row.views, 1e-9);
});
"""
PAGES = """
pm.test('просмотры каждой страницы', () => {
  const got = {};
  for (const row of rows) got[row.path] = row.views;
  pm.expect(got).to.eql(wanted.pages);
});
"""
INVOKE = {"X-Amz-Log-Type": "Tail"}
FUNCTION = "pm.test('функция не сообщила об ошибке', () => pm.expect(pm.response.headers.has('X-Amz-Function-Error')).to.eql(false));"

WATCH = [
    Request("Процесс жив", "GET", "/health", status(200), auth="none"),
    Request("Сервис готов", "GET", "/ready", status(200), auth="none"),
    Request("Описание API", "GET", "/openapi.json", status(200, "pm.test('OpenAPI 3.1', () => pm.expect(pm.response.json().openapi).to.match(/^3\\.1/));"), auth="none"),
    Request("Метрики", "GET", "/metrics", status(200, "pm.test('метрики Prometheus', () => pm.expect(pm.response.text()).to.include('# TYPE clickstream_'));")),
    Request("Сайты", "GET", "/v1/sites", status(200, "pm.test('есть сайт demo', () => pm.expect(pm.response.json().sites).to.include('demo'));")),
    Request("Чтение без токена", "GET", "/v1/sites", problem(401, "token_missing"), auth="none", about="Сервис с ADMIN_TOKEN не отвечает без токена."),
]

IDS = """
const now = new Date().toISOString();
for (const name of ['page', 'view', 'click', 'broken']) pm.collectionVariables.set(`${name}Id`, pm.variables.replaceIn('{{$guid}}'));
pm.collectionVariables.set('now', now);
"""
BATCH = {
    "batch": [
        {"type": "page", "messageId": "{{pageId}}", "anonymousId": "postman", "timestamp": "{{now}}", "name": "Магазин",
         "context": {"sessionId": "{{session}}", "page": {"url": "https://shop.example/?utm_source=postman"}, "userAgent": BROWSER}},
        {"type": "track", "event": "element_viewed", "messageId": "{{viewId}}", "anonymousId": "postman", "timestamp": "{{now}}",
         "context": {"sessionId": "{{session}}", "userAgent": BROWSER}, "properties": {"element_id": "buy-now", "visible_ms": 3200}},
        {"type": "track", "event": "element_clicked", "messageId": "{{clickId}}", "anonymousId": "postman", "timestamp": "{{now}}",
         "context": {"sessionId": "{{session}}", "userAgent": BROWSER}, "properties": {"element_id": "buy-now", "x": 640, "y": 412}},
        {"type": "track", "event": "element_clicked", "messageId": "{{brokenId}}", "anonymousId": "postman", "timestamp": "{{now}}",
         "context": {"userAgent": BROWSER}, "properties": {}},
    ]
}
FATES = """
const results = pm.response.json().results;
pm.test('судьба каждого события, в порядке отправки', () => {
  pm.expect(results.map((r) => r.result)).to.eql(['accepted', 'accepted', 'accepted', 'rejected']);
});
pm.test('у отклонённого названа причина', () => pm.expect(results[3].reasons.map((r) => r.code)).to.include('element_missing'));
"""
SEND = [
    Request("Пакет событий", "POST", "/v1/batch", status(200, FATES + "pm.collectionVariables.set('eventId', results[2].event_id);"),
            auth="key", body=BATCH, before=IDS, about="Страница, просмотр, клик и событие без элемента, которое отклоняется."),
    Request("Тот же пакет ещё раз", "POST", "/v1/batch", status(200, FATES + "pm.test('идентификатор тот же', () => pm.expect(results[2].event_id).to.eql(pm.collectionVariables.get('eventId')));"),
            auth="key", body=BATCH, about="Повтор после обрыва связи: события посчитаются один раз."),
    Request("Событие в собственных именах", "POST", "/v1/events", status(200, "pm.test('принято', () => pm.expect(pm.response.json().results[0].result).to.eql('accepted'));"),
            auth="key", body=[{"event_id": "{{$guid}}", "action": "click", "element_id": "buy-now", "user_id": "postman-user", "occurred_at": "{{now}}", "device_type": "desktop"}]),
    Request("Событие в именах CSV", "POST", "/clicks", status(200, "pm.test('принято', () => pm.expect(pm.response.json().results[0].result).to.eql('accepted'));"),
            auth="key", body={"id": "{{$guid}}", "type": "VIEW", "createdAt": "{{now}}", "sessionId": "{{session}}", "deviceType": "DESKTOP", "payload": {"elementId": "buy-now"}}),
    Request("Событие без устройства", "POST", "/v1/track?writeKey={{writeKey}}", status(200, """
const [fate] = pm.response.json().results;
pm.test('сохранено с предупреждением', () => pm.expect(fate.result).to.eql('suspicious'));
pm.test('названо, чего не хватает', () => pm.expect(fate.reasons.map((r) => r.code)).to.include('device_unknown'));
"""), auth="none", headers={"User-Agent": "curl/8.5.0"},
            body={"event": "element_viewed", "messageId": "{{$guid}}", "timestamp": "{{now}}", "userId": "postman-user", "properties": {"element_id": "hero"}}),
    Request("Ответ 202 по просьбе", "POST", "/v1/identify", status(202), auth="key", headers={"Prefer": "respond-async"},
            body={"messageId": "{{$guid}}", "timestamp": "{{now}}", "userId": "postman-user", "traits": {"plan": "free"}, "context": {"userAgent": BROWSER}}),
    Request("Пиксель", "GET", "/pixel/v1/page?writeKey={{writeKey}}&userId=postman-user&messageId={{$guid}}&context.device.type=desktop", status(200, """
pm.test('прозрачная картинка', () => {
  pm.expect(pm.response.headers.get('Content-Type')).to.eql('image/gif');
  pm.expect(pm.response.headers.has('X-Clickstream-Problem')).to.eql(false);
});
"""), auth="none"),
    Request("Настройки клиента Segment", "GET", "/v1/projects/{{writeKey}}/settings", status(200), auth="none"),
]
REFUSED = [
    Request("Чужой ключ", "POST", "/v1/batch?writeKey=nobody", problem(401, "write_key_unknown"), auth="none", body={"batch": []}),
    Request("Тело не JSON", "POST", "/v1/batch", problem(400, "body_not_json"), auth="key", body="{", headers={"Content-Type": "application/json"}),
    Request("Тело не той формы", "POST", "/v1/batch", problem(422, "body_wrong_shape"), auth="key", body={}),
    Request("Тип не тот", "POST", "/v1/batch", problem(415, "content_type"), auth="key", body="<batch/>", headers={"Content-Type": "application/xml"}),
    Request("Слишком много событий", "POST", "/v1/batch", problem(413, "too_many_events"), auth="key", body='{"batch":[{{many}}]}', headers={"Content-Type": "application/json"},
            before="pm.variables.set('many', Array(501).fill('{}').join(','));", about="В теле не больше 500 событий."),
    Request("Метод не тот", "DELETE", "/v1/batch", problem(405, "method_not_allowed"), auth="key"),
]
FILES = [step for name, site in (("clicks.csv", "demo"), ("events.ndjson", "demo-news"), ("segment.json", "demo-docs"), ("broken.ndjson", "demo"))
         for step in (put_file(name, site), receipt(name))]
FILES += [Request("Файл неизвестного сайта", "PUT", "/v1/inbox/nowhere/x.csv", problem(404, "site_unknown"), body="id,type,createdAt\n")]

TRACE = [
    Request("Событие видно в отчётах", "GET", "/v1/events/{{eventId}}/trace?wait=20", waits("pm.response.code === 200 && pm.response.json().warehouse?.visible", status(200, """
const trace = pm.response.json();
pm.test('место в журнале, хранилище и сырой объект', () => {
  pm.expect(trace.log.topic).to.eql('events');
  pm.expect(trace.store.stored).to.eql(true);
  pm.expect(trace.raw.key).to.match(/^raw\\/events\\//);
});
pm.test('видно в ClickHouse', () => pm.expect(trace.warehouse.visible).to.eql(true));
""")), about="Через секунду-две после приёма."),
    Request("Уплотнение", "POST", "/2015-03-31/functions/compact/invocations", status(200, FUNCTION + "\npm.test('пропусков нет', () => pm.expect(pm.response.json().gaps).to.eql([]));"), body={}, headers=INVOKE),
    Request("Сведение в ClickHouse", "POST", "/2015-03-31/functions/settle/invocations", status(200, FUNCTION), body={}),
    Request("Событие в озере и сведено", "GET", "/v1/events/{{eventId}}/trace", waits("pm.response.json().warehouse?.settled", status(200, """
const trace = pm.response.json();
pm.test('версия озера', () => pm.expect(trace.lake.version).to.be.above(0));
pm.test('сведено и по-прежнему видно', () => pm.expect(trace.warehouse).to.include({ settled: true, visible: true }));
"""))),
    Request("Событие, которого нет", "GET", "/v1/events/00000000-0000-4000-8000-000000000000/trace", problem(404, "event_unknown")),
]
REPORTS = [
    Request("Всё принятое загружено", "GET", "/v1/status", waits("pm.response.json().steps.every((s) => ['compact', 'settle'].includes(s.step) || s.lag === 0)", status(200)), about="Ждёт, пока загружено всё, что принято."),
    *(report("elements", site, ELEMENTS) for site in ("demo", "demo-news", "demo-docs")),
    report("pages", "demo", PAGES),
    report("sessions", "demo", "pm.test('число сессий дня', () => pm.expect(rows[0].sessions).to.eql(wanted.sessions));"),
    report("activity", "demo", "pm.test('активных людей за день', () => pm.expect(rows[0].dau).to.eql(wanted.dau));"),
    report("devices", "demo", "pm.test('есть настольные и мобильные', () => pm.expect(rows.map((r) => r.device_type)).to.include.members(['desktop', 'mobile']));"),
    report("heatmap", "demo", "pm.test('клики тепловой карты', () => pm.expect(rows.reduce((sum, r) => sum + r.clicks, 0)).to.eql(wanted.clicks));"),
    Request("Отчёт как CSV", "GET", "/v1/reports/pages?site=demo&from=2026-11-20&to=2026-11-22", status(200, "pm.test('CSV с заголовком', () => pm.expect(pm.response.text()).to.match(/^day,site_id,path,/));"), headers={"Accept": "text/csv"}),
    Request("Выгрузка NDJSON", "GET", "/v1/export?site=demo-docs&from=2026-11-20&to=2026-11-22", status(200, """
const wanted = JSON.parse(pm.collectionVariables.get('expected')).files['segment.json'];
const lines = pm.response.text().trim().split('\\n').map((line) => JSON.parse(line));
pm.test('каждое событие один раз', () => {
  pm.expect(lines.length).to.eql(wanted.lines);
  pm.expect(new Set(lines.map((l) => l.event_id)).size).to.eql(wanted.lines);
});
""")),
    Request("Лента человека", "GET", "/v1/users/user-7/events?site=demo&limit=5", status(200, "pm.test('события человека', () => pm.response.json().events.forEach((e) => pm.expect(e.user_id).to.eql('user-7')));")),
    Request("Отклонённые", "GET", "/v1/rejections?site=demo&limit=5", status(200, "pm.test('с исходным текстом и причинами', () => pm.response.json().rejections.forEach((r) => { pm.expect(r.original).to.be.a('string'); pm.expect(r.reasons).to.not.be.empty; }));")),
    Request("Отставание шагов", "GET", "/v1/status", status(200, "pm.test('шаги названы', () => pm.expect(pm.response.json().steps.map((s) => s.step)).to.include.members(['store', 'land', 'load', 'compact']));")),
    Request("Отчёт, которого нет", "GET", "/v1/reports/nothing?site=demo", status(404)),
    Request("День не день", "GET", "/v1/reports/pages?site=demo&from=вчера", problem(400, "parameter_wrong")),
]
INVOKING = [
    Request("Проба вызова", "POST", "/2015-03-31/functions/compact/invocations", status(204), body={}, headers={"X-Amz-Invocation-Type": "DryRun"}),
    Request("Повтор отклонённых, проба", "POST", "/2015-03-31/functions/replay/invocations", status(200, FUNCTION + "\npm.test('ничего не изменено', () => pm.expect(pm.response.json().dry_run).to.eql(true));"),
            body={"source": {"kind": "rejected"}, "dry_run": True}),
    Request("Возврат отложенного", "POST", "/2015-03-31/functions/unspill/invocations", status(200, FUNCTION), body={}),
    Request("Функции нет", "POST", "/2015-03-31/functions/nothing/invocations", status(404), body={}),
]
LEDGER = [
    Request("Учёт", "GET", "/v1/ledger?hours=1", waits("pm.response.json().balanced", status(200, """
const { partitions, gaps, balanced } = pm.response.json();
pm.test('каждая запись на счету', () => pm.expect(balanced).to.eql(true));
pm.test('пропусков нет', () => pm.expect(gaps).to.eql([]));
pm.test('исходы записей складываются', () => partitions.filter((p) => p.topic === 'events').forEach((p) => {
  pm.expect(p.settled + p.duplicates + p.erased + p.dead_letters + p.missing + (p.expired || 0) + p.pending + p.unaccounted).to.eql(p.logged);
}));
""")), about="Что стало с каждой записью журнала на каждом шаге."),
    Request("Сверка, проба", "POST", "/2015-03-31/functions/reconcile/invocations", status(200, FUNCTION), body={"dry_run": True},
            about="Чем различаются хранилища и как это было бы исправлено."),
]
# An erasure goes through every store twice, half a minute apart: once is enough.
ONCE = "if (pm.info.iteration > 0) pm.execution.skipRequest();"
PERSON = "pm.collectionVariables.set('person', `forgotten-${pm.variables.replaceIn('{{$guid}}')}`);"
PEOPLE = [
    Request("Событие человека, который попросит забыть", "POST", "/v1/track", status(200, """
const [fate] = pm.response.json().results;
pm.test('принято', () => pm.expect(fate.result).to.eql('accepted'));
pm.collectionVariables.set('forgottenId', fate.event_id);
"""), auth="key", before=f"{ONCE}\n{PERSON}",
            body={"event": "element_clicked", "messageId": "{{$guid}}", "timestamp": "{{now}}", "userId": "{{person}}",
                  "context": {"userAgent": BROWSER}, "properties": {"element_id": "buy-now"}}),
    Request("Его событие сохранено", "GET", "/v1/events/{{forgottenId}}/trace?wait=20",
            waits("pm.response.code === 200 && pm.response.json().warehouse?.visible", status(200)), before=ONCE),
    Request("Данные человека", "GET", "/v1/users/{{person}}/export?site=demo", status(200, """
const lines = pm.response.text().trim().split('\\n').map((line) => JSON.parse(line));
pm.test('названо хранилище каждой строки', () => lines.forEach((l) => pm.expect(l.from).to.be.oneOf(['store', 'warehouse', 'rejected'])));
pm.test('событие есть', () => pm.expect(pm.response.text()).to.include(pm.collectionVariables.get('forgottenId')));
"""), before=ONCE, about="Всё, что о человеке хранится."),
    Request("Забыть человека", "POST", "/v1/erasures", status(202, """
const { id, step, status } = pm.response.json();
pm.test('названо, где смотреть ход', () => pm.expect(status).to.eql(`/v1/erasures/${id}?site=demo`));
pm.collectionVariables.set('erasure', id);
"""), body={"site": "demo", "user_id": "{{person}}"}, before=ONCE, about="Надгробие появляется первым; удаление идёт дальше само."),
    Request("Ход удаления", "GET", "/v1/erasures/{{erasure}}?site=demo", waits("pm.response.json().step === 'done'", status(200, """
pm.test('удаление закончено', () => pm.expect(pm.response.json().step).to.eql('done'));
""")), before=ONCE, about="Хранилища обходятся дважды с перерывом в полминуты."),
    Request("Квитанция об удалении", "GET", "/v1/erasures/{{erasure}}/receipt?site=demo", status(200, """
const text = pm.response.text();
pm.test('подписана', () => pm.expect(pm.response.json().signature).to.match(/^[0-9a-f]{64}$/));
pm.test('никого не называет', () => pm.expect(text).to.not.include(pm.collectionVariables.get('person')));
pm.collectionVariables.set('receiptText', text);
"""), before=ONCE),
    Request("Проверка подписи квитанции", "POST", "/v1/erasures/verify", status(200, "pm.test('подпись верна', () => pm.expect(pm.response.json().valid).to.eql(true));"),
            body="{{receiptText}}", headers={"Content-Type": "application/json"}, before=ONCE),
    Request("След забытого события", "GET", "/v1/events/{{forgottenId}}/trace", """
pm.test('события нет ни в хранилище, ни в отчётах', () => {
  const trace = pm.response.json();
  pm.expect(pm.response.code === 404 || (!trace.store?.stored && !trace.warehouse?.visible)).to.eql(true);
});
""", before=ONCE),
]
FOLDERS = [
    ("1. Наблюдение", "Готовность, описание API, метрики, доступ по токену.", WATCH),
    ("2. Приём событий", "Формы событий, судьба каждого, повтор.", SEND),
    ("3. Отказы приёма", "Отказы называют причину и верный вид.", REFUSED),
    ("4. Файлы", "CSV, NDJSON, JSON и файл с неверными строками; квитанции.", FILES),
    ("5. Путь события", "След до уплотнения и после него.", TRACE),
    ("6. Отчёты", "Числа сравниваются с независимо посчитанными.", REPORTS),
    ("7. Вызов функций", "Invoke API.", INVOKING),
    ("8. Учёт", "Исход каждой записи и сверка хранилищ.", LEDGER),
    ("9. Данные людей", "Выдача, забвение, подписанная квитанция; при повторных прогонах пропускается.", PEOPLE),
]
