"""Pipeline: from an answer to a report, step by step."""

from .dashboard import COMPACTIONS, RESTARTS, dashboard
from .panels import Text as T
from .panels import lines, numbers, prom, sql, table

NEWEST = "(SELECT argMax(watermarks, version) FROM commits)"
AGE = "date_diff('millisecond', max({0}), now64(3)) / 1000"
RATE = "rate({0}[$__rate_interval])"

PANELS = [
    numbers(
        T("Now", "Сейчас"),
        [
            prom("clickstream:accepted:rate5m", T("accepted per second", "принято в секунду")),
            prom('sum(clickstream:events:rate5m{verdict="rejected"}) or vector(0)', T("rejected per second", "отклонено в секунду")),
            prom('count(up{job="clickstream"} == 1) or vector(0)', T("hosts that answer", "отвечающих хостов")),
            prom("min(clickstream_log_reachable) or vector(1)", T("log reachable", "лог доступен")),
            prom('count(ALERTS{alertstate="firing"}) or vector(0)', T("alerts", "тревог")),
        ],
        width=16,
    ),
    numbers(
        T("Freshness in ClickHouse", "Свежесть в ClickHouse"),
        sql(f"""
        SELECT (SELECT {AGE.format("received_at")} FROM fresh) AS newest, (SELECT {AGE.format("committed_at")} FROM commits) AS settled,
        (SELECT count() FROM fresh WHERE log_offset >= {NEWEST}[place]) AS waiting,
        (SELECT max(version) FROM commits) - (SELECT max(version) FROM rebuilt) AS marts"""),
        width=8,
        units={"newest": "s", "settled": "s"},
        about=T(
            "Without traffic the age of the newest event grows, and nothing is wrong.",
            "Без трафика возраст новейшего события растёт, и это не ошибка.",
        ),
        names={
            "newest": T("age of the newest event", "возраст новейшего события"),
            "settled": T("since the last settling", "с последнего закрепления"),
            "waiting": T("events not settled", "событий не закреплено"),
            "marts": T("versions without marts", "версий без витрин"),
        },
    ),
    lines(
        T("Events per second by verdict", "События в секунду по вердиктам"),
        prom("sum by (verdict) (clickstream:events:rate5m)", "{{verdict}}"),
        stacked=True,
        unit="cps",
    ),
    lines(
        T("Events per second by source", "События в секунду по источникам"),
        prom("sum by (source) (clickstream:events:rate5m)", "{{source}}"),
        stacked=True,
        unit="cps",
    ),
    lines(
        T("Answers per second by status", "Ответы в секунду по статусам"),
        prom("clickstream:requests:rate5m", "{{function}} {{status}}"),
        unit="reqps",
    ),
    lines(
        T("Time of an answer", "Время ответа"),
        [
            prom("clickstream:request_seconds:p50_5m", T("{{function}} median", "{{function}} медиана")),
            prom("clickstream:request_seconds:p99_5m", "{{function}} p99"),
        ],
        unit="s",
    ),
    lines(
        T("Freshness: from arrival into ClickHouse", "Свежесть: от прихода до ClickHouse"),
        [
            prom("clickstream:freshness_seconds:p50_5m", T("median", "медиана")),
            prom("clickstream:freshness_seconds:p95_5m", "p95"),
        ],
        unit="s",
        about=T("Promised are 10 s of 95 %.", "Обещано 10 с для 95 %."),
    ),
    lines(
        T("Records that groups have not done", "Необработанных записей по группам"),
        prom("clickstream:group_lag:records", "{{group}} {{topic}}"),
    ),
    lines(
        T("Functions: failed invocations", "Функции: неудачные вызовы"),
        prom('clickstream:function_invocations:rate5m{outcome="failed"}', "{{function}}"),
        unit="cps",
    ),
    lines(
        T("Functions: time of an invocation, p95", "Функции: время вызова, p95"),
        prom("clickstream:function_seconds:p95_15m", "{{function}}"),
        unit="s",
    ),
    lines(
        T("Work by the clock: since it last ended well", "Работа по расписанию: с последнего успеха"),
        prom("clickstream:since_success:seconds", "{{function}}"),
        unit="s",
    ),
    lines(
        T("Waiting: versions, notifications", "Ожидают: версии, уведомления"),
        [
            prom("clickstream:settle_behind:versions", T("lake versions not settled", "незакреплённых версий озера")),
            prom("sum by (prefix) (clickstream_notifications_pending)", T("notifications not done, {{prefix}}", "необработанных уведомлений, {{prefix}}")),
            prom("sum by (function) (rate(clickstream_notification_retries_total[$__rate_interval]))", T("retries per second, {{function}}", "повторов в секунду, {{function}}")),
        ],
    ),
    lines(
        T("Rows per second, step by step", "Строк в секунду по шагам"),
        [
            prom("clickstream:accepted:rate5m", T("accepted", "принято")),
            prom(f"sum({RATE.format('clickstream_landed_rows_total')})", T("landed", "в raw/")),
            prom(f"sum({RATE.format('clickstream_compacted_rows_total')})", T("in the lake", "в озере")),
            prom(f"sum({RATE.format('clickstream_settled_rows_total')})", T("settled", "закреплено")),
        ],
        unit="cps",
        about=T(
            "The lines lie on one another. Lake and ClickHouse go in steps, a compaction each.",
            "Линии совпадают. Озеро и ClickHouse идут ступенями, по компактизации.",
        ),
    ),
    lines(
        T("Not landed, not returned", "Не в raw/, не возвращено"),
        [
            prom(
                "clamp_min(clickstream:accepted:increase1h - clickstream:landed:increase1h, 0)",
                T("accepted in the hour and not landed", "принято за час и не в raw/"),
            ),
            prom("clamp_min(clickstream:spill_waiting:objects6h, 0)", T("objects in spill/", "объектов в spill/")),
            prom(f"sum({RATE.format('clickstream_spilled_records_total')})", T("spilled per second", "в spill/ в секунду")),
        ],
    ),
    lines(
        T("Objects per second", "Объектов в секунду"),
        [
            prom(f"sum({RATE.format('clickstream_landed_objects_total')})", T("landed", "записано в raw/")),
            prom(f"sum by (outcome) ({RATE.format('clickstream_loaded_objects_total')})", T("load: {{outcome}}", "загрузка: {{outcome}}")),
        ],
        unit="cps",
    ),
    lines(
        T("Batches that failed", "Неудачные пакеты"),
        prom(f"sum by (group) ({RATE.format('clickstream_batch_failures_total')})", "{{group}}"),
        unit="cps",
    ),
    lines(
        T("Rejections, dead letters, quarantine", "Отклонения, нечитаемые записи, карантин"),
        [
            prom("clickstream:rejected:ratio15m", T("rejected, {{source}}", "отклонено, {{source}}")),
            prom("sum by (function) (clickstream:undecodable:increase15m)", T("no event, {{function}}", "не событие, {{function}}")),
            prom("sum by (outcome) (clickstream:files_refused:increase15m)", T("files: {{outcome}}", "файлы: {{outcome}}")),
            prom("sum(clickstream:spill_quarantined:increase15m)", T("quarantined spill", "карантин spill")),
        ],
    ),
    lines(
        T("Share of repeats", "Доля повторов"),
        prom("clickstream:repeats:ratio1h", T("of what compaction reads", "из прочитанного компактизацией")),
        unit="percentunit",
    ),
    lines(
        T("Age of the oldest record not done", "Возраст старейшей необработанной записи"),
        prom("max by (group, topic) (clickstream_group_lag_age_seconds)", "{{group}} {{topic}}"),
        unit="s",
        about=T("As each host that works sees it, every 10 s.", "Как видит каждый работающий хост, раз в 10 с."),
    ),
    lines(T("Repairs", "Исправления"), prom("sum by (kind) (increase(clickstream_repairs_total[1h]))", "{{kind}}"), bars=True),
    table(
        T("The ledger", "Учётная книга"),
        sql("""
        SELECT topic, log_partition AS partition, argMax(logged, at) AS logged, argMax(settled, at) AS settled, argMax(duplicates, at) AS duplicates,
        argMax(erased, at) AS erased, argMax(dead_letters, at) AS dead, argMax(missing, at) AS missing, argMax(pending, at) AS pending,
        argMax(unaccounted, at) AS unaccounted, max(at) AS time
        FROM ledger WHERE log_id = (SELECT argMax(log_id, at) FROM ledger) GROUP BY topic, partition ORDER BY topic, partition"""),
        width=24,
        height=6,
        about=T(
            "What became of each record of the log; unaccounted is 0, or something is wrong.",
            "Что стало с каждой записью лога; неучтённых 0, иначе что-то не так.",
        ),
        names={
            "topic": T("Topic", "Топик"),
            "partition": T("Partition", "Партиция"),
            "logged": T("Logged", "В логе"),
            "settled": T("Settled", "Закреплено"),
            "duplicates": T("Repeats", "Повторы"),
            "erased": T("Erased", "Стёрто"),
            "dead": T("Dead letters", "Нечитаемые"),
            "missing": T("Lost", "Потеряно"),
            "pending": T("Pending", "Ожидают"),
            "unaccounted": T("Unaccounted", "Не учтено"),
            "time": T("As of", "На момент"),
        },
    ),
    lines(
        T("Ledger: unaccounted and gaps", "Учёт: неучтённое и пропуски"),
        sql(
            """
        SELECT at AS time, sum(abs(unaccounted)) AS unaccounted, sum(pending) AS pending FROM ledger
        WHERE $__timeFilter(at) GROUP BY at ORDER BY time""",
            series=True,
        ),
        names={"unaccounted": T("Unaccounted", "Не учтено"), "pending": T("Pending", "Ожидают")},
    ),
    lines(
        T("Records that no raw object holds", "Записи, которых нет в raw/"),
        prom("min by (partition) (clickstream_ledger_gap_records)", T("partition {{partition}}", "партиция {{partition}}")),
    ),
    lines(
        T("Rows per compaction", "Строк за компактизацию"),
        sql(
            """
        SELECT committed_at AS time, rows FROM commits WHERE $__timeFilter(committed_at) ORDER BY time""",
            series=True,
        ),
        bars=True,
        names={"rows": T("Rows", "Строк")},
    ),
    lines(
        T("Events in ClickHouse by minute of arrival", "События в ClickHouse по минутам прихода"),
        sql(
            """
        SELECT toStartOfMinute(received_at) AS time, toString(verdict) AS verdict, count() AS events FROM clicks
        WHERE $__timeFilter(received_at) AND occurred_at >= $__fromTime - 86400 GROUP BY time, verdict ORDER BY time, verdict""",
            series=True,
        ),
        stacked=True,
    ),
    table(
        T("Newest lake versions", "Новейшие версии озера"),
        sql("""
        SELECT version, min(committed_at) AS time, max(rows) AS rows, length(argMax(watermarks, load_id)) AS partitions
        FROM commits GROUP BY version ORDER BY version DESC LIMIT 20"""),
        names={
            "version": T("Version", "Версия"),
            "time": T("Shown since", "Видна с"),
            "rows": T("Rows", "Строк"),
            "partitions": T("Partitions", "Партиций"),
        },
    ),
    table(
        T("Alerts", "Тревоги"),
        prom('ALERTS{alertstate="firing"}', instant=True),
        links={"alertname": [{"title": T("Runbook", "Инструкция"), "url": "${runbooks}/${__value.raw}.md", "targetBlank": True}]},
    ),
]

RUNBOOKS = {
    "type": "textbox",
    "name": "runbooks",
    "label": T("Where docs/runbooks is", "Где лежит docs/runbooks"),
    "query": "/docs/runbooks",
    "current": {"text": "/docs/runbooks", "value": "/docs/runbooks"},
    "options": [],
    "hide": 0,
    "skipUrlSync": False,
}

BOARD = dashboard(
    "pipeline",
    T("Clickstream: pipeline", "Clickstream: конвейер"),
    PANELS,
    since="now-6h",
    variables=[RUNBOOKS],
    annotations=[COMPACTIONS, RESTARTS],
    refresh="30s",
)
