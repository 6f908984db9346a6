// Reports come a row a day; a span of days is summed here. Counts of people are left alone: they do not add up.

const number = (value) => Number(value) || 0;

/** Sums `fields` of the rows that share the values of `keys`; other fields are the first row's that has one. */
function sum(rows, keys, fields) {
  const groups = new Map();
  for (const row of rows) {
    const key = JSON.stringify(keys.map((name) => row[name]));
    const group = groups.get(key) ?? { ...row, ...Object.fromEntries(fields.map((f) => [f, 0])) };
    for (const field of fields) group[field] += number(row[field]);
    for (const name of Object.keys(row)) group[name] ??= row[name];
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Elements, most clicked first. */
export function elements(rows) {
  const all = sum(rows, ['element_id'], ['views', 'clicks', 'visible_ms']);
  for (const e of all) e.rate = e.views ? e.clicks / e.views : null;
  return all.sort((a, b) => b.clicks - a.clicks || b.views - a.views || String(a.element_id).localeCompare(b.element_id));
}

/** Pages, most viewed first. */
export const pages = (rows) => sum(rows, ['path'], ['views']).sort((a, b) => b.views - a.views || String(a.path).localeCompare(b.path));

/** Events by one field of the device report, most first. */
export const devices = (rows, field) => sum(rows, [field], ['events']).sort((a, b) => b.events - a.events);

/** Sessions of the span: count, and the mean duration in seconds weighted by it. */
export function sessions(rows) {
  const count = rows.reduce((n, r) => n + number(r.sessions), 0);
  const seconds = rows.reduce((n, r) => n + number(r.sessions) * number(r.avg_duration_s), 0);
  return { count, average: count ? seconds / count : 0, median: rows.length === 1 ? number(rows[0].median_duration_s) : null };
}
