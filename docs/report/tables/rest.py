"""The operations of docs/api/openapi.json as tables, in Russian."""

import json
from pathlib import Path

DESCRIPTION = Path(__file__).resolve().parents[2] / "api" / "openapi.json"

TAGS = {
    "Send events": "Приём событий",
    "Files": "Файлы",
    "Ask": "Отчёты и поиск",
    "Invoke": "Вызов функций",
    "Watch": "Наблюдение",
    "People": "Данные людей",
}
ACCESS = {"adminToken": "токен", "writeKey": "ключ сайта", "writeKeyInAddress": "ключ сайта"}
# What an operation does, by its summary in the description; one that is not here keeps its English summary.
SUMMARIES = {
    "Run a function": "Запустить функцию, как Invoke API у AWS Lambda",
    "Events by the names of the clicks CSV": "События в именах полей CSV-файла кликов",
    "This description as a page": "Описание API в виде страницы (Swagger UI)",
    "The process lives": "Процесс жив",
    "Metrics for Prometheus": "Метрики в формате Prometheus",
    "This description": "Описание API (OpenAPI 3.1)",
    "One event in the address of an image": "Одно событие в адресе картинки",
    "It takes events": "Сервис готов принимать события",
    "Several events, each with its `type`": "Пакет событий, тип указан у каждого",
    "Events by the service's own names": "События в собственных именах полей",
    "Where an event is": "Путь события: журнал, хранилище, сырой объект, озеро, ClickHouse",
    "All events of a site and span": "Выгрузка всех событий сайта за период",
    "Put a file of events into the inbox": "Положить файл событий во входящие",
    "Events as they arrive; the answer does not end": "Поток событий по мере поступления (SSE)",
    "What Segment's browser client measures about itself: counted, kept nowhere": "Замеры браузерного клиента Segment: считаются, не хранятся",
    "Settings for Segment's browser client": "Настройки браузерного клиента Segment",
    "What became of a file": "Квитанция о файле",
    "The newest rejected events with their originals": "Последние отклонённые события с исходным текстом",
    "A report": "Отчёт",
    "The sites": "Список сайтов",
    "Put the sites file, where SITES_FILE names an object": "Заменить файл сайтов, если SITES_FILE указывает на объект",
    "How far every step is behind": "Отставание каждого шага",
    "A person's events, newest first": "События человека, сначала новые",
    "Forget a person": "Забыть человека",
    "Whether a receipt is as it was signed": "Проверить подпись квитанции об удалении",
    "How far an erasure is": "Ход удаления",
    "The receipt as it was signed": "Подписанная квитанция об удалении",
    "What is held of a person": "Выгрузка данных человека",
    "What each step has of every record": "Учёт: что стало с каждой записью на каждом шаге",
}


def summary(text: str) -> str:
    of_type = "One event of Segment's type "
    if text.startswith(of_type):
        return f"Одно событие Segment типа {text.removeprefix(of_type)}"
    return SUMMARIES.get(text, text)


def access(operation: dict) -> str:
    """Who may: an empty requirement among others means that the key may stand in the body."""
    names = {ACCESS[scheme] for requirement in operation.get("security", []) for scheme in requirement}
    return ", ".join(sorted(names)) or "открыт"


def parameters(operation: dict) -> str:
    return ", ".join(f"`{p['name']}`{'*' if p.get('required') else ''}" for p in operation.get("parameters", []) if p["in"] != "path")


def row(paths: list[str], operation: dict) -> str:
    body = ", ".join(operation.get("requestBody", {}).get("content", {}))
    cells = ["<br>".join(f"`{p}`" for p in paths), summary(operation["summary"]), parameters(operation), body, access(operation)]
    return f"| {' | '.join(c or '—' for c in cells)} | {' '.join(sorted(operation['responses']))} |"


def table() -> str:
    description = json.loads(DESCRIPTION.read_text())
    # Aliases of one operation share its row.
    groups: dict[tuple, tuple[list[str], dict]] = {}
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            known = (operation["tags"][0], method, operation["summary"], json.dumps(operation.get("parameters")))
            groups.setdefault(known, ([], operation))[0].append(f"{method.upper()} {path}")
    lines = []
    for tag in description["tags"]:
        lines += ["", f"**{TAGS.get(tag['name'], tag['name'])}**", ""]
        lines += ["| метод и путь | назначение | параметры | тело | доступ | ответы |", "|---|---|---|---|---|---|"]
        lines += [row(sorted(paths, key=len, reverse=True), op) for (of, *_), (paths, op) in groups.items() if of == tag["name"]]
    count = sum(len(operations) for operations in description["paths"].values())
    return "\n".join([*lines, "", f"Всего операций: {count}."]).lstrip()
